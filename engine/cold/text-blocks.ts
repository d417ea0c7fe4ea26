import { crc32c } from "./crc32c.ts";
import { ColdFormatError } from "./format-error.ts";
import type { ColdPassage } from "./passage.ts";
import { decodeText, encodeText } from "./utf8.ts";

/** A block of consecutive passages' titles and texts. */
export interface TextBlock {
  readonly offset: number;
  readonly length: number;
  readonly checksum: number;
  readonly firstRow: number;
}

export interface PassageText {
  readonly title: string;
  readonly text: string;
}

/** About one answer's worth: smaller blocks mean more reads, larger ones bytes that nobody asked for. */
const BLOCK_BYTES_MIN = 16_384;
const ENTRY_BYTES = 16;

/** Returns the blocks one after another, and the table of where each is. */
export function encodeTexts(passages: readonly ColdPassage[]): {
  readonly texts: Uint8Array;
  readonly table: Uint8Array;
} {
  const blocks: { readonly bytes: Uint8Array; readonly firstRow: number }[] = [];
  let rows: (readonly [string | null, string])[] = [];
  let characters = 0;
  let firstRow = 0;
  const flush = (nextRow: number) => {
    if (rows.length > 0) blocks.push({ bytes: encodeText(JSON.stringify(rows)), firstRow });
    rows = [];
    characters = 0;
    firstRow = nextRow;
  };
  passages.forEach(({ title, text }, row) => {
    // Null repeats the title before it: the passages of a document lie together.
    const isSame = rows.length > 0 && passages[row - 1]?.title === title;
    rows.push([isSame ? null : title, text]);
    characters += text.length + (isSame ? 0 : title.length);
    if (characters >= BLOCK_BYTES_MIN) flush(row + 1);
  });
  flush(passages.length);
  const texts = new Uint8Array(blocks.reduce((sum, { bytes }) => sum + bytes.byteLength, 0));
  const table = new Uint8Array(blocks.length * ENTRY_BYTES);
  const view = new DataView(table.buffer);
  let offset = 0;
  blocks.forEach(({ bytes, firstRow: first }, i) => {
    texts.set(bytes, offset);
    [offset, bytes.byteLength, crc32c(bytes), first].forEach((value, field) => {
      view.setUint32(i * ENTRY_BYTES + field * 4, value, true);
    });
    offset += bytes.byteLength;
  });
  return { texts, table };
}

/** Returns the table of blocks. */
export function decodeTextTable(bytes: Uint8Array): readonly TextBlock[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength / ENTRY_BYTES }, (_, i) => ({
    offset: view.getUint32(i * ENTRY_BYTES, true),
    length: view.getUint32(i * ENTRY_BYTES + 4, true),
    checksum: view.getUint32(i * ENTRY_BYTES + 8, true),
    firstRow: view.getUint32(i * ENTRY_BYTES + 12, true),
  }));
}

/** Returns the texts of a block, the first one's row being `firstRow`. */
export function decodeTextBlock(bytes: Uint8Array, block: TextBlock): readonly PassageText[] {
  if (crc32c(bytes) !== block.checksum)
    throw new ColdFormatError("expected a text block intact, got another checksum");
  const rows: unknown = JSON.parse(decodeText(bytes));
  if (!Array.isArray(rows)) throw new ColdFormatError("expected a text block to be a list");
  let title = "";
  return rows.map((row: unknown) => {
    if (!Array.isArray(row) || typeof row[1] !== "string")
      throw new ColdFormatError("expected a title and a text");
    if (typeof row[0] === "string") title = row[0];
    return { title, text: row[1] };
  });
}

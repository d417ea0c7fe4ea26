/** Columns as pieces of a base. */
import type { ColumnBuilder } from "./column-builder.ts";
import { createGrowingBytes, type GrowingBytes } from "./column-bytes.ts";
import { type Column, type ColumnChunk, type ColumnPath, FIRST_CHARACTERS } from "./column-directory.ts";
import { appendList } from "./column-lists.ts";
import { rankOf } from "./column-value.ts";
import { packBytes, packText } from "./document-frame.ts";
import type { Piece, PieceWriter } from "../piece.ts";

/** A look-up reads one chunk: with less its directory grows, with more its bytes. */
const CHUNK_CHARACTERS = 32_768;
/** Chunks of all columns together, about: their directory is resident, some 400 bytes each. */
const CHUNKS_WANTED_MAX = 4_096;
/** A filter by a few short values then needs the lists alone: one round of reads instead of two. */
const INLINE_CHARACTERS = 1_024;

export interface ColumnDraft {
  readonly path: ColumnPath;
  readonly builder: ColumnBuilder;
}

interface ChunkDraft extends Omit<ColumnChunk, "valuesPiece" | "listsPiece"> {
  readonly texts: readonly string[];
  readonly lists: Uint8Array;
}

/** Writes the columns, one after another; a column's values lie before its lists, so that each can be read in one sweep. */
export async function writeColumns(
  drafts: readonly ColumnDraft[],
  documents: number,
  writer: PieceWriter,
): Promise<readonly Column[]> {
  const characters = drafts.reduce((sum, { builder }) => sum + builder.characters, 0);
  const chunkCharacters = Math.max(CHUNK_CHARACTERS, Math.ceil(characters / CHUNKS_WANTED_MAX));
  const columns: Column[] = [];
  for (const { path, builder } of drafts) {
    const chunks = cut(builder, documents, chunkCharacters);
    const valuesPieces: (Piece | null)[] = [];
    for (const { inline, texts } of chunks) {
      valuesPieces.push(
        inline === null ? await writer.write("columns", packText(`[${texts.join(",")}]`)) : null,
      );
    }
    const written: ColumnChunk[] = [];
    for (const [at, { rank, values, documents: count, first, inline, lists }] of chunks.entries()) {
      const listsPiece = await writer.write("columns", packBytes(lists));
      const valuesPiece = valuesPieces[at] ?? null;
      written.push({ rank, values, documents: count, first, inline, valuesPiece, listsPiece });
    }
    columns.push({ path, chunks: written });
  }
  return columns;
}

/** Cuts a column into chunks of one kind of value each. */
function cut(builder: ColumnBuilder, documents: number, chunkCharacters: number): readonly ChunkDraft[] {
  const { texts, documentsOf } = builder.values(documents);
  const isInline = builder.characters <= INLINE_CHARACTERS;
  const bytes = createGrowingBytes();
  const chunks: ChunkDraft[] = [];
  let from = 0;
  let characters = 0;
  let count = 0;
  texts.forEach((text, at) => {
    const list = documentsOf(at);
    appendList(bytes, list, documents);
    characters += text.length;
    count += list.length;
    const next = texts[at + 1];
    const isFull = characters >= chunkCharacters || bytes.length >= chunkCharacters;
    if (next !== undefined && !isFull && rankOf(next) === rankOf(text)) return;
    chunks.push(chunkOf(texts.slice(from, at + 1), { documents: count, isInline, bytes }));
    from = at + 1;
    characters = 0;
    count = 0;
  });
  return chunks;
}

function chunkOf(
  texts: readonly string[],
  of: { readonly documents: number; readonly isInline: boolean; readonly bytes: GrowingBytes },
): ChunkDraft {
  const first = texts[0] ?? "";
  const isInline = of.isInline || (texts.length === 1 && first.length <= FIRST_CHARACTERS);
  return {
    rank: rankOf(first),
    values: texts.length,
    documents: of.documents,
    first: first.slice(0, FIRST_CHARACTERS),
    inline: isInline ? texts : null,
    texts,
    lists: of.bytes.take(),
  };
}

import { ColdFormatError } from "../../format-error.ts";
import { ByteReader, ByteWriter } from "./posting-bytes.ts";

/** A term in a dictionary page. */
export interface PageTerm {
  readonly id: number;
  /** In how many rows it stands. */
  readonly count: number;
  /** Its postings, as a view into the page. */
  readonly postings: Uint8Array;
}

/**
 * Returns a dictionary page: number of terms; for each its id less the one before, number of postings, bytes of these; then
 * the postings, term after term. All numbers are varints.
 */
export function encodeTermPage(terms: readonly PageTerm[]): Uint8Array {
  const page = new ByteWriter();
  page.varint(terms.length);
  let before = 0;
  for (const { id, count, postings } of terms) {
    page.varint(id - before);
    page.varint(count);
    page.varint(postings.length);
    before = id;
  }
  for (const { postings } of terms) page.append(postings);
  return page.take();
}

/** Returns the terms asked for that the page has; all of them for null. @throws {ColdFormatError} when it is no page. */
export function decodeTermPage(page: Uint8Array, wanted: { has(id: number): boolean } | null): PageTerm[] {
  const reader = new ByteReader(page);
  const terms = reader.varint();
  if (terms > page.length) throw new ColdFormatError(`expected fewer terms than bytes, got ${terms}`);
  const found: { id: number; count: number; from: number; bytes: number }[] = [];
  let id = 0;
  let from = 0;
  for (let i = 0; i < terms; i += 1) {
    id += reader.varint();
    const count = reader.varint();
    const bytes = reader.varint();
    if (count > bytes)
      throw new ColdFormatError(`expected a byte a posting at least, got ${count} in ${bytes}`);
    if (wanted === null || wanted.has(id)) found.push({ id, count, from, bytes });
    from += bytes;
  }
  if (reader.at + from !== page.length)
    throw new ColdFormatError(`expected a page of ${reader.at + from} bytes, got ${page.length}`);
  return found.map((term) => ({
    id: term.id,
    count: term.count,
    postings: page.subarray(reader.at + term.from, reader.at + term.from + term.bytes),
  }));
}

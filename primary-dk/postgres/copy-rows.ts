/** Rows in Postgres' binary COPY format. */

/** "PGCOPY\n\377\r\n\0", no flags, no header extension (PostgreSQL manual, COPY, File Formats). */
const HEADER = Buffer.from([
  0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0x00, 0, 0, 0, 0, 0, 0, 0, 0,
]);
const TRAILER = Buffer.from([0xff, 0xff]);
const NULL_FIELD = Buffer.from([0xff, 0xff, 0xff, 0xff]);

/** A field is an int4, UTF-8 text, bytes, or null. */
export type CopyField = number | string | Uint8Array | null;

/** Returns the bytes of a whole COPY; bytes fields are taken as they are, not copied until the end. */
export function encodeCopy(rows: Iterable<readonly CopyField[]>): Buffer {
  const parts: Uint8Array[] = [HEADER];
  for (const row of rows) {
    const count = Buffer.allocUnsafe(2);
    count.writeInt16BE(row.length);
    parts.push(count);
    for (const field of row) pushField(parts, field);
  }
  parts.push(TRAILER);
  return Buffer.concat(parts);
}

function pushField(parts: Uint8Array[], field: CopyField): void {
  if (field === null) {
    parts.push(NULL_FIELD);
    return;
  }
  if (typeof field === "number") {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeInt32BE(4, 0);
    bytes.writeInt32BE(field, 4);
    parts.push(bytes);
    return;
  }
  const bytes = typeof field === "string" ? Buffer.from(field, "utf8") : field;
  const length = Buffer.allocUnsafe(4);
  length.writeInt32BE(bytes.length);
  parts.push(length, bytes);
}

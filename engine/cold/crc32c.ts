/** Castagnoli's polynomial, reflected: finds every burst of up to 32 bits, which a sum would not. */
const POLYNOMIAL = 0x82f63b78;
const TABLES = makeTables();
const NO_WORDS = new Int32Array(0);

/** Returns the CRC-32C (RFC 3720, appendix B.4) of the bytes, unsigned. */
export function crc32c(bytes: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES;
  const { length } = bytes;
  let crc = ~0;
  let i = 0;
  for (; i < length && ((bytes.byteOffset + i) & 3) !== 0; i += 1)
    crc = (t0[(crc ^ (bytes[i] ?? 0)) & 255] ?? 0) ^ (crc >>> 8);
  // Eight bytes a step (Kounavis and Berry, 2005): a search checks two megabytes. Every machine that runs this is little-endian.
  const count = ((length - i) >> 3) << 1;
  const words = count > 0 ? new Int32Array(bytes.buffer, bytes.byteOffset + i, count) : NO_WORDS;
  for (let at = 0; at < words.length; at += 2) {
    const low = crc ^ (words[at] ?? 0);
    const high = words[at + 1] ?? 0;
    crc =
      (t7[low & 255] ?? 0) ^
      (t6[(low >>> 8) & 255] ?? 0) ^
      (t5[(low >>> 16) & 255] ?? 0) ^
      (t4[low >>> 24] ?? 0) ^
      (t3[high & 255] ?? 0) ^
      (t2[(high >>> 8) & 255] ?? 0) ^
      (t1[(high >>> 16) & 255] ?? 0) ^
      (t0[high >>> 24] ?? 0);
  }
  for (i += words.length * 4; i < length; i += 1)
    crc = (t0[(crc ^ (bytes[i] ?? 0)) & 255] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}

type Tables = readonly [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

function makeTables(): Tables {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    return crc;
  });
  const next = (table: Int32Array): Int32Array => table.map((crc) => (first[crc & 255] ?? 0) ^ (crc >>> 8));
  const [t1, t2, t3, t4, t5, t6, t7] = [1, 2, 3, 4, 5, 6, 7].map((steps) => {
    let table: Int32Array = first;
    for (let step = 0; step < steps; step += 1) table = next(table);
    return table;
  });
  return [first, t1 ?? first, t2 ?? first, t3 ?? first, t4 ?? first, t5 ?? first, t6 ?? first, t7 ?? first];
}

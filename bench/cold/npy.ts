/** NumPy's file format of one array, for float32 rows. */
import { open, type FileHandle } from "node:fs/promises";
import { checkedDimensions, VectorFileError, type VectorBlock, type VectorFile } from "./vector-block.ts";

/** NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays": magic, version, length of the header. */
const MAGIC = "\u0093NUMPY";
const FIXED_BYTES = 10;
/** What NumPy writes for such an array is under 128 bytes; a version 2 header may be longer but never needs to be here. */
const HEADER_BYTES_MAX = 65_535;
/** Room for any number of rows, so that the header can be written again once they were counted. */
const WRITTEN_HEADER_BYTES = 128;
const FLOAT_BYTES = 4;

interface Header {
  readonly dataOffset: number;
  readonly count: number;
  readonly dimensions: number;
}

/** Opens a C-ordered array of float32 with two dimensions. @throws {VectorFileError} for any other. */
export async function openNpy(path: string): Promise<VectorFile> {
  await using handle = await open(path);
  const { dataOffset, count, dimensions } = await readHeader(path, handle);
  const { size } = await handle.stat();
  const expectedBytes = dataOffset + count * dimensions * FLOAT_BYTES;
  if (size !== expectedBytes)
    throw new VectorFileError(
      `${path}: expected ${expectedBytes} bytes for ${count} × ${dimensions} float32, got ${size}`,
    );
  return {
    path,
    dimensions,
    count,
    blocks: (rowsMax) => npyBlocks(path, { dataOffset, count, dimensions }, rowsMax),
  };
}

async function* npyBlocks(path: string, header: Header, rowsMax: number): AsyncGenerator<VectorBlock> {
  const { dataOffset, count, dimensions } = header;
  await using handle = await open(path);
  for (let firstRow = 0; firstRow < count; firstRow += rowsMax) {
    const rows = Math.min(rowsMax, count - firstRow);
    const vectors = new Float32Array(rows * dimensions);
    await readFully(path, handle, {
      into: new Uint8Array(vectors.buffer),
      offset: dataOffset + firstRow * dimensions * FLOAT_BYTES,
    });
    yield { firstRow, rows, vectors, ids: null };
  }
}

/** Fills the bytes from the offset on; one read gives at most 2 GiB, so there may be several. */
export async function readFully(
  path: string,
  handle: FileHandle,
  { into, offset }: { readonly into: Uint8Array; readonly offset: number },
): Promise<void> {
  let filled = 0;
  while (filled < into.byteLength) {
    const { bytesRead } = await handle.read(into, filled, into.byteLength - filled, offset + filled);
    if (bytesRead === 0)
      throw new VectorFileError(
        `${path}: expected ${into.byteLength} bytes at ${offset}, got ${filled}: the file is cut off`,
      );
    filled += bytesRead;
  }
}

async function readHeader(path: string, handle: FileHandle): Promise<Header> {
  const fixed = Buffer.alloc(FIXED_BYTES);
  await readFully(path, handle, { into: fixed, offset: 0 });
  if (fixed.toString("latin1", 0, MAGIC.length) !== MAGIC)
    throw new VectorFileError(`${path}: expected the bytes "\\x93NUMPY" first, got others`);
  const major = fixed[6];
  if (major !== 1) throw new VectorFileError(`${path}: expected version 1 of the npy format, got ${major}`);
  const headerBytes = fixed.readUInt16LE(8);
  const text = Buffer.alloc(Math.min(headerBytes, HEADER_BYTES_MAX));
  await readFully(path, handle, { into: text, offset: FIXED_BYTES });
  return { ...parseHeader(path, text.toString("latin1")), dataOffset: FIXED_BYTES + headerBytes };
}

/** The header is a Python dictionary in NumPy's fixed spelling. */
function parseHeader(path: string, text: string): Omit<Header, "dataOffset"> {
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  if (descr !== "<f4")
    throw new VectorFileError(`${path}: expected little-endian float32 ('<f4'), got '${descr ?? text}'`);
  if (!/'fortran_order':\s*False/.test(text))
    throw new VectorFileError(`${path}: expected rows one after another (fortran_order False)`);
  const shape = /'shape':\s*\(([^)]*)\)/.exec(text)?.[1] ?? "";
  const sizes = shape
    .split(",")
    .map((size) => size.trim())
    .filter((size) => size !== "")
    .map(Number);
  const [count, dimensions] = sizes;
  if (sizes.length !== 2 || count === undefined || dimensions === undefined || !Number.isSafeInteger(count))
    throw new VectorFileError(`${path}: expected the shape (rows, dimensions), got (${shape})`);
  return { count, dimensions: checkedDimensions(path, dimensions) };
}

/** Writes rows as they come and returns how many there were; NumPy can read the file. */
export async function writeNpy(
  path: string,
  dimensions: number,
  blocks: Iterable<Float32Array<ArrayBuffer>> | AsyncIterable<Float32Array<ArrayBuffer>>,
): Promise<number> {
  await using handle = await open(path, "w");
  let offset = WRITTEN_HEADER_BYTES;
  for await (const block of blocks) {
    if (block.length % dimensions !== 0)
      throw new RangeError(`expected whole rows of ${dimensions}, got ${block.length} numbers`);
    const bytes = new Uint8Array(block.buffer, block.byteOffset, block.byteLength);
    for (let written = 0; written < bytes.byteLength;) {
      const { bytesWritten } = await handle.write(
        bytes,
        written,
        bytes.byteLength - written,
        offset + written,
      );
      written += bytesWritten;
    }
    offset += bytes.byteLength;
  }
  const count = (offset - WRITTEN_HEADER_BYTES) / (dimensions * FLOAT_BYTES);
  await handle.write(headerOf(count, dimensions), 0, WRITTEN_HEADER_BYTES, 0);
  return count;
}

function headerOf(count: number, dimensions: number): Buffer {
  const header = Buffer.alloc(WRITTEN_HEADER_BYTES, " ", "latin1");
  header.write(MAGIC, 0, "latin1");
  header.writeUInt8(1, 6);
  header.writeUInt8(0, 7);
  header.writeUInt16LE(WRITTEN_HEADER_BYTES - FIXED_BYTES, 8);
  header.write(
    `{'descr': '<f4', 'fortran_order': False, 'shape': (${count}, ${dimensions}), }`,
    FIXED_BYTES,
    "latin1",
  );
  header.write("\n", WRITTEN_HEADER_BYTES - 1, "latin1");
  return header;
}

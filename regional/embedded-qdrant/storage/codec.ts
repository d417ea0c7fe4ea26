/** Operations as bytes. */
import type { SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import type { Operation, StoredPoint } from "../operation.ts";

const JSON_BODY = 1;
/** Vectors as they are in memory: an eighth of their JSON text, nothing to parse at start. */
const POINTS_BODY = 2;
const NO_VECTOR = 0xffffffff;

export function encodeOperation(operation: Operation): Buffer {
  if (operation.kind !== "upsert")
    return Buffer.from(`${String.fromCharCode(JSON_BODY)}${JSON.stringify(operation)}`);
  const parts: Uint8Array[] = [Buffer.from([POINTS_BODY])];
  pushText(parts, operation.collection);
  parts.push(numberBytes(operation.points.length));
  for (const point of operation.points) pushPoint(parts, point);
  return Buffer.concat(parts);
}

/** @throws {RangeError} when the bytes were made by another version of this file. */
export function decodeOperation(body: Buffer): Operation {
  const kind = body[0];
  if (kind === JSON_BODY) {
    // Trusted: the checksum says that this process's own encoder wrote it.
    const operation: Operation = JSON.parse(body.toString("utf8", 1));
    return operation;
  }
  if (kind !== POINTS_BODY)
    throw new RangeError(`expected a record of kind ${JSON_BODY} or ${POINTS_BODY}, got ${String(kind)}`);
  const reader = new Reader(body, 1);
  const collection = reader.text();
  const count = reader.number();
  const points: StoredPoint[] = [];
  for (let index = 0; index < count; index += 1) points.push(reader.point());
  return { kind: "upsert", collection, points };
}

function pushPoint(parts: Uint8Array[], { id, payload, dense, sparse }: StoredPoint): void {
  pushText(parts, id);
  pushText(parts, JSON.stringify(payload));
  parts.push(numberBytes(dense === null ? NO_VECTOR : dense.length));
  if (dense !== null) parts.push(bytesOf(dense));
  parts.push(numberBytes(sparse === null ? NO_VECTOR : sparse.indices.length));
  if (sparse !== null) parts.push(bytesOf(sparse.indices), bytesOf(sparse.values));
}

function pushText(parts: Uint8Array[], text: string): void {
  const bytes = Buffer.from(text);
  parts.push(numberBytes(bytes.length), bytes);
}

function numberBytes(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function bytesOf(values: Float32Array | Uint32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

class Reader {
  readonly #body: Buffer;
  #at: number;

  constructor(body: Buffer, at: number) {
    this.#body = body;
    this.#at = at;
  }

  number(): number {
    const value = this.#body.readUInt32LE(this.#at);
    this.#at += 4;
    return value;
  }

  text(): string {
    const bytes = this.number();
    this.#at += bytes;
    return this.#body.toString("utf8", this.#at - bytes, this.#at);
  }

  point(): StoredPoint {
    const id = this.text();
    const payload: StoredPoint["payload"] = JSON.parse(this.text());
    const size = this.number();
    const dense = size === NO_VECTOR ? null : new Float32Array(this.#copy(size));
    return { id, payload, dense, sparse: this.#sparse() };
  }

  #sparse(): SparseVector | null {
    const terms = this.number();
    if (terms === NO_VECTOR) return null;
    return { indices: new Uint32Array(this.#copy(terms)), values: new Float32Array(this.#copy(terms)) };
  }

  /** A copy, since bytes in the middle of a file are not aligned. */
  #copy(numbers: number): ArrayBuffer {
    const copy = new ArrayBuffer(numbers * 4);
    new Uint8Array(copy).set(this.#body.subarray(this.#at, this.#at + numbers * 4));
    this.#at += numbers * 4;
    return copy;
  }
}

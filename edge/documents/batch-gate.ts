/** The check of a batch's lines on their way through a zone that may not carry every class. */
import { DOCUMENT_LIMITS, type BatchResult } from "@kattegat/protocol/documents.ts";
import { joined } from "../http/body.ts";

/** One after the other, a request's lines with their results. */
export interface BatchGate {
  /** Lets lines through, but for those that are refused: an empty object stands for each, so that results keep their numbers. */
  readonly lines: TransformStream<Uint8Array, Uint8Array>;
  /** Puts the refusal where the empty object's result comes back. */
  readonly results: TransformStream<Uint8Array, Uint8Array>;
}

export interface BatchGateOptions {
  readonly mayPass: (residency: string) => boolean;
  readonly refusal: (residency: string) => string;
}

const NEWLINE = 0x0a;
const EMPTY = new TextEncoder().encode("{}\n");
/** A result is an id with a few numbers and messages. */
const RESULT_BYTES_MAX = 1_024 * 1_024;

interface Refused {
  readonly id: string | null;
  /** Null for a line that was too long to be read. */
  readonly residency: string | null;
}

const TOO_LONG: Refused = { id: null, residency: null };

export function createBatchGate({ mayPass, refusal }: BatchGateOptions): BatchGate {
  const refused = new Map<number, Refused>();
  let sent = 0;
  const lines = lineStream(DOCUMENT_LIMITS.batchLineBytesMax, (line) => {
    sent += 1;
    // Too long to look into, so nothing of it goes on.
    const found = line === null ? TOO_LONG : labelOf(line);
    if (line !== null && (found === null || found.residency === null || mayPass(found.residency)))
      return line;
    refused.set(sent, found ?? TOO_LONG);
    return EMPTY;
  });
  const results = lineStream(RESULT_BYTES_MAX, (line) => {
    if (line === null) return EMPTY;
    const number = numberOf(line);
    const known = number === null ? undefined : refused.get(number);
    if (number === null || known === undefined) return line;
    refused.delete(number);
    const result: BatchResult =
      known.residency === null
        ? {
            line: number,
            id: null,
            status: 413,
            error: {
              code: "too_large",
              detail: `Expected a line of at most ${DOCUMENT_LIMITS.batchLineBytesMax} bytes.`,
            },
          }
        : {
            line: number,
            id: known.id,
            status: 403,
            error: { code: "residency_refused", detail: refusal(known.residency) },
          };
    return new TextEncoder().encode(`${JSON.stringify(result)}\n`);
  });
  return { lines, results };
}

function labelOf(line: Uint8Array): Refused | null {
  const value = parsed(line);
  if (
    typeof value !== "object" ||
    value === null ||
    !("residency" in value) ||
    typeof value.residency !== "string"
  )
    return null;
  return { residency: value.residency, id: "id" in value && typeof value.id === "string" ? value.id : null };
}

function numberOf(line: Uint8Array): number | null {
  const value = parsed(line);
  return typeof value === "object" && value !== null && "line" in value && typeof value.line === "number"
    ? value.line
    : null;
}

function parsed(line: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(line));
    return value;
  } catch {
    return null;
  }
}

/** Passes each line, its newline included, through `map`; a line longer than the bound comes as null. */
function lineStream(
  bytesMax: number,
  map: (line: Uint8Array | null) => Uint8Array,
): TransformStream<Uint8Array, Uint8Array> {
  let parts: Uint8Array[] = [];
  let length = 0;
  const take = (): Uint8Array => {
    const line = map(length > bytesMax ? null : joined(parts, length));
    parts = [];
    length = 0;
    return line;
  };
  const add = (part: Uint8Array): void => {
    length += part.byteLength;
    if (length > bytesMax) parts = [];
    else if (part.byteLength > 0) parts.push(part);
  };
  return new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        add(chunk.subarray(start, end + 1));
        controller.enqueue(take());
        start = end + 1;
      }
      add(chunk.slice(start));
    },
    flush(controller) {
      if (length > 0) controller.enqueue(take());
    },
  });
}

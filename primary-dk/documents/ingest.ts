/** Takes documents as lines, answers each with a line. */
import { batchLineSchema, DOCUMENT_LIMITS, type BatchResult } from "@kattegat/protocol/documents.ts";
import { ERROR_KINDS, KattegatError } from "@kattegat/protocol/errors.ts";
import type { Primary } from "../primary.ts";
import { parseBytes } from "./body.ts";
import { contentOf } from "./content.ts";
import { putDocument } from "./documents.ts";
import { linesOf, type BodyLine } from "./lines.ts";
import { NO_PRECONDITION } from "./precondition.ts";

/** Three groups of the writer: one in Postgres, one in the making, one to follow. */
const LINES_IN_FLIGHT_MAX = 3_072;
/** Larger documents fill their groups with fewer lines. */
const BYTES_IN_FLIGHT_MAX = 24 * 1_024 * 1_024;
/** Parsing of small lines is interrupted so often, for searches. */
const LINES_PER_PAUSE = 32;

export interface IngestRequest {
  readonly body: AsyncIterable<Uint8Array>;
  readonly zone: string;
  readonly report: (error: unknown) => void;
  readonly written: (outcome: string) => void;
}

interface InFlight {
  readonly result: Promise<BatchResult>;
  readonly bytes: number;
}

/**
 * Yields one result line for each line, in order, after its commit.
 *
 * Reads ahead while there is room in flight; a reader that stops reading stops the sender. A bad line fails alone.
 */
export async function* ingest(primary: Primary, request: IngestRequest): AsyncGenerator<string> {
  const lines = linesOf(request.body, { lineBytesMax: DOCUMENT_LIMITS.batchLineBytesMax });
  const inFlight: InFlight[] = [];
  let bytes = 0;
  let read = 0;
  // A sender that breaks off while a result is being read is heard of at the next turn.
  const nextLine = (): Promise<IteratorResult<BodyLine>> => {
    const line = lines.next();
    line.catch(() => {});
    return line;
  };
  let coming: Promise<IteratorResult<BodyLine>> | null = nextLine();
  while (coming !== null || inFlight.length > 0) {
    const isFull = inFlight.length >= LINES_IN_FLIGHT_MAX || bytes > BYTES_IN_FLIGHT_MAX;
    const first = inFlight[0];
    const event: BatchResult | IteratorResult<BodyLine> | undefined = await Promise.race([
      ...(first === undefined ? [] : [first.result]),
      ...(coming === null || isFull ? [] : [coming]),
    ]);
    if (event === undefined) return;
    if ("status" in event) {
      inFlight.shift();
      bytes -= first?.bytes ?? 0;
      yield `${JSON.stringify(event)}\n`;
      continue;
    }
    if (event.done === true) {
      coming = null;
      continue;
    }
    const size = event.value.bytes?.length ?? 0;
    inFlight.push({ result: writeLine(primary, event.value, request), bytes: size });
    bytes += size;
    read += 1;
    if (read % LINES_PER_PAUSE === 0) await primary.pause();
    coming = nextLine();
  }
}

async function writeLine(primary: Primary, line: BodyLine, request: IngestRequest): Promise<BatchResult> {
  let id: string | null = null;
  try {
    if (line.bytes === null)
      throw new KattegatError(
        "too_large",
        `Expected a line of at most ${DOCUMENT_LIMITS.batchLineBytesMax} bytes.`,
      );
    const { id: given, ...input } = parseBytes(batchLineSchema, line.bytes);
    id = given;
    const content = contentOf(given, input, { ...primary, zone: request.zone });
    const { status, result } = await putDocument(primary, {
      content,
      zone: request.zone,
      precondition: NO_PRECONDITION,
    });
    request.written("done");
    return { line: line.number, id, status, sequence: result.sequence };
  } catch (error) {
    if (!(error instanceof KattegatError)) request.report(error);
    const known =
      error instanceof KattegatError
        ? error
        : new KattegatError("internal", "The line failed inside Kattegat.");
    request.written(known.code);
    const errors = known.errors.length > 0 ? { errors: [...known.errors] } : {};
    return {
      line: line.number,
      id,
      status: ERROR_KINDS[known.code].status,
      error: { code: known.code, detail: known.message, ...errors },
    };
  }
}

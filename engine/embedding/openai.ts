import type { Embedder } from "./embedder.ts";

/** Why an embedding endpoint gave no vectors; stable, for codes and metrics. */
export type EmbeddingFault =
  | "unreachable"
  | "timeout"
  | "rate_limited"
  | "refused"
  | "failed"
  | "malformed"
  | "dimensions"
  | "not_finite"
  | "zero";

/** Thrown when the endpoint gave no usable vectors. The message never holds a text that was to be embedded. */
export class EmbeddingError extends Error {
  readonly reason: EmbeddingFault;
  /** True when the same request may succeed later. */
  readonly retryable: boolean;
  readonly status: number | null;
  constructor(
    reason: EmbeddingFault,
    message: string,
    { status = null, cause }: { readonly status?: number | null; readonly cause?: unknown } = {},
  ) {
    super(`embedding: ${message}`, { cause });
    this.name = "EmbeddingError";
    this.reason = reason;
    this.retryable =
      reason === "unreachable" || reason === "timeout" || reason === "rate_limited" || reason === "failed";
    this.status = status;
  }
}

/** As much of `fetch` as is used. */
export type EmbeddingFetch = (
  url: string,
  init: {
    readonly method: "POST";
    readonly headers: Record<string, string>;
    readonly body: string;
    readonly signal: AbortSignal;
    readonly redirect: "manual";
  },
) => Promise<{
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}>;

export interface OpenAiEmbedderOptions {
  /** Where `/embeddings` is appended: `http://127.0.0.1:11434/v1` for Ollama. */
  readonly url: string;
  readonly model: string;
  readonly dimensions: number;
  readonly fetch: EmbeddingFetch;
  readonly apiKey?: string;
  readonly timeoutMs?: number;
}

/** Text Embeddings Inference takes 32 texts by default; larger batches are refused there. */
const BATCH_TEXTS_MAX = 32;
/** A batch of long passages stays below common body limits of 256 KiB, even with three bytes to a character. */
const BATCH_UNITS_MAX = 60_000;
/** A number takes 25 characters at most in JSON; the rest is room for names, usage, white space. */
const NUMBER_UNITS_MAX = 32;
const ANSWER_UNITS_SPARE = 65_536;
/** A local model on two cores embeds 32 passages within seconds; a write waits no longer. */
const TIMEOUT_MS_DEFAULT = 15_000;

/**
 * Makes an embedder over an OpenAI-compatible endpoint: Ollama, Text Embeddings Inference, Azure, OpenAI.
 *
 * Batches go one after another: one caller never floods a model. Retrying is the caller's choice, by `retryable`.
 */
export function createOpenAiEmbedder(options: OpenAiEmbedderOptions): Embedder {
  return {
    model: options.model,
    dimensions: options.dimensions,
    embed: async (texts) => {
      const vectors: Float32Array[] = [];
      for (const batch of batchesOf(texts)) vectors.push(...(await embedBatch(batch, options)));
      return vectors;
    },
  };
}

function batchesOf(texts: readonly string[]): string[][] {
  const batches: string[][] = [];
  let batch: string[] = [];
  let units = 0;
  for (const text of texts) {
    if (batch.length === BATCH_TEXTS_MAX || (batch.length > 0 && units + text.length > BATCH_UNITS_MAX)) {
      batches.push(batch);
      batch = [];
      units = 0;
    }
    batch.push(text);
    units += text.length;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

async function embedBatch(batch: readonly string[], options: OpenAiEmbedderOptions): Promise<Float32Array[]> {
  const text = await post(batch, options);
  const unitsMax = ANSWER_UNITS_SPARE + batch.length * options.dimensions * NUMBER_UNITS_MAX;
  if (text.length > unitsMax)
    throw new EmbeddingError(
      "malformed",
      `expected an answer of at most ${unitsMax} characters, got ${text.length}`,
    );
  const rows = rowsOf(text, batch.length);
  return rows.map((row, index) => unitVector(row, index, options.dimensions));
}

async function post(
  batch: readonly string[],
  { url, model, fetch, apiKey, timeoutMs = TIMEOUT_MS_DEFAULT }: OpenAiEmbedderOptions,
): Promise<string> {
  const headers: Record<string, string> = { "content-type": "application/json", accept: "application/json" };
  if (apiKey !== undefined) headers["authorization"] = `Bearer ${apiKey}`;
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(`${url.replace(/\/+$/, "")}/embeddings`, {
      method: "POST",
      headers,
      body: JSON.stringify({ model, input: batch, encoding_format: "float" }),
      signal,
      // A text goes to no host but the configured one; workerd knows no "error" here, so a redirect comes back as a refusal.
      redirect: "manual",
    });
    const text = await response.text();
    if (!response.ok) throw refusal(response.status);
    return text;
  } catch (error) {
    if (error instanceof EmbeddingError) throw error;
    if (signal.aborted)
      throw new EmbeddingError("timeout", `expected an answer within ${timeoutMs} ms, got none`, {
        cause: error,
      });
    throw new EmbeddingError("unreachable", "expected an answer, the connection failed", { cause: error });
  }
}

function refusal(status: number): EmbeddingError {
  const reason = status === 429 ? "rate_limited" : status >= 500 ? "failed" : "refused";
  return new EmbeddingError(reason, `expected status 200, got ${status}`, { status });
}

/** Returns the vectors in the order of the request, whatever the order of the answer. */
function rowsOf(text: string, count: number): unknown[][] {
  const answer = parse(text);
  const data: unknown = isRecord(answer) ? answer["data"] : undefined;
  if (!Array.isArray(data) || data.length !== count) {
    throw new EmbeddingError(
      "malformed",
      `expected data with ${count} rows, got ${Array.isArray(data) ? `${data.length}` : "none"}`,
    );
  }
  const rows = new Array<unknown[] | undefined>(count);
  for (const [position, item] of data.entries()) {
    const row: unknown = isRecord(item) ? item["embedding"] : undefined;
    const index: unknown = isRecord(item) ? (item["index"] ?? position) : position;
    if (!Array.isArray(row))
      throw new EmbeddingError("malformed", `expected data[${position}].embedding to be numbers`);
    if (
      typeof index !== "number" ||
      !(index in rows || (Number.isInteger(index) && index >= 0 && index < count)) ||
      rows[index] !== undefined
    ) {
      throw new EmbeddingError(
        "malformed",
        `expected data[${position}].index to be one of 0 to ${count - 1}, each once`,
      );
    }
    rows[index] = row;
  }
  return rows.map((row) => row ?? []);
}

function unitVector(row: readonly unknown[], index: number, dimensions: number): Float32Array {
  if (row.length !== dimensions)
    throw new EmbeddingError(
      "dimensions",
      `expected ${dimensions} numbers for text ${index}, got ${row.length}: the network file names another model`,
    );
  const numbers = new Float64Array(dimensions);
  let squares = 0;
  for (const [i, value] of row.entries()) {
    if (typeof value !== "number" || !Number.isFinite(value))
      throw new EmbeddingError("not_finite", `expected a finite number at ${i} of text ${index}`);
    numbers[i] = value;
    squares += value * value;
  }
  if (!Number.isFinite(squares))
    throw new EmbeddingError("not_finite", `expected numbers whose squares add up, text ${index}`);
  if (squares === 0)
    throw new EmbeddingError("zero", `expected a vector with a direction for text ${index}, got zeros`);
  const scale = 1 / Math.sqrt(squares);
  return Float32Array.from(numbers, (value) => value * scale);
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (error) {
    throw new EmbeddingError("malformed", "expected JSON", { cause: error });
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

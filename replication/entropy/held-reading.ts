/** What a site reads from its store in as many answers as it needs. */
import { keyOf } from "@kattegat/engine/digests/copy-digest.ts";
import {
  copiesResponseSchema,
  encodeKey,
  SCRUB_ROWS_MAX,
  scrubResponseSchema,
  type CopiesResponse,
  type FoundCopy,
  type ScrubPlace,
} from "@kattegat/protocol/digests.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { compareFences } from "@kattegat/protocol/sequence.ts";
import type { Ask } from "./source.ts";

/** A copy of 20,000 passages at an edge takes eighty answers, 256 of ten passages a dozen. */
const ANSWERS_MAX = 128;
/** An edge reads a fourth of a round's rows for an answer, less where an object ends. */
const SCRUB_ANSWERS_MAX = 16;
/** A place whose rows could not be read so often is left, or everything behind it would never be read. */
const TRIES_MAX = 3;
/** After each failure: a thousand rows, then sixty, then four. */
const FEWER_ROWS = 16;

export interface AskedCopies {
  readonly model: string;
  readonly keys: readonly string[];
  readonly documents: readonly string[];
}

/** @throws {KattegatError} `internal` for a site that asks to be asked again without having read anything. */
export async function readCopies(
  ask: Ask,
  { model, keys, documents }: AskedCopies,
  signal: AbortSignal,
): Promise<Pick<CopiesResponse, "position" | "copies">> {
  const copies: FoundCopy[] = [];
  const keyOfId = new Map(documents.map((id) => [id, encodeKey(keyOf(id))]));
  let left: ReadonlySet<string> = new Set([...keys, ...keyOfId.values()]);
  let position: CopiesResponse["position"] | null = null;
  let from: CopiesResponse["next"] = null;
  for (let answers = 0; left.size > 0 || position === null; answers += 1) {
    const body = {
      model,
      keys: keys.filter((key) => left.has(key)),
      documents: documents.filter((id) => left.has(keyOfId.get(id) ?? "")),
      ...(from === null ? {} : { from }),
    };
    const answer: CopiesResponse = await ask("/internal/digests/copies", body, {
      schema: copiesResponseSchema,
      signal,
    });
    copies.push(...answer.copies);
    // Whatever was read later is at least so new.
    if (position === null || compareFences(answer.position, position) < 0) position = answer.position;
    const isStuck = answer.left.length >= left.size && answer.next === null;
    if (isStuck && answer.left.length > 0)
      throw new KattegatError("internal", "Expected an answer that tells of a copy; every one was left out.");
    if (answers >= ANSWERS_MAX)
      throw new KattegatError("internal", `Expected the copies in ${ANSWERS_MAX} answers at most.`);
    left = new Set(answer.left);
    from = answer.next;
  }
  return { position, copies };
}

/** A reading of everything that a site's store has, a round's rows at a time, over and over. */
export class Scrubbing {
  readonly #ask: Ask;
  readonly #model: string;
  #from: ScrubPlace | null = null;
  #tries = 0;
  /** Places that were left since something could be read. */
  #leaps = 0;

  constructor(ask: Ask, model: string) {
    this.#ask = ask;
    this.#model = model;
  }

  /** Resolves with documents whose copies look damaged. */
  async read(signal: AbortSignal): Promise<readonly string[]> {
    const suspects: string[] = [];
    let left = SCRUB_ROWS_MAX;
    for (let answers = 0; answers < SCRUB_ANSWERS_MAX && left > 0; answers += 1) {
      const rows = Math.max(1, Math.floor(left / FEWER_ROWS ** this.#tries));
      const body = { model: this.#model, from: this.#from, rows };
      const answer = await this.#ask("/internal/digests/scrub", body, {
        schema: scrubResponseSchema,
        signal,
      }).catch((error: unknown) => {
        if (!signal.aborted) this.#failed(rows);
        // What was read before is told; the next round fails at the same place, or goes on.
        if (suspects.length > 0) return null;
        throw error;
      });
      if (answer === null) break;
      this.#tries = 0;
      this.#leaps = 0;
      suspects.push(...answer.suspects);
      this.#from = answer.next;
      left -= answer.rows;
      if (answer.next === null) break;
    }
    return suspects;
  }

  /** Fewer rows may be what can be read; the few that cannot hide nothing behind them, and where many cannot, leaps grow. */
  #failed(rows: number): void {
    this.#tries += 1;
    if (this.#tries < TRIES_MAX || this.#from === null) return;
    this.#tries = 0;
    this.#from = { ...this.#from, row: this.#from.row + Math.min(SCRUB_ROWS_MAX, rows * 4 ** this.#leaps) };
    this.#leaps += 1;
  }
}

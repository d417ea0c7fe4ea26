/** Writes changes and remembers what was promised of each document. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { seededRandom } from "@kattegat/engine/seeded-random.ts";
import { batchResultSchema } from "@kattegat/protocol/documents.ts";
import { compareSequences } from "@kattegat/protocol/sequence.ts";
import { send } from "./client.ts";
import type { BenchNetwork } from "./network.ts";

const CLASSES = ["dk-only", "eu", "global"] as const;
const TIERS = ["hot", "warm", "cold"] as const;
/** A process that was killed is back within seconds. */
const ANSWERED_MS_MAX = 120_000;
const RETRY_MS = 100;

export interface Promised {
  /** Of its last change; no two changes have the same. */
  readonly text: string;
  readonly isDeleted: boolean;
}

export interface ChangeOptions {
  readonly network: BenchNetwork;
  /** Of this writer alone, so that the order of its changes is the order of the document's. */
  readonly ids: readonly string[];
  readonly random: () => number;
  /** All documents in one class or tier, for a run that asks what a tier can take. */
  readonly residency?: string;
  readonly tier?: string;
  /** Documents keep their class and tier from one change to the next; otherwise each change draws both anew. */
  readonly inPlace?: boolean;
}

export class ChangeWriter {
  readonly promised = new Map<string, Promised>();
  /** Highest sequence that was acknowledged. */
  sequence = "0";
  changes = 0;
  /** Requests that were repeated because no answer, or a refusal for a moment, came. */
  repeated = 0;
  readonly #options: ChangeOptions;
  /** In every text: one that another writer has written already would change nothing. */
  readonly #name = randomUUID();
  #number = 0;

  constructor(options: ChangeOptions) {
    this.#options = options;
  }

  /** Resolves when every line is acknowledged; what is not is sent again, alone. */
  async put(lines: number): Promise<void> {
    let left = new Map(this.#choose(lines).map((id) => [id, this.#document(id)]));
    const until = performance.now() + ANSWERED_MS_MAX;
    while (left.size > 0) {
      const done = await this.#send(left).catch((): readonly string[] => []);
      left = new Map([...left].filter(([id]) => !done.includes(id)));
      if (left.size === 0) break;
      if (performance.now() > until) throw new Error(`${left.size} lines were not acknowledged`);
      this.repeated += 1;
      await sleep(RETRY_MS);
    }
  }

  /** Deletes one of the documents that are there. */
  async delete(): Promise<void> {
    const there = [...this.promised].filter(([, { isDeleted }]) => !isDeleted);
    const [id, before] = there[Math.floor(this.#options.random() * there.length)] ?? [];
    if (id === undefined || before === undefined) return;
    const until = performance.now() + ANSWERED_MS_MAX;
    for (;;) {
      const status = await this.#delete(id).catch(() => 0);
      // A deletion whose answer was lost may have been carried out.
      if (status === 202 || status === 404) break;
      if (performance.now() > until) throw new Error(`the deletion of ${id} was not acknowledged`);
      this.repeated += 1;
      await sleep(RETRY_MS);
    }
    this.promised.set(id, { ...before, isDeleted: true });
    this.changes += 1;
  }

  async #delete(id: string): Promise<number> {
    const answer = await send(this.#options.network, `/v1/documents/${id}`, { method: "DELETE" });
    await answer.arrayBuffer();
    return answer.status;
  }

  #choose(count: number): readonly string[] {
    const { ids, random } = this.#options;
    const from = Math.floor(random() * ids.length);
    return Array.from(
      { length: Math.min(count, ids.length) },
      (_, at) => ids[(from + at) % ids.length] ?? "",
    );
  }

  #document(id: string): { readonly text: string; readonly line: string } {
    const { random, inPlace = false } = this.#options;
    this.#number += 1;
    const own = inPlace ? seededRandom(Number(id.replaceAll(/\D/g, ""))) : random;
    const any = (names: readonly string[]): string => names[Math.floor(own() * names.length)] ?? "";
    const { residency = any(CLASSES), tier = any(TIERS) } = this.#options;
    const text = `Ændring ${this.#name}-${this.#number} af ${id}: klage over afgørelse om havn, fiskeri og bygning.`;
    return { text, line: JSON.stringify({ id, title: `Sag ${id}`, text, residency, tier }) };
  }

  /** Resolves with the ids that were acknowledged. */
  async #send(
    lines: ReadonlyMap<string, { readonly text: string; readonly line: string }>,
  ): Promise<readonly string[]> {
    const body = [...lines.values()].map(({ line }) => `${line}\n`).join("");
    const type = "application/x-ndjson";
    const answer = await send(this.#options.network, "/v1/documents:batch", { method: "POST", body, type });
    const text = await answer.text();
    if (!answer.ok) return [];
    const done: string[] = [];
    for (const result of text.split("\n").filter((line) => line !== "")) {
      const { id, status, sequence } = batchResultSchema.parse(JSON.parse(result));
      if (status >= 400 && status < 500 && status !== 409)
        throw new Error(`a document was refused: ${result}`);
      const text = id === null ? undefined : lines.get(id)?.text;
      if (id === null || sequence === undefined || text === undefined || status >= 300) continue;
      this.promised.set(id, { text, isDeleted: false });
      if (compareSequences(sequence, this.sequence) > 0) this.sequence = sequence;
      this.changes += 1;
      done.push(id);
    }
    return done;
  }
}

/** Writers that share out so many documents. */
export function changeWriters(
  network: BenchNetwork,
  {
    writers,
    documents,
    seed,
    ...kept
  }: {
    readonly writers: number;
    readonly documents: number;
    readonly seed: number;
  } & Pick<ChangeOptions, "residency" | "tier" | "inPlace">,
): readonly ChangeWriter[] {
  return Array.from({ length: writers }, (_, number) => {
    const ids = Array.from({ length: documents / writers }, (__, at) => `sag-${number}-${at}`);
    return new ChangeWriter({ network, ids, random: seededRandom(seed + number), ...kept });
  });
}

/** Changes that all of them have had acknowledged. */
export function changesOf(writers: readonly ChangeWriter[]): number {
  return writers.reduce((sum, { changes }) => sum + changes, 0);
}

/** Resolves with how long each batch took; one that is late is followed by the next at once. */
export async function writeSteadily(
  writer: ChangeWriter,
  { batch, everyMs, endsAt }: { readonly batch: number; readonly everyMs: number; readonly endsAt: number },
): Promise<readonly number[]> {
  const times: number[] = [];
  for (let dueAt = performance.now(); dueAt < endsAt; dueAt += everyMs) {
    await sleep(Math.max(0, dueAt - performance.now()));
    const started = performance.now();
    await writer.put(batch);
    times.push(performance.now() - started);
  }
  return times;
}

/** The wait until the local network answers in full. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Client } from "../client/client.ts";

/** A start in which nothing moves for so long has failed; one that gets on may take longer, as copies do that are a corpus behind. */
export const STANDSTILL_MS_MAX = 120_000;
/** A site that has just come up opens its segments at the first search; on a slow disk that takes seconds. */
export const ANSWER_MS_MAX = 60_000;
const POLL_MS = 100;
/** So often a wait says what it waits for. */
const TELL_MS = 10_000;
/** A process that is stopped takes the connection and never answers. */
const QUESTION_MS_MAX = 5_000;
/** A reason is a sentence; a proxy's page is not. */
const REASON_CHARACTERS_MAX = 300;
/** The longest wait that a search may ask for. */
const SEARCH_TIMEOUT_MS = 10_000;

export interface Asked {
  readonly name: string;
  /** Base addresses whose `/readyz` are asked. */
  readonly readiness: readonly string[];
}

export interface WaitOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/**
 * Resolves when every `/readyz` has said yes.
 *
 * @param options.tell - hears now and then whom the wait is for, and why.
 * @throws {Error} when no process got on for the time, naming each that is not ready, with its reason.
 */
export async function untilReady(
  processes: readonly Asked[],
  { signal, timeoutMs, tell }: WaitOptions & { readonly tell: (name: string, reason: string) => void },
): Promise<void> {
  let movedMs = performance.now();
  let toldMs = movedMs;
  let open = processes.flatMap(({ name, readiness }) =>
    readiness.map((url) => ({ name, url, reason: "it does not answer" })),
  );
  for (;;) {
    signal.throwIfAborted();
    const asked = await Promise.all(
      open.map(async (one) => ({ ...one, reason: await unreadiness(one.url, signal) })),
    );
    const before = JSON.stringify(open.map(stateOf));
    open = asked.flatMap(({ reason, ...one }) => (reason === null ? [] : [{ ...one, reason }]));
    if (open.length === 0) return;
    const nowMs = performance.now();
    if (JSON.stringify(open.map(stateOf)) !== before) movedMs = nowMs;
    if (nowMs - movedMs >= timeoutMs) break;
    if (nowMs - toldMs >= TELL_MS) {
      toldMs = nowMs;
      for (const { name, reason } of open) tell(name, reason);
    }
    await sleep(POLL_MS);
  }
  const reasons = open.map(({ name, url, reason }) => `\n  ${name} (${url}): ${reason}`);
  throw new Error(
    `The network is not ready; nothing moved for ${Math.round(timeoutMs / 1_000)} s:${reasons.join("")}`,
  );
}

/** What changes when a process gets on: time passes by itself. */
function stateOf({ url, reason }: { readonly url: string; readonly reason: string }): string {
  return `${url} ${reason.replaceAll(/\d+ ms/g, "")}`;
}

/**
 * Resolves when a search at each edge was answered by every site that it asked.
 *
 * @throws {Error} after the time, naming each site that did not answer.
 */
export async function untilAnswering(
  clients: readonly Pick<Client, "url" | "search">[],
  { signal, timeoutMs }: WaitOptions,
): Promise<void> {
  const untilMs = performance.now() + timeoutMs;
  for (const client of clients) {
    for (;;) {
      signal.throwIfAborted();
      const missing = await missingAt(client);
      if (missing === null) break;
      if (performance.now() >= untilMs)
        throw new Error(
          `A search at ${client.url} is not answered in full after ${Math.round(timeoutMs / 1_000)} s: ${missing}`,
        );
      await sleep(POLL_MS);
    }
  }
}

/** Null when the site says that it is ready. */
async function unreadiness(url: string, signal: AbortSignal): Promise<string | null> {
  try {
    const bound = AbortSignal.any([signal, AbortSignal.timeout(QUESTION_MS_MAX)]);
    const answer = await fetch(`${url}/readyz`, { signal: bound });
    const text = await answer.text();
    return answer.ok ? null : reasonIn(text).slice(0, REASON_CHARACTERS_MAX);
  } catch (cause) {
    return cause instanceof Error ? reasonOf(cause) : "no answer";
  }
}

/** Sites say `reason`, replication says `reasons`, an edge answers with a problem. */
const refusalSchema = z.union([
  z.object({ reason: z.string() }).transform(({ reason }) => reason),
  z.object({ reasons: z.array(z.string()) }).transform(({ reasons }) => reasons.join("; ")),
  z.object({ detail: z.string() }).transform(({ detail }) => detail),
]);

function reasonIn(text: string): string {
  try {
    const refusal = refusalSchema.safeParse(JSON.parse(text));
    return refusal.success ? refusal.data : text;
  } catch {
    return text;
  }
}

function reasonOf(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** Null when nothing is missing in the answer. */
async function missingAt(client: Pick<Client, "search">): Promise<string | null> {
  try {
    const { partial, tiers, sequence } = await client.search({
      query: "ret",
      limit: 1,
      timeout_ms: SEARCH_TIMEOUT_MS,
    });
    if (!partial) return null;
    // Before the first write no cold generation exists, and none is missing.
    const isEmpty = sequence === "0";
    const silent = tiers.filter(
      ({ tier, status }) =>
        !["ok", "not_asked", "not_permitted"].includes(status) && !(isEmpty && tier === "cold"),
    );
    if (isEmpty && silent.length === 0) return null;
    // Every site answered, but not by all that was asked for: the reports say why.
    if (silent.length === 0) return tiers.find(({ reason }) => reason !== undefined)?.reason ?? "partial";
    return silent.map(({ tier, site, status }) => `${tier} at ${site}: ${status}`).join(", ");
  } catch (cause) {
    return cause instanceof Error ? cause.message : "no answer";
  }
}

import { keyOf } from "@kattegat/engine/digests/copy-digest.ts";
import { encodeKey, type Comparison } from "@kattegat/protocol/digests.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { expect, it } from "vitest";
import { never } from "../edge-target.fixture.ts";
import { silent } from "../running.fixture.ts";
import type { StreamStatus } from "../stream-status.ts";
import { createKeeper, type ComparedSite } from "./keeper.ts";
import { Side } from "./side.fixture.ts";

const SITE = "eu-fra";
const ROUND_MS = 10_000;

const standing: StreamStatus = {
  site: SITE,
  model: "m",
  is_next: false,
  state: "waiting",
  answers: true,
  watermark: { epoch: 1, sequence: "0" },
  removed: null,
  lag_changes: 0,
  lag_ms: 0,
  applied: 0,
  retries: 0,
  parked: 0,
  parked_newest: [],
  wrong_refusals: 0,
  code: null,
  detail: null,
};

/** A site whose store may not give some copies; its repairs are carried out at once. */
function comparing(options: { readonly documents: number; readonly repairsPerMinute?: number }) {
  const log = new Side();
  const site = new Side();
  for (let number = 1; number <= options.documents; number += 1) log.put(`d${number}`, number);
  log.sequence = options.documents;
  site.sequence = options.documents;
  const state: {
    unreadable: Set<string>;
    suspects: readonly string[];
    scrubFails: boolean;
    repairsFail: boolean;
    parked: readonly string[];
    now: number;
  } = {
    unreadable: new Set(),
    suspects: [],
    scrubFails: false,
    repairsFail: false,
    parked: [],
    now: 1_000_000,
  };
  const repaired: string[] = [];
  const reported: Comparison[] = [];
  const told = <T>(answer: T): Promise<T> => Promise.resolve(answer);
  const stream = (): StreamStatus => ({
    ...standing,
    watermark: site.position,
    parked: state.parked.length,
    parked_newest: state.parked.map((sequence) => ({
      epoch: 1,
      sequence,
      code: "bad_vector",
      detail: "",
      at: "",
    })),
  });
  const keeper = createKeeper({
    sites: [
      {
        planned: {
          ranges: (asked) => log.ranges(asked),
          lines: (asked) => log.lines(asked),
          copies: (keys) => told(log.planned(keys)),
          names: (keys) => told(log.named(keys)),
          lastChanges: (ids) =>
            told(
              ids.map((id) => ({
                document_id: id,
                epoch: 1,
                sequence: String(log.copies.get(id)?.sequence ?? 0),
              })),
            ),
        },
        held: {
          site: SITE,
          ranges: (asked) => site.ranges(asked),
          lines: (asked) => site.lines(asked),
          scrub() {
            const { suspects } = state;
            if (state.scrubFails) return Promise.reject(new KattegatError("unavailable", "a place is lost"));
            state.suspects = [];
            return told(suspects);
          },
          copies(asked) {
            const isLost = [...state.unreadable].some((id) => asked.keys.includes(encodeKey(keyOf(id))));
            if (isLost) return Promise.reject(new KattegatError("unavailable", "a page cannot be read"));
            return told(site.found(asked));
          },
        },
        mayHold: () => true,
        bytes: () => 0,
        scrubbedBytes: () => 0,
      },
    ],
    repairer: {
      repair({ faults }) {
        if (state.repairsFail) return Promise.reject(new KattegatError("unavailable", "the primary starts"));
        const written = faults.map(({ document_id: id }) => {
          repaired.push(id);
          const copy = log.copies.get(id);
          if (copy !== undefined) site.copies.set(id, copy);
          return { document_id: id, sequence: String(copy?.sequence ?? 0) };
        });
        return told({ repairs: written, failed: [] });
      },
      report(_, comparison) {
        reported.push(comparison);
        return Promise.resolve();
      },
    },
    pace: { everyMs: ROUND_MS, bytesPerSecond: 1, repairsPerMinute: options.repairsPerMinute ?? 10_000 },
    streams: () => [stream()],
    now: () => state.now,
    sleep: () => Promise.resolve(),
    log: silent,
  });
  async function rounds(count: number): Promise<Comparison | undefined> {
    for (let round = 0; round < count; round += 1) {
      state.now += ROUND_MS;
      await keeper.round(SITE, never);
    }
    return reported.at(-1);
  }
  return { log, site, state, repaired, rounds };
}

it("heals everything behind a copy that cannot be read, and says how many cannot (I25)", async () => {
  const { site, state, repaired, rounds } = comparing({ documents: 300 });
  state.unreadable = new Set(["d7"]);
  const first = await rounds(1);
  expect(first?.state === "unavailable" || first?.unread === 0).toBe(true);
  const last = await rounds(40);
  expect(new Set(repaired)).toEqual(new Set(site.copies.keys()));
  expect(site.copies.size).toBe(299);
  expect(last).toMatchObject({ state: "unavailable", unread: 1, detail: "a page cannot be read" });
  expect(last?.compared_at).toBeNull();
  state.unreadable.clear();
  expect(await rounds(2)).toMatchObject({ state: "equal", unread: 0, detail: null });
});

it("compares digests where rows cannot be scrubbed, and says why they cannot (I25)", async () => {
  const { site, state, rounds } = comparing({ documents: 10 });
  state.scrubFails = true;
  const told = await rounds(2);
  expect(site.copies.size).toBe(10);
  expect(told).toMatchObject({
    state: "equal",
    detail: "Some of its copies could not be read: a place is lost",
  });
});

it("keeps in mind what a scrub has told of until it has been looked at (I25)", async () => {
  const { log, site, state, repaired, rounds } = comparing({ documents: 3 });
  await rounds(1);
  repaired.length = 0;
  const spoilt = log.copies.get("d2");
  if (spoilt === undefined) throw new Error("a copy");
  const found = site.found.bind(site);
  site.found = (asked) => {
    const answer = found(asked);
    return {
      ...answer,
      copies: answer.copies.map((copy) => ({ ...copy, damaged: copy.document_id === "d2" ? 1 : 0 })),
    };
  };
  state.suspects = [encodeKey(keyOf("d2"))];
  state.unreadable = new Set(["d2"]);
  await rounds(1);
  expect(repaired).toEqual([]);
  state.unreadable.clear();
  await rounds(1);
  expect(repaired).toEqual(["d2"]);
});

it("waits an hour with a copy whose repair the site has refused for good", async () => {
  const { site, state, repaired, rounds } = comparing({ documents: 1 });
  await rounds(1);
  site.copies.clear();
  await rounds(1);
  expect(repaired).toEqual(["d1", "d1"]);
  // The change went as a withdraw: the copy is missing, and the primary would bring the same again.
  site.copies.clear();
  state.parked = ["1"];
  await rounds(300);
  expect(repaired).toHaveLength(2);
  await rounds(100);
  expect(repaired).toHaveLength(3);
});

it("keeps a damaged copy in mind until its repair has had its turn (I25)", async () => {
  const { log, site, state, repaired, rounds } = comparing({ documents: 30, repairsPerMinute: 6 });
  for (const [id, copy] of log.copies) site.copies.set(id, copy);
  const found = site.found.bind(site);
  site.found = (asked) => {
    const answer = found(asked);
    const isDamaged = (id: string): boolean => !repaired.includes(id);
    return {
      ...answer,
      copies: answer.copies.map((copy) => ({ ...copy, damaged: isDamaged(copy.document_id) ? 1 : 0 })),
    };
  };
  state.repairsFail = true;
  // A scrub tells of each once.
  state.suspects = [...log.copies.keys()].map((id) => encodeKey(keyOf(id)));
  expect(await rounds(1)).toMatchObject({ state: "unavailable", repaired: 0 });
  state.repairsFail = false;
  expect(await rounds(60)).toMatchObject({ state: "equal", repaired: 30, unhealed: 0 });
  expect(new Set(repaired)).toEqual(new Set(log.copies.keys()));
});

it("lets a site whose round was dear wait alone, and says of it meanwhile what it said last (I25)", async () => {
  const stopping = new AbortController();
  const rounds = new Map<string, number>();
  const reports = new Map<string, number>();
  const add = (counts: Map<string, number>, id: string): void => {
    counts.set(id, (counts.get(id) ?? 0) + 1);
  };
  const side = new Side();
  let nowMs = 1_000_000;
  const endsAtMs = nowMs + 60_000;
  const siteOf = (id: string, bytesOfRound: number): ComparedSite => {
    let bytes = 0;
    return {
      planned: {
        ranges: (asked) => side.ranges(asked),
        lines: (asked) => side.lines(asked),
        copies: (keys) => Promise.resolve(side.planned(keys)),
        names: (keys) => Promise.resolve(side.named(keys)),
        lastChanges: () => Promise.resolve([]),
      },
      held: {
        site: id,
        ranges(asked) {
          bytes += bytesOfRound;
          add(rounds, id);
          return side.ranges(asked);
        },
        lines: (asked) => side.lines(asked),
        scrub: () => Promise.resolve([]),
        copies: (asked) => Promise.resolve(side.found(asked)),
      },
      mayHold: () => true,
      bytes: () => bytes,
      scrubbedBytes: () => 0,
    };
  };
  const keeper = createKeeper({
    sites: [siteOf("dear", 2_000_000), siteOf("cheap", 10)],
    repairer: {
      repair: () => Promise.resolve({ repairs: [], failed: [] }),
      report(id) {
        add(reports, id);
        return Promise.resolve();
      },
    },
    pace: { everyMs: 1_000, bytesPerSecond: 100_000, repairsPerMinute: 1 },
    streams: () => ["dear", "cheap"].map((site) => ({ ...standing, site })),
    now: () => nowMs,
    sleep(ms) {
      nowMs += ms;
      if (nowMs >= endsAtMs) stopping.abort();
      return Promise.resolve();
    },
    log: silent,
  });
  await keeper.run(stopping.signal);
  expect(rounds.get("dear")).toBe(3);
  expect(rounds.get("cheap")).toBe(60);
  expect(reports.get("dear")).toBe(60);
});

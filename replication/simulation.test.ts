import type { Change, FeedHead } from "@kattegat/protocol/changes.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { compareFences, compareSequences, FENCE_ZERO, type Fence } from "@kattegat/protocol/sequence.ts";
import { describe, expect, it } from "vitest";
import { put, skip, withdraw } from "./fakes.fixture.ts";
import { runStream, type StreamOptions } from "./run-stream.ts";
import type { Target } from "./target.ts";
import { seededRandom } from "@kattegat/engine/seeded-random.ts";

const SEEDS = 300;
const CHANGES = 120;

interface World {
  readonly log: Change[];
  readonly documents: Map<string, string>;
  readonly parked: Set<string>;
  watermark: Fence;
  isFaulty: boolean;
}

function logOf(random: () => number): Change[] {
  return Array.from({ length: CHANGES }, (_, index) => {
    const sequence = index + 1;
    const id = `d${Math.floor(random() * 20)}`;
    const kind = random();
    return kind < 0.2 ? skip(sequence) : kind < 0.4 ? withdraw(sequence, id) : put(sequence, { id });
  });
}

/** What a target at `sequence` must hold. */
function expectedAt(world: World, sequence: string): Map<string, string> {
  const documents = new Map<string, string>();
  for (const change of world.log) {
    if (compareSequences(change.sequence, sequence) > 0 || change.kind === "skip") continue;
    if (change.kind === "put" && !world.parked.has(change.sequence))
      documents.set(change.document_id, change.document.version);
    else documents.delete(change.document_id);
  }
  return documents;
}

/** A target that loses requests and answers, is late, and refuses its poison, as the seed says. */
function targetOf(world: World, random: () => number, poison: ReadonlySet<string>): Target {
  const fault = (share: number): boolean => world.isFaulty && random() < share;
  return {
    site: "t",
    model: "m",
    isNext: false,
    linger: random() < 0.5 ? { delayMs: 300, passages: 10 } : { delayMs: 0, passages: 0 },
    watermark() {
      if (fault(0.2)) return Promise.reject(new KattegatError("timeout", "lost"));
      return Promise.resolve(world.watermark);
    },
    apply({ changes, position }) {
      if (fault(0.2)) return Promise.reject(new KattegatError("unavailable", "the request is lost"));
      if (changes.some((change) => change.kind === "put" && poison.has(change.sequence)))
        return Promise.reject(new KattegatError("bad_vector", "poison"));
      for (const change of changes) {
        if (compareFences(change, world.watermark) <= 0) continue;
        if (change.kind === "put") world.documents.set(change.document_id, change.document.version);
        if (change.kind === "withdraw") world.documents.delete(change.document_id);
      }
      if (compareFences(position, world.watermark) > 0) world.watermark = position;
      expect(world.documents).toEqual(
        expectedAt(
          { ...world, parked: poison.size === 0 ? world.parked : new Set(poison) },
          world.watermark.sequence,
        ),
      );
      if (fault(0.2)) return Promise.reject(new KattegatError("timeout", "the answer is lost"));
      return Promise.resolve({ watermark: world.watermark, refused: [] });
    },
  };
}

function feedOf(world: World, random: () => number): StreamOptions["feed"] {
  return {
    changes({ after, limit, waitMs }) {
      if (world.isFaulty && random() < 0.15) return Promise.reject(new KattegatError("unavailable", "cut"));
      // Changes become known as time goes on, so that batches of every size are read.
      const known = world.log.slice(0, Math.ceil(random() * world.log.length));
      const isNew = ({ sequence }: Change): boolean => compareSequences(sequence, after) > 0;
      const source = known.some(isNew) || waitMs === 0 ? known : world.log;
      const changes = source.filter(isNew).slice(0, Math.min(limit, 1 + Math.floor(random() * 40)));
      const head: FeedHead = {
        kind: "head",
        epoch: 1,
        sequence: String(CHANGES),
        at: new Date(0).toISOString(),
        model: "hashed-384-v1",
        statistics_version: null,
      };
      return Promise.resolve({ changes, head });
    },
  };
}

/** One life of the process: it ends after so many steps, wherever it is then. */
async function live(
  options: Omit<StreamOptions, "sleep" | "observer">,
  world: World,
  steps: number,
): Promise<void> {
  const killed = new AbortController();
  let left = steps;
  await runStream(
    {
      ...options,
      sleep: () => Promise.resolve(),
      observer: {
        moved: () => {
          left -= 1;
          if (left <= 0 || (!world.isFaulty && world.watermark.sequence === String(CHANGES))) killed.abort();
        },
        read: () => undefined,
        applied: () => undefined,
        parked: ({ sequence }) => world.parked.add(sequence),
        surprised: (error) => {
          throw error;
        },
      },
    },
    killed.signal,
  );
}

describe("a stream in a world of faults", () => {
  it(`ends with exactly the log's state for each of ${SEEDS} seeds (I3, I8, I9)`, async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const random = seededRandom(seed);
      const world: World = {
        log: logOf(random),
        documents: new Map(),
        parked: new Set(),
        watermark: FENCE_ZERO,
        isFaulty: true,
      };
      const puts = world.log.filter(({ kind }) => kind === "put").map(({ sequence }) => sequence);
      const poison = new Set(puts.filter(() => random() < 0.03));
      const options = { target: targetOf(world, random, poison), feed: feedOf(world, random), random };
      const lives = 1 + Math.floor(random() * 6);
      for (let life = 0; life < lives; life += 1) await live(options, world, 1 + Math.floor(random() * 60));
      // Safety held under the faults above; without them the stream must reach the end, in bounded steps.
      world.isFaulty = false;
      await live(options, world, 5_000);
      expect(world.watermark, `seed ${seed}`).toEqual({ epoch: 1, sequence: String(CHANGES) });
      expect(world.documents, `seed ${seed}`).toEqual(
        expectedAt({ ...world, parked: poison }, String(CHANGES)),
      );
      for (const sequence of world.parked) expect(poison, `seed ${seed}`).toContain(sequence);
    }
  });
});

import { FENCE_ZERO } from "@kattegat/protocol/sequence.ts";
import { describe, expect, it } from "vitest";
import { GARBAGE_AGE_MS_MIN } from "./garbage.ts";
import { withBase } from "./manifest-base.ts";
import {
  type ColdManifest,
  emptyManifest,
  encodeManifest,
  type Holders,
  type ManifestBase,
  type ManifestSegment,
  nextGeneration,
  parseManifest,
  planMerge,
  withMerge,
  withoutGarbage,
  withTombstones,
} from "./manifest.ts";
import { deadBaseMs, hiddenFrom, isBaseStale, removedUpTo } from "./removal.ts";

const limits = { dead_seconds_max: 3_600 };
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const at = (sequence: number) => ({ epoch: 1, sequence: String(sequence) });
const segmentOf = (key: string): ManifestSegment => ({
  key,
  bytes: 1_000,
  passages: 100,
  documents: 100,
  checksum: "00000000",
  tombstones: [],
});
const base: ManifestBase = {
  key: "bases/b1",
  root: { bytes: 9, checksum: "00000000" },
  volumes: { codes: 1, rows: 0, postings: 0, columns: 0 },
  passages: 600_000,
  documents: 600_000,
  tombstones: "",
  dead: 0,
};
const start: ColdManifest = {
  ...emptyManifest({ model: "hashed-384-v1", dimensions: 384 }),
  segments: [segmentOf("segments/s1"), segmentOf("segments/s2")],
};
const inSegment = (key: string): Holders => ({ holds: (held) => held === key, numberOf: () => null });
const inBase: Holders = { holds: () => false, numberOf: (id) => Number(id) };

/** The manifest once a change has been applied. */
function applied(
  manifest: ColdManifest,
  sequence: number,
  hides: { readonly id: string; readonly holders: Holders; readonly nowMs?: number } | null = null,
): ColdManifest {
  const edited =
    hides === null
      ? manifest
      : withTombstones(manifest, {
          documentIds: [hides.id],
          holders: hides.holders,
          nowMs: hides.nowMs ?? 0,
        });
  return nextGeneration(manifest, { ...edited, watermark: at(sequence) }, { nowMs: hides?.nowMs ?? 0 });
}
const hide = (id: string, key: string, nowMs = 0) => ({ id, holders: inSegment(key), nowMs });

describe("what has left a zone's disks (I24)", () => {
  it("is everything that was withdrawn, where no object has dead documents", () => {
    expect(removedUpTo(applied(start, 9), { nowMs: 0 })).toEqual(at(9));
  });

  it("ends before the first change that hid a document of an object which still is there", () => {
    const first = applied(applied(start, 4), 5, hide("a", "segments/s1"));
    expect(removedUpTo(first, { nowMs: HOUR })).toEqual(at(4));
    // Of the same segment: the later one says nothing of the earlier.
    const second = applied(applied(first, 7, hide("b", "segments/s1")), 9, hide("c", "segments/s2"));
    expect(removedUpTo(second, { nowMs: HOUR })).toEqual(at(4));
  });

  it("goes on when the object was rewritten, deleted, and is too old for any location's cache", () => {
    const hidden = applied(applied(start, 4), 5, hide("a", "segments/s1"));
    const merge = {
      keys: ["segments/s1"],
      merged: segmentOf("segments/m"),
      mergedTombstones: new Map([["segments/s1", ["a"]]]),
      begun: hiddenFrom(hidden, MINUTE),
    };
    const merged = nextGeneration(hidden, withMerge(hidden, merge), { nowMs: MINUTE });
    expect(removedUpTo(merged, { nowMs: HOUR })).toEqual(at(4));
    const deletedMs = MINUTE + GARBAGE_AGE_MS_MIN;
    const deleted = withoutGarbage(merged, ["segments/s1"], { nowMs: deletedMs });
    expect(deleted.garbage).toEqual([]);
    // Candidates of searches rest for five minutes.
    expect(removedUpTo(deleted, { nowMs: deletedMs + 5 * MINUTE - 1 })).toEqual(at(4));
    expect(removedUpTo(deleted, { nowMs: deletedMs + 6 * MINUTE })).toEqual(at(5));
    const later = withoutGarbage(deleted, [], { nowMs: deletedMs + 6 * MINUTE });
    expect(later.fading).toEqual([]);
  });

  it.each([
    { noted: 3_600, waitHours: 1 },
    { noted: 86_400, waitHours: 24 },
    // Made by a release that noted nothing, or for edges that heed no note: as long as anybody ever kept pieces.
    { noted: undefined, waitHours: 168 },
  ])(
    "waits after a base for the largest age under which its pieces were served, $noted s, whatever the next one's is",
    ({ noted, waitHours }) => {
      const served = { ...base, ...(noted === undefined ? {} : { cache_seconds: noted }) };
      const before = applied({ ...start, base: served, segments: [] }, 4);
      const hidden = applied(before, 5, { id: "7", holders: inBase });
      const made = {
        base: { ...base, key: "bases/b2", cache_seconds: 1 },
        merged: [],
        late: [],
        begun: hiddenFrom(hidden, 0),
      };
      const rebased = nextGeneration(hidden, withBase(hidden, made), { nowMs: 0 });
      const listed = parseManifest(encodeManifest(rebased));
      expect(listed).toEqual(rebased);
      const keys = listed.garbage.map(({ key }) => key);
      expect(keys).toEqual(["bases/b1.root", "bases/b1.codes.0"]);
      const deleted = withoutGarbage(listed, keys, { nowMs: GARBAGE_AGE_MS_MIN });
      expect(deleted.fading).toHaveLength(1);
      const oldMs = GARBAGE_AGE_MS_MIN + waitHours * HOUR;
      expect(removedUpTo(deleted, { nowMs: oldMs - 1 })).toEqual(at(4));
      expect(removedUpTo(deleted, { nowMs: oldMs + (waitHours * HOUR) / 16 })).toEqual(at(5));
    },
  );

  it("waits for nothing after a table of statistics, which no location keeps", () => {
    const statistics = { version: "1", key: "statistics/1.bin", checksum: "00000000" };
    const before = applied({ ...start, statistics }, 4);
    const dropped = nextGeneration(before, { ...before, statistics: null }, { nowMs: 0 });
    const keys = dropped.garbage.map(({ key }) => key);
    expect(withoutGarbage(dropped, keys, { nowMs: GARBAGE_AGE_MS_MIN }).fading).toEqual([]);
  });

  it("ends before what was hidden while an object was made that has it all the same", () => {
    const before = applied(start, 4);
    const meanwhile = applied(before, 5, hide("a", "segments/s1"));
    const begun = hiddenFrom(before, 0);
    const mergedTombstones = new Map<string, string[]>();
    const merge = { keys: ["segments/s1"], merged: segmentOf("segments/m"), mergedTombstones, begun };
    const merged = withMerge(meanwhile, merge);
    expect(merged.segments.at(-1)?.hidden).toEqual(begun);
    expect(removedUpTo(merged, { nowMs: 0 })).toEqual(at(4));
    const withLate = { base: { ...base, key: "bases/b2" }, merged: ["segments/s1"], late: [3], begun };
    expect(removedUpTo(withBase(meanwhile, withLate), { nowMs: 0 })).toEqual(at(4));
  });

  it("counts an object that is dropped before its documents are hidden", () => {
    const before = applied(start, 4);
    const dropped = nextGeneration(before, { ...before, segments: [segmentOf("segments/m")] }, { nowMs: 0 });
    expect(removedUpTo(applied(dropped, 9), { nowMs: HOUR })).toEqual(at(4));
  });

  it("is nothing while an object of a release that noted nothing has dead documents", () => {
    const old = applied({ ...start, segments: [{ ...segmentOf("segments/old"), tombstones: ["a"] }] }, 9);
    expect(removedUpTo(old, { nowMs: HOUR })).toEqual(FENCE_ZERO);
    expect(planMerge(old, { nowMs: 0, limits })).toEqual(["segments/old"]);
  });
});

describe("objects with dead documents (I24)", () => {
  it("are segments that are rewritten after three minutes, together", () => {
    const first = applied(start, 5, hide("a", "segments/s1"));
    const both = applied(first, 6, hide("b", "segments/s2", 2 * MINUTE));
    expect(planMerge(both, { nowMs: 3 * MINUTE - 1, limits })).toBeNull();
    expect(planMerge(both, { nowMs: 3 * MINUTE, limits })).toEqual(["segments/s1"]);
    expect(planMerge(both, { nowMs: 5 * MINUTE, limits })).toEqual(["segments/s1", "segments/s2"]);
    const hasty = { ...limits, dead_seconds_max: 1 };
    expect(planMerge(both, { nowMs: 1_000, limits: hasty })).toEqual(["segments/s1"]);
  });

  it("are bases that are made anew after an hour at most, small ones sooner", () => {
    const hidden = applied({ ...start, base }, 5, { id: "7", holders: inBase, nowMs: 0 });
    expect(isBaseStale(hidden.base, { nowMs: HOUR - 1, limits })).toBe(false);
    expect(isBaseStale(hidden.base, { nowMs: HOUR, limits })).toBe(true);
    expect(isBaseStale(base, { nowMs: 100 * HOUR, limits })).toBe(false);
    expect([1_000, 100_000, 10_000_000].map((passages) => deadBaseMs(passages, limits))).toEqual([
      5 * MINUTE,
      10 * MINUTE,
      HOUR,
    ]);
  });
});

import { describe, expect, it } from "vitest";
import { ColdFormatError } from "./format-error.ts";
import {
  type ColdManifest,
  emptyManifest,
  encodeManifest,
  type Holders,
  type ManifestBase,
  keysOf,
  liveDocuments,
  type ManifestSegment,
  nextGeneration,
  parseManifest,
  planMerge,
  SEGMENT_BYTES_MAX,
  SEGMENTS_MAX,
  withMerge,
  withoutGarbage,
  withSegment,
  withTombstones,
} from "./manifest.ts";

import { GARBAGE_AGE_MS_MIN, keysToDelete } from "./garbage.ts";
import { BASE_PASSAGES_MIN, isRebaseDue, withBase } from "./manifest-base.ts";
import { decodeNumbers } from "./numbers.ts";

const MB = 1024 * 1024;
const empty = emptyManifest({ model: "hashed-384-v1", dimensions: 384 });
const segmentOf = (key: string, bytes = MB, documents = 10): ManifestSegment => {
  return { key, bytes, passages: documents * 2, documents, checksum: "00000000", tombstones: [] };
};
const limits = { dead_seconds_max: 3_600 };
const now = { nowMs: 0, limits };
const hidden = { after: empty.watermark, since: new Date(0).toISOString() };
const begun = { after: { epoch: 1, sequence: "7" }, since: new Date(5).toISOString() };
const holdersOf = (holds: Holders["holds"]): Holders => ({ holds, numberOf: () => null });
const manifestOf = (...segments: ManifestSegment[]): ColdManifest => ({ ...empty, segments });

const baseOf = (key: string): ManifestBase => ({
  key,
  root: { bytes: 9, checksum: "00000000" },
  volumes: { codes: 1, rows: 2, postings: 1, columns: 0 },
  passages: 1_000,
  documents: 800,
  tombstones: "",
  dead: 0,
});

describe("a manifest", () => {
  it("is read as it was written", () => {
    const after = { epoch: 1, sequence: "3" };
    const since = new Date(0).toISOString();
    const manifest: ColdManifest = {
      ...manifestOf({ ...segmentOf("s1"), tombstones: ["a"], hidden }),
      base: { ...baseOf("bases/b1"), hidden },
      garbage: [
        { key: "x", since, after },
        { key: "y", since },
      ],
      fading: [{ after, until: since }],
    };
    expect(parseManifest(JSON.stringify(manifest))).toEqual(manifest);
    expect(parseManifest(encodeManifest(manifest))).toEqual(manifest);
  });

  it("is refused with any bit flipped, as JSON that can be read too (I13)", () => {
    const segment = { ...segmentOf("s1"), tombstones: ["a", "é"] };
    const manifest = { ...manifestOf(segment), base: baseOf("bases/b1") };
    const bytes = new TextEncoder().encode(encodeManifest(manifest));
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = bytes.slice();
      flipped[bit >>> 3] = (flipped[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => parseManifest(new TextDecoder().decode(flipped))).toThrow(ColdFormatError);
    }
  });

  it.each([
    ["not json", "{", "JSON"],
    ["a newer format", JSON.stringify({ ...empty, format: 3 }), "expected manifest.format to be 2"],
    [
      "a wrong number",
      JSON.stringify(manifestOf({ ...segmentOf("s"), bytes: -1 })),
      "manifest.segments[0].bytes",
    ],
    [
      "a missing field",
      JSON.stringify({ ...empty, model: undefined }),
      "manifest.model to be a string, got nothing",
    ],
    [
      "a sequence as number",
      JSON.stringify({ ...empty, watermark: { epoch: 1, sequence: 5 } }),
      "watermark.sequence",
    ],
  ])("refuses %s by name", (_, text, message) => {
    expect(() => parseManifest(text)).toThrow(ColdFormatError);
    expect(() => parseManifest(text)).toThrow(message);
  });

  it("hides a document in every older segment that holds it, in no other", () => {
    const holders = holdersOf((key, id) => key === "s1" && id === "a");
    const next = withSegment(manifestOf(segmentOf("s1"), segmentOf("s2")), segmentOf("s3"), {
      documentIds: ["a", "b"],
      holders,
      nowMs: 0,
    });
    expect(next.segments.map(({ key, tombstones }) => [key, tombstones])).toEqual([
      ["s1", ["a"]],
      ["s2", []],
      ["s3", []],
    ]);
    expect(liveDocuments(next)).toBe(29);
    expect(withTombstones(next, { documentIds: ["a"], holders, nowMs: 9 }).segments).toEqual(next.segments);
  });

  it("hides a document of the base by its number, once", () => {
    const numbers = new Map([
      ["a", 700],
      ["b", 3],
    ]);
    const holders: Holders = { holds: () => false, numberOf: (id) => numbers.get(id) ?? null };
    let next: ColdManifest = { ...manifestOf(segmentOf("s1")), base: baseOf("bases/b1") };
    for (const documentIds of [["a", "c"], ["b"], ["a"]])
      next = withTombstones(next, { documentIds, holders, nowMs: 0 });
    expect(decodeNumbers(next.base?.tombstones ?? "")).toEqual([3, 700]);
    expect(liveDocuments(next)).toBe(808);
  });

  it("puts a base in the place of the one before and of the segments that went into it", () => {
    const before = { ...manifestOf(segmentOf("s1"), segmentOf("s2")), base: baseOf("bases/b1") };
    const made = { base: baseOf("bases/b2"), merged: ["s1"], late: [5, 2], begun };
    const after = nextGeneration(before, withBase(before, made), { nowMs: 0 });
    expect(after.segments).toEqual([segmentOf("s2")]);
    expect(decodeNumbers(after.base?.tombstones ?? "")).toEqual([2, 5]);
    expect(after.garbage.map(({ key }) => key)).toEqual([
      "bases/b1.root",
      "bases/b1.codes.0",
      "bases/b1.rows.0",
      "bases/b1.rows.1",
      "bases/b1.postings.0",
      "s1",
    ]);
  });

  it("asks for a base when the tail is too long to be scanned, or much of the base is dead", () => {
    const tail = (passages: number) => [{ ...segmentOf("s1"), passages }];
    expect(isRebaseDue({ base: null, segments: tail(BASE_PASSAGES_MIN - 1) })).toBe(false);
    expect(isRebaseDue({ base: null, segments: tail(BASE_PASSAGES_MIN) })).toBe(true);
    const large = { ...baseOf("bases/b1"), passages: 640_000, documents: 640_000 };
    expect(isRebaseDue({ base: large, segments: tail(39_999) })).toBe(false);
    expect(isRebaseDue({ base: large, segments: tail(40_000) })).toBe(true);
    expect(isRebaseDue({ base: { ...large, dead: 79_999 }, segments: [] })).toBe(false);
    expect(isRebaseDue({ base: { ...large, dead: 80_000 }, segments: [] })).toBe(true);
  });

  it("keeps hidden what was withdrawn while its segments were merged", () => {
    const before = manifestOf({ ...segmentOf("s1"), tombstones: ["a"] }, segmentOf("s2"));
    const mergedTombstones = new Map(before.segments.map(({ key, tombstones }) => [key, tombstones]));
    const meanwhile = withTombstones(before, {
      documentIds: ["b"],
      holders: holdersOf((key) => key === "s2"),
      nowMs: 9,
    });
    const after = withMerge(meanwhile, {
      keys: ["s1", "s2"],
      merged: segmentOf("m"),
      mergedTombstones,
      begun,
    });
    expect(after.segments).toEqual([{ ...segmentOf("m"), tombstones: ["b"], hidden: begun }]);
    expect(
      withMerge(meanwhile, { keys: ["s1"], merged: null, mergedTombstones, begun }).segments,
    ).toHaveLength(1);
  });

  it("keeps an object for readers in flight after no generation refers to it (I16)", () => {
    const first = nextGeneration(empty, manifestOf(segmentOf("s1"), segmentOf("s2")), { nowMs: 0 });
    const second = nextGeneration(first, manifestOf(segmentOf("m")), { nowMs: 5_000 });
    expect([first.generation, second.generation]).toEqual([1, 2]);
    expect(keysToDelete(second, { nowMs: 5_000 + GARBAGE_AGE_MS_MIN - 1 })).toEqual([]);
    const keys = keysToDelete(second, { nowMs: 5_000 + GARBAGE_AGE_MS_MIN });
    expect(keys).toEqual(["s1", "s2"]);
    expect(withoutGarbage(second, keys, now).garbage).toEqual([]);
    const back = nextGeneration(second, manifestOf(segmentOf("m"), segmentOf("s1")), { nowMs: 6_000 });
    expect(keysToDelete(back, { nowMs: 1e9 })).toEqual(["s2"]);
  });

  it("never counts the objects of the trained embedding as garbage while its model is named (I16)", () => {
    const model = "learned-384-0123456789abcdef";
    const objects = [`embeddings/${model}.head`, `embeddings/${model}.rows`];
    const learned = { ...empty, model };
    expect(keysOf(learned)).toEqual(objects);
    const garbage = objects.map((key) => ({ key, since: new Date(0).toISOString() }));
    const next = nextGeneration({ ...learned, garbage }, learned, { nowMs: 0 });
    expect(keysToDelete(next, { nowMs: 1e9 })).toEqual([]);
    const other = nextGeneration(next, empty, { nowMs: 0 });
    expect(keysToDelete(other, { nowMs: GARBAGE_AGE_MS_MIN })).toEqual(objects);
  });
});

describe("merge planning", () => {
  it("leaves a few segments alone", () => {
    expect(planMerge(empty, now)).toBeNull();
    expect(planMerge(manifestOf(segmentOf("a"), segmentOf("b"), segmentOf("c")), now)).toBeNull();
  });

  it("merges four of like size, not one with the large", () => {
    const small = ["a", "b", "c", "d"].map((key) => segmentOf(key, MB));
    expect(planMerge(manifestOf(segmentOf("large", 40 * MB), ...small), now)).toEqual(["a", "b", "c", "d"]);
  });

  it("rewrites a segment that is mostly dead", () => {
    const dead = { ...segmentOf("a"), tombstones: ["1", "2", "3", "4", "5"] };
    expect(planMerge(manifestOf(dead, segmentOf("b")), now)).toEqual(["a"]);
  });

  it("holds the number of segments down through any stream of small ones that fits, and never makes one too large", () => {
    let manifest = empty;
    let written = 0;
    for (let n = 0; n < 400; n += 1) {
      manifest = withSegment(manifest, segmentOf(`s${n}`, MB), {
        nowMs: 0,
        documentIds: [],
        holders: holdersOf(() => false),
      });
      for (let keys = planMerge(manifest, now); keys !== null; keys = planMerge(manifest, now)) {
        const bytes = manifest.segments
          .filter(({ key }) => keys?.includes(key))
          .reduce((sum, s) => sum + s.bytes, 0);
        expect(bytes).toBeLessThanOrEqual(SEGMENT_BYTES_MAX);
        written += bytes;
        const merged = segmentOf(`m${n}-${keys.length}-${bytes}`, bytes);
        manifest = withMerge(manifest, { keys, merged, mergedTombstones: new Map(), begun });
      }
      expect(manifest.segments.length).toBeLessThanOrEqual(
        SEGMENTS_MAX + Math.ceil((n * MB) / SEGMENT_BYTES_MAX),
      );
    }
    expect(written / (400 * MB)).toBeLessThan(6);
  });
});

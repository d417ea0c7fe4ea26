import { encodeSegment, type ColdPassage } from "@kattegat/engine/cold/segment.ts";
import { toCanonical } from "@kattegat/engine/vector/canonical.ts";
import { describe, expect, it } from "vitest";
import { never } from "./edge-target.fixture.ts";
import { checksumOf } from "./edge-target.ts";
import { scanner } from "./fake-edge.fixture.ts";
import { createMergeSegments, type MergeInput } from "./merge-segments.ts";

const mergeSegments = createMergeSegments({ scanner });
const ABOUT = { model: "given-8", dimensions: 8 };

function passageOf(documentId: string, version: number): ColdPassage {
  return {
    documentId,
    ordinal: 1,
    version: String(version),
    epoch: 1,
    residency: "global",
    collection: "default",
    title: `Lov ${documentId}`,
    text: `Havneloven i udgave ${version}`,
    lang: "da",
    publishedAt: null,
    metadata: {},
    dense: toCanonical(Float32Array.from({ length: ABOUT.dimensions }, (_, at) => version + at)),
    sparse: { indices: Uint32Array.of(version), values: Float32Array.of(1) },
  };
}

function inputOf(passages: readonly ColdPassage[], tombstones: readonly string[] = []): MergeInput {
  const bytes = new Uint8Array(encodeSegment(passages, ABOUT));
  return { bytes, checksum: checksumOf(bytes), tombstones };
}

// oxlint-disable-next-line require-await -- what is read one by one comes as it is asked for
async function* inputs(): AsyncGenerator<MergeInput> {
  yield inputOf([passageOf("a", 1), passageOf("b", 2)], ["a"]);
  yield inputOf([passageOf("c", 3), passageOf("a", 4)]);
}

/** What the manifest says of their size decides where they are merged. */
const SIZES = [
  { where: "here", bytes: 1_024 },
  { where: "in a thread", bytes: 64 * 1_024 * 1_024 },
];

describe("segments that are merged", () => {
  it.each(SIZES)("$where are one segment of what is not hidden in them", async ({ bytes }) => {
    const merged = await mergeSegments(inputs(), { ...ABOUT, bytes }, never);
    const living = [passageOf("b", 2), passageOf("c", 3), passageOf("a", 4)];
    expect(new Set(merged.documents)).toEqual(
      new Set(living.map(({ documentId, version }) => ({ documentId, version }))),
    );
    expect(merged.passages).toBe(3);
    expect(merged.bytes).toEqual(new Uint8Array(encodeSegment(living, ABOUT)));
  });

  it.each(SIZES)("$where are none when one of them is not what its manifest names", async ({ bytes }) => {
    const damaged = { ...inputOf([passageOf("a", 1)]), checksum: "00000000" };
    const merged = mergeSegments(
      // oxlint-disable-next-line require-await -- as above
      (async function* one() {
        yield damaged;
      })(),
      { ...ABOUT, bytes },
      never,
    );
    await expect(merged).rejects.toThrow(/the segment that the manifest names/);
  });
});

import { plainHit, plainWords } from "@kattegat/engine/cold/base/base.fixture.ts";
import { buildBase } from "@kattegat/engine/cold/base/build-base.ts";
import { createSharedGridVectors, writeGridVector } from "@kattegat/engine/cold/base/dense/dense-vectors.ts";
import { seededRandom } from "@kattegat/engine/seeded-random.ts";
import { clusteredVectors } from "@kattegat/engine/vector/vectors.fixture.ts";
import { afterEach, describe, expect, it } from "vitest";
import { startDenseThreads, type DenseThreads } from "./dense-threads.ts";
import { readScanner } from "./scanner.ts";

const DIMENSIONS = 32;
/** Two tasks of rows, so that both threads have one. */
const PASSAGES = 20_000;
const vectors = createSharedGridVectors(PASSAGES, DIMENSIONS);
const random = seededRandom(1);
for (const [at, vector] of clusteredVectors(PASSAGES, {
  dimensions: DIMENSIONS,
  centres: 60,
  random,
}).entries())
  writeGridVector(vectors, at, vector);
let threads: DenseThreads | null = null;
afterEach(async () => {
  await threads?.stop();
  threads = null;
});

/** @param isRefused - whether an object cannot be stored. */
async function objectsOf(
  started: DenseThreads | null,
  isRefused: (key: string) => boolean = () => false,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const objects = new Map<string, Uint8Array>();
  await buildBase(
    {
      vectors,
      sparse: plainWords,
      text: plainHit,
    },
    {
      key: "bases/b",
      model: "hashed-32-v1",
      scanner: readScanner(),
      ...(started === null ? {} : { dense: started.work }),
      async put(key, bytes) {
        await Promise.resolve();
        if (isRefused(key)) throw new Error(`${key} is refused`);
        objects.set(key, bytes);
      },
    },
  );
  return objects;
}

describe("a base that is made in several threads", () => {
  it("has the bytes of one that is made in one thread", async () => {
    threads = startDenseThreads(vectors, 2);
    const shared = await objectsOf(threads);
    expect([...shared.keys()].toSorted()).toContain("bases/b.codes.0");
    expect(new Map([...shared].toSorted())).toEqual(new Map([...(await objectsOf(null))].toSorted()));
  });

  it("is not made when its codes cannot be stored", async () => {
    threads = startDenseThreads(vectors, 2);
    await expect(objectsOf(threads, (key) => key.includes(".codes."))).rejects.toThrow("is refused");
  });

  it("is not made when a thread ends", async () => {
    threads = startDenseThreads(vectors, 2);
    // Before the threads end, since it may fail while they do.
    const made = objectsOf(threads).then(
      () => null,
      (error: unknown) => error,
    );
    await threads?.stop();
    expect(String(await made)).toContain("ended");
  });
});

describe("the threads", () => {
  it("are none on a machine with one core", () => {
    expect(startDenseThreads(vectors, 1)).toBe(null);
  });
});

import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { FeedChange } from "@kattegat/protocol/changes.ts";
import { FENCE_ZERO } from "@kattegat/protocol/sequence.ts";
import {
  batchOf,
  never,
  openArchive,
  put,
  sealed,
  targetOf,
  withdraw,
  type ArchiveUnderTest,
} from "./archive-target.fixture.ts";
import { WATERMARK_KEY, keyOf, parseKey } from "./object-name.ts";

let archive: ArchiveUnderTest;
beforeAll(async () => {
  archive = await openArchive();
});
afterAll(() => archive.stop());
beforeEach(() => archive.empty());

const fence = (sequence: number, epoch = 1) => ({ epoch, sequence: String(sequence) });
const apply = (changes: readonly FeedChange[], after = FENCE_ZERO) =>
  archive.target.apply(batchOf(changes, after), never);
/** What the bucket has of documents: version by the digest of an id. */
async function held(): Promise<readonly string[]> {
  const names = (await archive.keys()).filter((key) => key !== WATERMARK_KEY).map(parseKey);
  return names
    .map((name) => `${name?.document.slice(0, 8)} ${name?.fence.epoch}.${name?.fence.sequence}`)
    .toSorted();
}
const copy = (id: string, version: number, epoch = 1): string =>
  `${sealed(id, { version }).document.slice(0, 8)} ${epoch}.${version}`;

describe("an archive", () => {
  it("stores each document as one object whose name tells version, class and digest, then its watermark (I8)", async () => {
    const answer = await apply([put("a", 1), put("b", 2, { residency: "dk-only" })]);
    expect(answer).toEqual({ watermark: fence(2), refused: [] });
    expect(await archive.target.watermark(never)).toEqual(fence(2));
    const change = put("b", 2, { residency: "dk-only" });
    if (change.kind !== "put-sealed") throw new TypeError("expected a put");
    const key = keyOf(change.sealed);
    expect(await archive.keys()).toContain(key);
    expect(parseKey(key)).toEqual({
      document: change.sealed.document,
      fence: fence(2),
      residency: "dk-only",
      digest: change.sealed.digest,
    });
    const stored = await archive.bucket.get(key, never);
    const { version, residency } = JSON.parse(new TextDecoder().decode(stored?.bytes));
    expect({ version, residency }).toEqual({ version: "2", residency: "dk-only" });
  });

  it("keeps nothing of a version that was replaced or withdrawn, and says so by its watermark (I24)", async () => {
    await apply([put("a", 1), put("b", 2), put("c", 3)]);
    await apply([put("a", 4), withdraw("b", 5)], fence(3));
    expect(await held()).toEqual([copy("a", 4), copy("c", 3)].toSorted());
    expect(await archive.target.removed(never)).toEqual(fence(5));
  });

  it("asks for no list where the log knows of no earlier copy, but for one within the batch", async () => {
    await apply([put("a", 1, { replaces: false }), put("b", 2, { replaces: false })]);
    await apply([withdraw("a", 3), put("a", 4, { replaces: false }), put("b", 5)], fence(2));
    expect(await held()).toEqual([copy("a", 4), copy("b", 5)].toSorted());
  });

  it("writes a document that has only moved again under the same name", async () => {
    await apply([put("a", 1)]);
    await apply([put("a", 7, { version: 1 })], fence(1));
    expect(await held()).toEqual([copy("a", 1)]);
  });

  it("changes nothing by a batch that comes again, or late (I3)", async () => {
    await apply([put("a", 1), put("b", 2)]);
    await apply([put("a", 3), withdraw("b", 4)], fence(2));
    expect(await apply([put("a", 1), put("b", 2)])).toEqual({ watermark: fence(4), refused: [] });
    expect(await held()).toEqual([copy("a", 3)]);
  });

  it("keeps what a later change has written when an earlier one comes after a crash before the watermark (I3)", async () => {
    const later = put("a", 9);
    if (later.kind !== "put-sealed") throw new TypeError("expected a put");
    await archive.bucket.put(keyOf(later.sealed), Buffer.from(JSON.stringify(later.sealed)), {
      signal: never,
    });
    await apply([put("a", 1)]);
    expect(await held()).toEqual([copy("a", 9)]);
    await apply([withdraw("a", 5)], fence(1));
    expect(await held()).toEqual([copy("a", 9)]);
    await apply([put("a", 20, { epoch: 2 })], fence(5));
    expect(await held()).toEqual([copy("a", 20, 2)]);
  });

  it("reports divergence when a change comes again with another content, and stores nothing of it (I2)", async () => {
    const first = put("a", 3);
    if (first.kind !== "put-sealed") throw new TypeError("expected a put");
    await archive.bucket.put(keyOf(first.sealed), Buffer.from("{}"), { signal: never });
    await expect(apply([put("a", 3, { content: 99 })])).rejects.toMatchObject({ code: "divergence" });
    expect(await archive.target.watermark(never)).toEqual(FENCE_ZERO);
    // A later change with the right content heals it.
    await apply([put("a", 8, { version: 3, content: 99 })]);
    expect(await held()).toEqual([copy("a", 3)]);
  });

  it("takes no batch that follows changes which its bucket does not have (I8)", async () => {
    await apply([put("a", 1), put("b", 2)]);
    await archive.empty();
    await expect(apply([put("c", 3)], fence(2))).rejects.toMatchObject({ code: "conflict" });
    expect(await archive.keys()).toEqual([]);
  });

  it("lets one of two that store a watermark at once win (I8)", async () => {
    const settled = await Promise.allSettled([apply([put("a", 1)]), apply([put("b", 2)])]);
    const codes = settled.map((each) => (each.status === "fulfilled" ? "stored" : each.reason.code));
    expect(codes.filter((code) => code !== "stored" && code !== "conflict")).toEqual([]);
    expect(codes).toContain("stored");
  });

  it("stops at a watermark that nobody can read", async () => {
    await archive.bucket.put(WATERMARK_KEY, Buffer.from("{"), { signal: never });
    await expect(archive.target.watermark(never)).rejects.toMatchObject({ code: "divergence" });
  });

  it("refuses a class that it may not hold by its own network file, and lets go of the older copy (I5)", async () => {
    await apply([put("a", 1)]);
    const { refused } = await apply([put("a", 2, { residency: "elsewhere" })], fence(1));
    expect(refused).toMatchObject([{ sequence: "2", code: "residency_refused" }]);
    expect(await held()).toEqual([]);
  });

  it("refuses a document that is not sealed, or that has the name of another (I5)", async () => {
    const open: FeedChange = {
      kind: "put",
      epoch: 1,
      sequence: "1",
      committed_at: new Date(0).toISOString(),
      document_id: "a",
      document: {
        id: "a",
        version: "1",
        collection: "default",
        title: "t",
        lang: null,
        residency: "eu",
        tier: "hot",
        published_at: null,
        metadata: {},
        digest: "d",
        passages: [],
      },
    };
    const other = { ...put("b", 2), document_id: "c" };
    const { refused } = await apply([open, other]);
    expect(refused.map(({ code }) => code).toSorted()).toEqual(["bad_request", "residency_refused"]);
    expect(await held()).toEqual([]);
  });

  it(
    "holds what the log says after batches that are cut, repeated and shuffled in time (I3, I8)",
    { timeout: 120_000 },
    async () => {
      const step = fc.record({ id: fc.constantFrom("a", "b", "c"), kept: fc.boolean() });
      const cuts = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 });
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 1, maxLength: 12 }),
          cuts,
          fc.nat(),
          async (steps, sizes, pick) => {
            await archive.empty();
            const log = steps.map(({ id, kept }, index) =>
              kept ? put(id, index + 1) : withdraw(id, index + 1),
            );
            const sent: (readonly [readonly FeedChange[], ReturnType<typeof fence>])[] = [];
            for (let from = 0, round = 0; from < log.length; round += 1) {
              const size = sizes[round % sizes.length] ?? 1;
              const after = from === 0 ? FENCE_ZERO : fence(from);
              sent.push([log.slice(from, from + size), after]);
              await apply(log.slice(from, from + size), after);
              const [late, where] = sent[pick % sent.length] ?? [];
              if (late !== undefined) await apply(late, where);
              from += size;
            }
            const expected = new Map<string, string>();
            for (const change of log)
              if (change.kind === "put-sealed")
                expected.set(change.document_id, copy(change.document_id, Number(change.sequence)));
              else if (change.kind === "withdraw") expected.delete(change.document_id);
            expect(await held()).toEqual([...expected.values()].toSorted());
          },
        ),
        { numRuns: 25 },
      );
    },
  );
});

describe("a bucket that cannot be used", () => {
  it.each([
    ["does not exist", { name: "kattegat-no-such-bucket" }, "not_found", "Make it"],
    ["is asked with an unknown key", { accessKeyId: "nobody" }, "forbidden", "AWS_ACCESS_KEY_ID"],
    [
      "is asked with a wrong key",
      { secretAccessKey: "another secret of tests" },
      "forbidden",
      "AWS_SECRET_ACCESS_KEY",
    ],
    ["does not answer", { endpoint: "http://127.0.0.1:9" }, "unavailable", "does not answer"],
  ])("and %s is told with a code and what to do", async (_title, place, code, remedy) => {
    const target = targetOf(archive.other(place));
    const failure = await target.apply(batchOf([put("a", 1)]), never).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code });
    expect(String(failure)).toContain(remedy);
    expect(String(failure)).not.toContain(sealed("a", { version: 1 }).document);
  });
});

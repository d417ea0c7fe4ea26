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
import type { Bucket } from "./bucket.ts";
import { WATERMARK_KEY, keyOf, parseKey } from "./object-name.ts";
import { createFetch } from "../fetch.ts";

let archive: ArchiveUnderTest;
beforeAll(async () => {
  archive = await openArchive();
});
afterAll(() => archive.stop());
beforeEach(() => archive.empty());

const fence = (sequence: number, epoch = 1) => ({ epoch, sequence: String(sequence) });
const apply = (changes: readonly FeedChange[], after = FENCE_ZERO) =>
  archive.target.apply(batchOf(changes, after), never);
interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly body: string;
}

/** The archive with every request noted; `answer` stands in for the server where it gives something. */
function watched(answer: (asked: Asked) => Promise<Response | null> = async () => null) {
  const asked: Asked[] = [];
  const send = createFetch();
  const bucket = archive.other({
    fetch: async (url, init) => {
      const body = init.body === undefined ? "" : Buffer.from(init.body).toString();
      const request = { method: init.method, url: new URL(url), body };
      asked.push(request);
      return (await answer(request)) ?? (await send(url, init));
    },
  });
  return { asked, bucket, target: targetOf(bucket) };
}

/** Prefixes of the documents that were listed since the last call. */
function listsIn(asked: Asked[]): () => readonly string[] {
  return () =>
    asked
      .splice(0)
      .map(({ url }) => url.searchParams.get("prefix") ?? "")
      .filter((prefix) => prefix !== "" && prefix !== WATERMARK_KEY);
}

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

  it("asks for no list where the log knows of no earlier copy, or itself has put that copy", async () => {
    const { asked, target } = watched();
    const lists = listsIn(asked);
    await target.apply(batchOf([put("x", 1)]), never);
    expect(lists()).not.toEqual([]);
    await target.apply(
      batchOf([put("a", 2, { replaces: false }), put("b", 3, { replaces: false })], fence(1)),
      never,
    );
    await target.apply(batchOf([withdraw("a", 4), put("a", 5), put("b", 6)], fence(3)), never);
    expect(lists()).toEqual([]);
    expect(await held()).toEqual([copy("a", 5), copy("b", 6), copy("x", 1)].toSorted());
  });

  it("lists for a withdrawal, and for the same object once more, what nobody remembers (I9, I24)", async () => {
    await apply([put("a", 1), put("b", 2)]);
    for (const id of ["a", "b"])
      await archive.bucket.put(keyOf(sealed(id, { version: 1, content: 9 })), Buffer.from("{}"), {
        signal: never,
      });
    await apply([withdraw("a", 3), put("b", 4, { version: 2 })], fence(2));
    expect(await held()).toEqual([copy("b", 2)]);
  });

  it("remembers nothing while it is told that the bucket may keep versions (I24)", async () => {
    let isForbidden = false;
    const { target } = watched(async ({ url }) =>
      isForbidden && url.searchParams.has("versioning")
        ? new Response("<Error><Code>AccessDenied</Code></Error>", { status: 403 })
        : null,
    );
    await target.apply(batchOf([put("a", 1)]), never);
    const applyTo = async (last: number, change: (sequence: number) => FeedChange): Promise<void> => {
      const from = Number((await target.watermark(never)).sequence);
      for (let sequence = from + 1; sequence <= last; sequence += 1)
        await target.apply(batchOf([change(sequence)], fence(sequence - 1)), never);
    };
    await applyTo(64, (sequence) => withdraw("z", sequence));
    isForbidden = true;
    await applyTo(66, (sequence) => put("a", sequence));
    isForbidden = false;
    await applyTo(128, (sequence) => withdraw("z", sequence));
    await applyTo(130, (sequence) => put("a", sequence));
    expect(await held()).toEqual([copy("a", 130)]);
  });

  it("lists, in the first batch of a process and after one that failed, what that may have put before (I24)", async () => {
    let fails = false;
    const { asked, target } = watched(async ({ method, url }) => {
      if (fails && method === "PUT" && url.pathname.endsWith(WATERMARK_KEY)) throw new Error("it broke off");
      return null;
    });
    const lists = listsIn(asked);
    const apply = (sequence: number) =>
      target.apply(batchOf([put("a", sequence, { replaces: false })], fence(sequence - 1)), never);
    await target.apply(batchOf([put("a", 1, { replaces: false })]), never);
    expect(lists()).toHaveLength(1);
    fails = true;
    await expect(apply(2)).rejects.toMatchObject({ code: "unavailable" });
    expect(lists()).toEqual([]);
    fails = false;
    await apply(2);
    expect(lists()).toHaveLength(1);
    await apply(3);
    expect(lists()).toEqual([]);
    expect(await held()).toEqual([copy("a", 3)]);
  });

  it("lists what another may have put since, whether or not that one came as far as its watermark (I9, I24)", async () => {
    const { target } = watched();
    await target.apply(batchOf([put("a", 1), put("b", 2)]), never);
    let stores = 0;
    const other = watched(async ({ method, url }) => {
      if (method !== "PUT" || !url.pathname.endsWith(WATERMARK_KEY)) return null;
      stores += 1;
      if (stores > 1) throw new Error("it was killed");
      return null;
    });
    const next = batchOf([put("a", 3), put("b", 4)], fence(2));
    await expect(other.target.apply(next, never)).rejects.toMatchObject({ code: "unavailable" });
    expect(await held()).toContain(copy("a", 3));
    // The feed tells of the last change alone: of the one between them only the bucket knows.
    await target.apply(batchOf([withdraw("a", 5), withdraw("b", 6)], fence(2)), never);
    expect(await held()).toEqual([]);
  });

  it.each([
    ["keeps versions", 200, "<Status>Enabled</Status>"],
    ["has kept some", 200, "<Status>Suspended</Status>"],
    ["does not say", 403, "<Code>AccessDenied</Code>"],
  ])("lists every earlier copy in a bucket that %s (I24)", async (_, status, answer) => {
    const { asked, target } = watched(async ({ url }) =>
      url.searchParams.has("versioning") ? new Response(`<Answer>${answer}</Answer>`, { status }) : null,
    );
    const lists = listsIn(asked);
    await target.apply(batchOf([put("a", 1)]), never);
    lists();
    await target.apply(batchOf([put("a", 2)], fence(1)), never);
    await target.apply(batchOf([withdraw("a", 3)], fence(2)), never);
    expect(lists()).toHaveLength(2);
    expect(await held()).toEqual([]);
  });

  it("deletes former watermarks of a bucket that keeps versions at its first store and by and by, and nothing else (I24)", async () => {
    let lists = 0;
    const { asked, target } = watched(async ({ url }) => {
      // The embedded server keeps no versions: it would delete the watermark itself.
      if (url.searchParams.has("delete")) return new Response("<DeleteResult></DeleteResult>");
      if (url.searchParams.get("prefix") !== WATERMARK_KEY) return null;
      lists += 1;
      const versions = [
        ["watermark.json", "new", "true"],
        ["watermark.json", "old", "false"],
        ["watermark.json.bak", "other", "false"],
      ].map(
        ([key, version, isLatest]) =>
          `<Version><Key>${key}</Key><VersionId>${version}</VersionId><IsLatest>${isLatest}</IsLatest></Version>`,
      );
      return new Response(`<ListVersionsResult>${versions.join("")}</ListVersionsResult>`);
    });
    for (let sequence = 1; sequence <= 65; sequence += 1)
      await target.apply(
        batchOf([withdraw("a", sequence)], fence(sequence - 1, sequence === 1 ? 0 : 1)),
        never,
      );
    expect(lists).toBe(2);
    const deletions = asked.filter(({ url }) => url.searchParams.has("delete")).map(({ body }) => body);
    expect(deletions).toHaveLength(2);
    expect(deletions[1]).toBe(deletions[0]);
    expect(deletions[0]).toContain("<Key>watermark.json</Key><VersionId>old</VersionId>");
    expect(deletions[0]?.match(/<Object>/g)).toHaveLength(1);
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

  it("takes no batch that begins a reign from an earlier place than where its bucket is (I2)", async () => {
    await apply([put("a", 1), put("b", 2)]);
    const before = await archive.keys();
    await expect(apply([put("b", 3, { epoch: 2 })], fence(1))).rejects.toMatchObject({ code: "conflict" });
    expect(await archive.keys()).toEqual(before);
    await apply([put("b", 3, { epoch: 2 })], fence(2));
    expect(await archive.target.watermark(never)).toEqual({ epoch: 2, sequence: "3" });
  });

  it("lets one of two that store a watermark at once win (I8)", async () => {
    const both = Promise.withResolvers<null>();
    let storing = 0;
    const { target } = watched(async ({ method, url }) => {
      if (method !== "PUT" || !url.pathname.endsWith(WATERMARK_KEY)) return null;
      storing += 1;
      if (storing === 2) both.resolve(null);
      return await both.promise;
    });
    const settled = await Promise.allSettled([
      target.apply(batchOf([put("a", 1)]), never),
      target.apply(batchOf([put("b", 2)]), never),
    ]);
    const codes = settled.map((each) => (each.status === "fulfilled" ? "stored" : each.reason.code));
    expect(codes.toSorted()).toEqual(["conflict", "stored"]);
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

describe("a bucket's list", () => {
  const listed = (bucket: Bucket) => Array.fromAsync(bucket.versions("documents/", never), ({ key }) => key);
  const isVersions = ({ url }: Asked): boolean => url.searchParams.has("versions");
  const xml = (inner: string): Response => new Response(`<Answer>${inner}</Answer>`);

  it.each(["", "<Status>Disabled</Status>", null])(
    "goes without versions only where the bucket keeps none, and asks again the next time (%s)",
    async (status) => {
      await apply([put("a", 1)]);
      let isRefused = true;
      const { asked, bucket } = watched(async (request) => {
        if (isVersions(request)) return isRefused ? new Response("", { status: 405 }) : null;
        if (!request.url.searchParams.has("versioning")) return null;
        return status === null ? new Response("", { status: 501 }) : xml(status);
      });
      expect(await listed(bucket)).toHaveLength(1);
      isRefused = false;
      asked.splice(0);
      expect(await listed(bucket)).toHaveLength(1);
      expect(asked.map(isVersions)).toEqual([true]);
    },
  );

  it.each(["Enabled", "Suspended"])("is refused without versions where it is %s (I24)", async (status) => {
    const { bucket } = watched(async (request) => {
      if (isVersions(request)) return new Response("", { status: 501 });
      return request.url.searchParams.has("versioning") ? xml(`<Status>${status}</Status>`) : null;
    });
    await expect(listed(bucket)).rejects.toMatchObject({ code: "unavailable" });
  });

  it("is refused where it does not go on", async () => {
    const next = "<IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker>";
    const { asked, bucket } = watched(async () => xml(next));
    await expect(listed(bucket)).rejects.toMatchObject({ code: "unavailable" });
    expect(asked).toHaveLength(2);
  });

  it("is refused where it is too large, whatever length the server tells, as an object is", async () => {
    let sent = 0;
    const part = new Uint8Array(1_024 * 1_024);
    const { bucket } = watched(async () => {
      const body = new ReadableStream({
        pull(controller) {
          sent += 1;
          controller.enqueue(part);
        },
      });
      return new Response(body);
    });
    await expect(bucket.get("a", never)).rejects.toMatchObject({ code: "too_large" });
    expect(sent).toBeLessThan(300);
  });
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

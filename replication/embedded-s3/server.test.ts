import { readdirSync } from "node:fs";
import { AwsV4Signer } from "aws4fetch";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Bucket } from "../archive/bucket.ts";
import { pageOf } from "../archive/s3-answer.ts";
import { BUCKET, KEY, bucketAt, startS3, temporaryFolder, type S3Process } from "./s3-process.fixture.ts";

const never = new AbortController().signal;
const folder = temporaryFolder();
let server: S3Process;
let bucket: Bucket;
beforeAll(async () => {
  server = await startS3(folder.path);
  bucket = bucketAt({ endpoint: server.url });
});
afterAll(async () => {
  await server.kill();
  folder.remove();
});

const bytes = (text: string): Buffer<ArrayBuffer> => Buffer.from(text);
const store = (key: string, text = key): Promise<string> => bucket.put(key, bytes(text), { signal: never });
const keysUnder = async (prefix: string): Promise<readonly string[]> =>
  (await Array.fromAsync(bucket.versions(prefix, never))).map(({ key }) => key);

async function signed(
  path: string,
  {
    method = "GET",
    body = "",
    headers = {},
    datetime,
  }: {
    readonly method?: string;
    readonly body?: string;
    readonly headers?: object;
    readonly datetime?: string;
  } = {},
): Promise<{ readonly url: string; readonly headers: Record<string, string> }> {
  const sha256 = Buffer.from(await crypto.subtle.digest("SHA-256", bytes(body))).toString("hex");
  const signer = new AwsV4Signer({
    method,
    url: `${server.url}${path}`,
    headers: { "x-amz-content-sha256": sha256, ...headers },
    ...KEY,
    service: "s3",
    region: "eu-central-1",
    ...(datetime === undefined ? {} : { datetime }),
  });
  const { url, headers: given } = await signer.sign();
  return { url: url.href, headers: Object.fromEntries(given) };
}

/** Keys over pages of fifty, as the server says where each goes on. */
async function pagesOf(kind: string): Promise<readonly string[]> {
  const keys: string[] = [];
  let next: Readonly<Record<string, string>> | null = {};
  while (next !== null) {
    const asked = await signed(`/${BUCKET}?${kind}&prefix=page/&max-keys=50&${new URLSearchParams(next)}`);
    const page = pageOf(await (await fetch(asked.url, asked)).text());
    expect(page.versions.length).toBeLessThanOrEqual(50);
    keys.push(...page.versions.map(({ key }) => key));
    next = page.next;
  }
  return keys;
}

describe("the embedded S3 server", () => {
  it("gives back what was put, and nothing once it is deleted", async () => {
    await store("documents/ab/x", "content");
    const stored = await bucket.get("documents/ab/x", never);
    expect(stored && Buffer.from(stored.bytes).toString()).toBe("content");
    await bucket.remove([{ key: "documents/ab/x", version: "null" }], never);
    await bucket.remove([{ key: "documents/ab/x", version: "null" }], never);
    expect(await bucket.get("documents/ab/x", never)).toBeNull();
    expect(await keysUnder("")).toEqual([]);
  });

  it(
    "lists whatever stands under a prefix in the order of its bytes, over pages",
    { timeout: 120_000 },
    async () => {
      const part = fc.stringMatching(/^[a-c.\-=% æ😀]{1,4}$/u).filter((text) => !/^\.{0,2}$/.test(text));
      const key = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(key, { maxLength: 12 }),
          fc.string({ maxLength: 2 }),
          async (keys, prefix) => {
            for (const each of keys) await store(each);
            const order = (a: string, b: string): number => Buffer.compare(bytes(a), bytes(b));
            const expected = keys.filter((each) => each.startsWith(prefix)).toSorted(order);
            expect(await keysUnder(prefix)).toEqual(expected);
            const page = await signed(`/${BUCKET}?list-type=2&max-keys=1`);
            expect(await (await fetch(page.url, page)).text()).toContain(
              `<IsTruncated>${keys.length > 1}</IsTruncated>`,
            );
            await bucket.remove(
              keys.map((each) => ({ key: each, version: null })),
              never,
            );
            expect(await keysUnder("")).toEqual([]);
          },
        ),
        { numRuns: 40 },
      );
    },
  );

  it("goes on where a page ended", async () => {
    const keys = Array.from(
      { length: 1_050 },
      (_, index) => `page/${String(index % 7)}/${String(index).padStart(5, "0")}`,
    );
    await Promise.all(keys.map((key) => store(key)));
    expect(await keysUnder("page/")).toEqual(keys.toSorted());
    for (const kind of ["versions", "list-type=2"]) expect(await pagesOf(kind)).toEqual(keys.toSorted());
    await bucket.remove(
      keys.map((key) => ({ key, version: null })),
      never,
    );
    expect(await keysUnder("")).toEqual([]);
  });

  it("replaces an object only when it is the one that was named", async () => {
    await bucket.put("w", bytes("1"), { signal: never, onlyAt: null });
    const refused = { code: "conflict" };
    await expect(bucket.put("w", bytes("2"), { signal: never, onlyAt: null })).rejects.toMatchObject(refused);
    const first = await bucket.get("w", never);
    await bucket.put("w", bytes("2"), { signal: never, onlyAt: first?.etag ?? "" });
    await expect(
      bucket.put("w", bytes("3"), { signal: never, onlyAt: first?.etag ?? "" }),
    ).rejects.toMatchObject(refused);
    await bucket.remove([{ key: "w", version: null }], never);
  });

  it.each([
    ["no signature", async () => ({ url: `${server.url}/${BUCKET}/x`, headers: {} })],
    [
      "the signature of another path",
      async () => ({ ...(await signed(`/${BUCKET}/y`)), url: `${server.url}/${BUCKET}/x` }),
    ],
    [
      "another body than the one that was signed",
      async () => ({
        ...(await signed(`/${BUCKET}/x`, { method: "PUT", body: "1" })),
        method: "PUT",
        body: "2",
      }),
    ],
    [
      "a header that was added to those that were signed",
      async () => {
        const asked = await signed(`/${BUCKET}/x`, { headers: { "x-amz-meta-a": "1" } });
        return { ...asked, headers: { ...asked.headers, "x-amz-meta-a": "2" } };
      },
    ],
    [
      "a signature of an hour ago",
      async () => await signed(`/${BUCKET}/x`, { datetime: "20261126T000000Z" }),
    ],
  ])("refuses a request with %s", async (_title, ask) => {
    const { url, ...init } = await ask();
    expect((await fetch(url, init)).status).toBeOneOf([400, 403]);
  });

  it.each([
    "/%2e%2e/%2e%2e/etc",
    `/${BUCKET}/..%2F..%2Fx`,
    `/${BUCKET}//x`,
    `/${BUCKET}/${"k".repeat(1_100)}`,
  ])("never leaves the folder of its bucket for %s", async (path) => {
    const body = "out";
    const asked = await signed(path, { method: "PUT", body });
    const { status } = await fetch(asked.url, { method: "PUT", body, headers: asked.headers });
    expect(readdirSync(folder.path).toSorted()).toEqual(["buckets", "drafts"]);
    expect(readdirSync(`${folder.path}/buckets`)).toEqual([BUCKET]);
    if (status === 200) await bucket.remove([{ key: "../../x", version: null }], never);
  });

  it("has every object that it acknowledged after SIGKILL, whole, and no half of another (I11)", async () => {
    const own = temporaryFolder();
    let running = await startS3(own.path);
    const acknowledged: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const asked = bucketAt({ endpoint: running.url });
      const stopping = new AbortController();
      const writing = Array.from({ length: 60 }, async (_, index) => {
        const key = `r${round}/${index}`;
        await asked.put(key, bytes(key.repeat(2_000)), { signal: stopping.signal });
        acknowledged.push(key);
      });
      void Promise.allSettled(writing);
      while (acknowledged.length < 20 * (round + 1)) await new Promise((resolve) => setTimeout(resolve, 2));
      await running.kill();
      stopping.abort();
      await Promise.allSettled(writing);
      running = await startS3(own.path);
    }
    const after = bucketAt({ endpoint: running.url });
    for (const key of acknowledged) {
      const stored = await after.get(key, never);
      expect(stored && Buffer.from(stored.bytes).toString()).toBe(key.repeat(2_000));
    }
    for await (const { key, bytes: size } of after.versions("", never)) expect(size).toBe(key.length * 2_000);
    await running.kill();
    own.remove();
  });

  it("says that its disk is full, keeps what it had, and goes on when there is room", async () => {
    const own = temporaryFolder();
    const full = await startS3(own.path, { fileKibMax: 64 });
    const asked = bucketAt({ endpoint: full.url });
    await asked.put("a", bytes("small"), { signal: never });
    const failure = await asked
      .put("a", Buffer.alloc(100_000), { signal: never })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "unavailable" });
    expect(String(failure)).toContain("The disk is full");
    expect(Buffer.from((await asked.get("a", never))?.bytes ?? []).toString()).toBe("small");
    await asked.put("b", bytes("small"), { signal: never });
    await full.kill();
    own.remove();
  });
});

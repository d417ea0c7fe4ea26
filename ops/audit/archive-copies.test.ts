import { WATERMARK_KEY, prefixOf } from "@kattegat/replication/archive/object-name.ts";
import { bucketAt, startS3, temporaryFolder } from "@kattegat/replication/embedded-s3/s3-process.fixture.ts";
import { expect, it } from "vitest";
import { readArchiveCopies, removeCopy } from "./archive-copies.ts";
import { hashOf } from "./row.ts";

const signal = new AbortController().signal;

it("deletes the very object that was judged, and nothing that came for its document since (I23)", async () => {
  const folder = temporaryFolder();
  const server = await startS3(folder.path);
  try {
    const bucket = bucketAt({ endpoint: server.url });
    const document = hashOf("a");
    const digest = "1".repeat(64);
    const judged = `${prefixOf(document)}1.7.eu.${digest}`;
    const since = ["1.9.eu", "2.7.eu", "1.7.global"].map((part) => `${prefixOf(document)}${part}.${digest}`);
    for (const key of [judged, ...since]) await bucket.put(key, Buffer.from("{}"), { signal });
    const copy = { version: "7", epoch: 1, digest };
    const finding = { kind: "orphan", site: "archive-dk", store: "objects", detail: "" } as const;
    await removeCopy(
      bucket,
      { ...finding, document_id: null, document_sha256: document, class: "eu", copy },
      signal,
    );
    const left = await Array.fromAsync(bucket.versions("", signal));
    expect(left.map(({ key }) => key)).toEqual(since.toSorted());
  } finally {
    await server.kill();
    folder.remove();
  }
});

it("calls a former version of a document's object stray, of the watermark not (I23)", async () => {
  const key = `${prefixOf(hashOf("a"))}1.7.eu.${"1".repeat(64)}`;
  const versions = [key, WATERMARK_KEY].flatMap((name) =>
    ["true", "false"].map(
      (isLatest) =>
        `<Version><Key>${name}</Key><VersionId>${isLatest}</VersionId><IsLatest>${isLatest}</IsLatest></Version>`,
    ),
  );
  const bucket = bucketAt({
    endpoint: "http://127.0.0.1:9",
    fetch: async (url) =>
      url.endsWith(WATERMARK_KEY)
        ? new Response("<Error><Code>NoSuchKey</Code></Error>", { status: 404 })
        : new Response(`<ListVersionsResult>${versions.join("")}</ListVersionsResult>`),
  });
  const lines = await Array.fromAsync(readArchiveCopies(bucket, { model: "m", reading: null, signal }));
  const nameless = lines.flatMap((line) =>
    line.kind === "object" && line.named === "nothing" ? [line.key] : [],
  );
  expect(nameless).toEqual([`${key} version false`]);
});

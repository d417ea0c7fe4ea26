/** The HTTP side of the embedded S3 server. */
import { hash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { parseXml } from "@rgrove/parse-xml";
import type { ObjectFiles, ListedObject } from "./object-files.ts";
import type { AccessKey } from "../archive/signature-v4.ts";
import { childrenOf, escapeXml } from "../archive/xml.ts";
import { S3Error } from "./s3-error.ts";
import { assertSigned } from "./signature.ts";

/** The largest document with the vectors of all its passages. */
const BODY_BYTES_MAX = 64 * 1_024 * 1_024;
/** S3's own. */
const LISTED_KEYS_MAX = 1_000;
/** Disks flush several files in the time of one. */
const DELETED_AT_ONCE = 32;

export interface S3ServerOptions {
  readonly files: ObjectFiles;
  readonly key: AccessKey;
  readonly now: () => number;
  readonly report: (error: unknown) => void;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

interface S3Request {
  readonly method: string;
  readonly bucket: string;
  /** Empty for a request to the bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/**
 * The part of S3 that an archive uses, over paths: objects are put, got and deleted one by one or by a list, and listed as a bucket
 * without versions lists them. Everything else is `NotImplemented`.
 */
export function createS3Server(options: S3ServerOptions): Server {
  return createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    answer(request, options)
      .catch((error: unknown): Answer => {
        const known = error instanceof S3Error ? error : null;
        if (known === null || known.status >= 500) options.report(error);
        return errorAnswer(
          known ?? new S3Error("InternalError", "The request failed; the server's log says why."),
        );
      })
      .then((sent) => send(request, response, sent))
      .catch(options.report);
  });
}

async function answer(request: IncomingMessage, { files, key, now }: S3ServerOptions): Promise<Answer> {
  const url = new URL(request.url ?? "/", "http://s3");
  for (const part of url.pathname.split("/")) decoded(part);
  const method = request.method ?? "GET";
  // Who watches over this process has no key.
  if (method === "GET" && url.pathname === "/readyz") return { status: 200, body: Buffer.from("ready") };
  const body = await bodyOf(request);
  assertSigned(request, body, { url, key, nowMs: now() });
  const [, bucket = "", ...parts] = url.pathname.split("/").map(decoded);
  files.assertBucket(bucket);
  const asked = {
    method,
    bucket,
    key: parts.join("/"),
    query: url.searchParams,
    headers: request.headers,
    body,
  };
  return asked.key === "" ? await answerBucket(asked, files) : await answerObject(asked, files);
}

async function answerObject(
  { method, bucket, key, query, headers, body }: S3Request,
  files: ObjectFiles,
): Promise<Answer> {
  // Amazon's own clients say by it what the method says.
  if ([...query.keys()].some((name) => name !== "versionId" && name !== "x-id"))
    throw new S3Error("NotImplemented", "The embedded server does not know this request.");
  switch (method) {
    case "GET":
    case "HEAD": {
      const { bytes, etag } = await files.read(bucket, key);
      return { status: 200, headers: { etag, "content-type": "application/octet-stream" }, body: bytes };
    }
    case "PUT": {
      if (headers["x-amz-copy-source"] !== undefined)
        throw new S3Error("NotImplemented", "The embedded server copies nothing.");
      const etag = await files.write(bucket, key, { bytes: body, isWanted: conditionOf(headers) });
      return { status: 200, headers: { etag } };
    }
    case "DELETE":
      await files.remove(bucket, key);
      return { status: 204 };
    default:
      throw new S3Error("NotImplemented", "The embedded server does not know this method.");
  }
}

async function answerBucket({ method, bucket, query, body }: S3Request, files: ObjectFiles): Promise<Answer> {
  if (method === "HEAD") return { status: 200 };
  if (method === "POST" && query.has("delete")) {
    const keys = deletedIn(body);
    for (let from = 0; from < keys.length; from += DELETED_AT_ONCE)
      await Promise.all(keys.slice(from, from + DELETED_AT_ONCE).map((key) => files.remove(bucket, key)));
    return xml("<DeleteResult></DeleteResult>");
  }
  const hasVersions = query.has("versions");
  if (method !== "GET" || (!hasVersions && query.get("list-type") !== "2"))
    throw new S3Error("NotImplemented", "The embedded server does not know this request.");
  if (query.has("delimiter")) throw new S3Error("NotImplemented", "The embedded server groups no keys.");
  const prefix = query.get("prefix") ?? "";
  const token = query.get("continuation-token");
  const after = hasVersions
    ? (query.get("key-marker") ?? "")
    : token === null
      ? (query.get("start-after") ?? "")
      : Buffer.from(token, "base64url").toString("utf8");
  const limit = Math.min(Number(query.get("max-keys") ?? LISTED_KEYS_MAX), LISTED_KEYS_MAX);
  if (!Number.isInteger(limit) || limit < 1)
    throw new S3Error("InvalidArgument", "Expected max-keys to be a whole number above 0.");
  const found = await files.list(bucket, { prefix, after, limit: limit + 1 });
  return xml(listOf(found, { limit, hasVersions }));
}

function listOf(
  found: readonly ListedObject[],
  { limit, hasVersions }: { readonly limit: number; readonly hasVersions: boolean },
): string {
  const page = found.slice(0, limit);
  const last = page.at(-1)?.key ?? "";
  const name = hasVersions ? "ListVersionsResult" : "ListBucketResult";
  const entries = page.map(({ key, bytes, modifiedAt }) => {
    const fields = `<Key>${escapeXml(key)}</Key><LastModified>${modifiedAt}</LastModified><Size>${bytes}</Size>`;
    return hasVersions
      ? `<Version>${fields}<VersionId>null</VersionId><IsLatest>true</IsLatest></Version>`
      : `<Contents>${fields}</Contents>`;
  });
  const next = hasVersions
    ? `<NextKeyMarker>${escapeXml(last)}</NextKeyMarker><NextVersionIdMarker>null</NextVersionIdMarker>`
    : `<NextContinuationToken>${Buffer.from(last).toString("base64url")}</NextContinuationToken>`;
  const isCut = found.length > limit;
  return `<${name}><IsTruncated>${isCut}</IsTruncated>${isCut ? next : ""}${entries.join("")}</${name}>`;
}

/** What `If-Match` and `If-None-Match` demand of the object that is there. */
function conditionOf(headers: IncomingMessage["headers"]): ((etag: string | null) => boolean) | null {
  const match = headers["if-match"];
  const noneMatch = headers["if-none-match"];
  if (match === undefined && noneMatch === undefined) return null;
  if (noneMatch !== undefined && noneMatch !== "*")
    throw new S3Error("NotImplemented", "The embedded server knows * alone in If-None-Match.");
  return (etag) => (match === undefined || etag === match) && (noneMatch === undefined || etag === null);
}

function deletedIn(body: Buffer): readonly string[] {
  try {
    const { root } = parseXml(body.toString("utf8"));
    return root === null
      ? []
      : childrenOf(root, "Object").flatMap((each) => childrenOf(each, "Key").map(({ text }) => text));
  } catch (cause) {
    throw new S3Error("MalformedXML", "Expected a list of objects to delete.", { cause });
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const declared = Number(request.headers["content-length"] ?? 0);
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (Math.max(bytes, declared) > BODY_BYTES_MAX)
      throw new S3Error("EntityTooLarge", `Expected a body of at most ${BODY_BYTES_MAX} bytes.`);
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks, bytes);
  const digest = request.headers["content-md5"];
  if (digest !== undefined && digest !== hash("md5", body, "base64"))
    throw new S3Error("BadDigest", "The body is not the one of the digest.");
  return body;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new S3Error("InvalidArgument", "Expected a path in UTF-8.", { cause });
  }
}

function errorAnswer({ code, status, message }: S3Error): Answer {
  return { ...xml(`<Error><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error>`), status };
}

function xml(content: string): Answer {
  const body = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${content}`);
  return { status: 200, headers: { "content-type": "application/xml" }, body };
}

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, "content-length": body?.length ?? 0 });
  response.end(request.method === "HEAD" ? undefined : body);
  request.resume();
}

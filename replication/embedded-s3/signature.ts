/** Whether a request was signed by the key: AWS Signature Version 4, in its header. */
import { createHash, hash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { authorizationOf, type AccessKey } from "../archive/signature-v4.ts";
import { S3Error } from "./s3-error.ts";

/** S3's own. */
const SKEW_MS_MAX = 15 * 60_000;

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([a-z0-9-]+)\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;
const DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/**
 * Signs the request again and compares; the body has to be the one that was signed.
 *
 * @throws {S3Error}
 */
export function assertSigned(
  request: IncomingMessage,
  body: Uint8Array,
  { url, key, nowMs }: { readonly url: URL; readonly key: AccessKey; readonly nowMs: number },
): void {
  const given = request.headers.authorization ?? "";
  const [, id, , region = "", signed = ""] = AUTHORIZATION.exec(given) ?? [];
  if (id === undefined) throw new S3Error("AccessDenied", "Expected a signature of version 4 in the header.");
  if (id !== key.accessKeyId) throw new S3Error("InvalidAccessKeyId", "The access key is not known.");
  const datetime = headerOf(request, "x-amz-date");
  const [, year, month, day, hour, minute, second] = DATE.exec(datetime) ?? [];
  const atMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (!(Math.abs(nowMs - atMs) <= SKEW_MS_MAX))
    throw new S3Error("RequestTimeTooSkewed", "The request's time is not that of the server.");
  const bodySha256 = hash("sha256", body, "hex");
  if (headerOf(request, "x-amz-content-sha256") !== bodySha256)
    throw new S3Error("BadDigest", "The body is not the one that was signed.");
  const names = signed.split(";");
  // What says who is asked, when, and for what may not be left out.
  for (const name of ["host", "x-amz-date", "x-amz-content-sha256"])
    if (!names.includes(name))
      throw new S3Error("AccessDenied", `Expected ${name} among the signed headers.`);
  const expected = authorizationOf(
    {
      method: request.method ?? "GET",
      url,
      headers: Object.fromEntries(names.map((name) => [name, headerOf(request, name)])),
      bodySha256,
      datetime,
      region,
    },
    key,
  );
  if (!isSame(given.replaceAll(", ", ","), expected.replaceAll(", ", ",")))
    throw new S3Error("SignatureDoesNotMatch", "The signature is not that of the request by this key.");
}

function headerOf(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === "string" ? value : "";
}

function isSame(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

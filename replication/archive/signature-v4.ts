/**
 * AWS Signature Version 4 in a header, as S3 has it.
 *
 * The packages that make it use WebCrypto, whose five promises for a request cost more than the request; Node's own hashes are at once.
 * Source: "Create a signed AWS API request", AWS IAM User Guide.
 */
import { createHmac, createSecretKey, hash, type KeyObject } from "node:crypto";

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface SignedRequest {
  readonly method: string;
  /** With its parameters. */
  readonly url: URL;
  /** Names in lower case, `host` among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of the body, in hexadecimal. */
  readonly bodySha256: string;
  /** Such as `20261126T120000Z`. */
  readonly datetime: string;
  readonly region: string;
}

/** What `authorization` says of the request, over all of its headers. */
export function authorizationOf(request: SignedRequest, { accessKeyId, secretAccessKey }: AccessKey): string {
  const { datetime, region } = request;
  const names = Object.keys(request.headers).toSorted();
  const scope = `${datetime.slice(0, 8)}/${region}/s3/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", datetime, scope, hash("sha256", canonicalOf(request, names))].join("\n");
  const signature = createHmac("sha256", signingKey(scope, secretAccessKey)).update(text).digest("hex");
  return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
}

function canonicalOf({ method, url, headers, bodySha256 }: SignedRequest, names: readonly string[]): string {
  const path = decodeURIComponent(url.pathname).split("/").map(encodeStrictly).join("/");
  const query = [...url.searchParams]
    .map(([name, value]) => [encodeStrictly(name), encodeStrictly(value)] as const)
    .toSorted(([a, x], [b, y]) => (a === b ? inOrder(x, y) : inOrder(a, b)))
    .map((pair) => pair.join("="))
    .join("&");
  const lines = names.map((name) => `${name}:${(headers[name] ?? "").trim().replaceAll(/ +/g, " ")}\n`);
  return [method, path, query, lines.join(""), names.join(";"), bodySha256].join("\n");
}

function inOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `encodeURIComponent` leaves five characters that Amazon does not. */
export function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The last key: it is the same for a day, takes four of the five hashes, and as bytes would be made a key object each time. */
let known: { readonly scope: string; readonly secret: string; readonly key: KeyObject } | null = null;

function signingKey(scope: string, secret: string): KeyObject {
  if (known?.scope === scope && known.secret === secret) return known.key;
  let bytes = Buffer.from(`AWS4${secret}`);
  for (const part of scope.split("/")) bytes = createHmac("sha256", bytes).update(part).digest();
  known = { scope, secret, key: createSecretKey(bytes) };
  return known.key;
}

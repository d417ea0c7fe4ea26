/** A bucket of any S3 server. */
import { hash } from "node:crypto";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { Answer as WholeAnswer, FetchInit } from "../site-client.ts";
import {
  assertDeleted,
  errorCodeOf,
  failureOf,
  pageOf,
  versioningOf,
  type ObjectVersion,
  type VersionPage,
} from "./s3-answer.ts";
import { escapeXml } from "./xml.ts";
import { authorizationOf, encodeStrictly, type AccessKey } from "./signature-v4.ts";

/** A page of a thousand names, or an object of some megabytes, over a slow line. */
const REQUEST_MS_MAX = 20_000;
/** A server that is busy for longer is the stream's to wait for. */
const ATTEMPTS_MAX = 3;
const RETRY_MS = 100;
/** What S3 takes in one request. */
const DELETED_KEYS_MAX = 1_000;
/** The largest body is a text of 4 MiB with the vectors of its passages; answers are that, or lists. */
const OBJECT_BYTES_MAX = 256 * 1_024 * 1_024;

/** The part of an answer that a bucket reads. */
type Answer = Pick<WholeAnswer, "ok" | "status" | "headers" | "body">;

export type BucketFetch = (url: string, init: FetchInit) => Promise<Answer>;

export interface BucketPlace extends AccessKey {
  readonly endpoint: string;
  readonly name: string;
  readonly region: string;
  /** Of credentials that expire. */
  readonly sessionToken: string | null;
}

export interface BucketOptions extends BucketPlace {
  readonly fetch: BucketFetch;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
}

export interface StoredObject {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

interface BucketRequest {
  readonly method: "GET" | "PUT" | "POST";
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal;
}

/** Every method may be repeated; each throws a `KattegatError` that says what an operator can do. */
export class Bucket {
  readonly name: string;
  readonly #options: BucketOptions;

  constructor(options: BucketOptions) {
    this.#options = options;
    this.name = options.name;
  }

  /** Null when there is none. */
  async get(key: string, signal: AbortSignal): Promise<StoredObject | null> {
    return await this.#send({ method: "GET", key, signal }, async (answer) => {
      if (answer.status === 404) {
        const code = errorCodeOf(await textOf(answer));
        if (code === "NoSuchKey") return null;
        throw failureOf({ status: answer.status, code, bucket: this.name });
      }
      await this.#assertOk(answer);
      return { bytes: await bytesOf(answer), etag: answer.headers.get("etag") ?? "" };
    });
  }

  /**
   * Resolves with the object's tag. `onlyAt` makes it a `conflict` when the object is another by now: the tag that it had, null when
   * there was none.
   */
  async put(
    key: string,
    body: Uint8Array<ArrayBuffer>,
    { signal, onlyAt }: { readonly signal: AbortSignal; readonly onlyAt?: string | null },
  ): Promise<string> {
    const headers: Record<string, string> =
      onlyAt === undefined ? {} : onlyAt === null ? { "if-none-match": "*" } : { "if-match": onlyAt };
    return await this.#send({ method: "PUT", key, body, headers, signal }, async (answer) => {
      await this.#assertOk(answer);
      await bytesOf(answer);
      return answer.headers.get("etag") ?? "";
    });
  }

  /** Deletes these versions for good; one that is gone already is no error. */
  async remove(
    versions: readonly Pick<ObjectVersion, "key" | "version">[],
    signal: AbortSignal,
  ): Promise<void> {
    for (let from = 0; from < versions.length; from += DELETED_KEYS_MAX) {
      const body = Buffer.from(deletionOf(versions.slice(from, from + DELETED_KEYS_MAX)));
      const headers = { "content-type": "application/xml", "content-md5": hash("md5", body, "base64") };
      await this.#send({ method: "POST", query: { delete: "" }, headers, body, signal }, async (answer) => {
        await this.#assertOk(answer);
        assertDeleted(await textOf(answer), this.name);
      });
    }
  }

  /** Whatever rests under the prefix, former versions and markers of deleted ones included, by key. */
  async *versions(prefix: string, signal: AbortSignal): AsyncGenerator<ObjectVersion> {
    let kind: Readonly<Record<string, string>> = { versions: "" };
    let page = await this.#page({ ...kind, prefix }, signal);
    if (page === null) {
      await this.#assertNoVersions(signal);
      kind = { "list-type": "2" };
      page = await this.#page({ ...kind, prefix }, signal);
    }
    const passed = new Set<string>();
    while (page !== null) {
      yield* page.versions;
      if (page.next === null) return;
      const place = JSON.stringify(page.next);
      if (passed.has(place))
        throw new KattegatError("unavailable", `The list of the bucket ${this.name} goes round in a circle.`);
      passed.add(place);
      page = await this.#page({ ...kind, prefix, ...page.next }, signal);
    }
  }

  /** Null where the server does not know a list of versions. */
  async #page(query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<VersionPage | null> {
    return await this.#send({ method: "GET", query, signal }, async (answer) => {
      if (isUnknown(answer) && "versions" in query && !("key-marker" in query)) return await emptied(answer);
      await this.#assertOk(answer);
      return pageOf(await textOf(answer));
    });
  }

  /** Whether it keeps versions, or may have kept some: `Enabled`, `Suspended`; null for one that never has, or whose server has none. */
  async versioning(signal: AbortSignal): Promise<"Enabled" | "Suspended" | null> {
    return await this.#send({ method: "GET", query: { versioning: "" }, signal }, async (answer) => {
      if (isUnknown(answer)) return await emptied(answer);
      await this.#assertOk(answer);
      return versioningOf(await textOf(answer));
    });
  }

  /** A server that keeps versions may refuse to list them, for a while or to this key: then what was deleted would stay. */
  async #assertNoVersions(signal: AbortSignal): Promise<void> {
    const status = await this.versioning(signal);
    if (status !== null)
      throw new KattegatError(
        "unavailable",
        `The bucket ${this.name} keeps versions (${status}), and its server does not list them. Allow the list, or give the archive a bucket without versions.`,
      );
  }

  async #send<T>(request: BucketRequest, use: (answer: Answer) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const deadline = AbortSignal.timeout(REQUEST_MS_MAX);
      try {
        const answer = await this.#fetch(request, AbortSignal.any([deadline, request.signal]));
        const isBusy =
          answer.status === 429 || (answer.status >= 500 && answer.status < 505 && answer.status !== 501);
        if (!isBusy || attempt === ATTEMPTS_MAX) return await use(answer);
        await bytesOf(answer);
      } catch (error) {
        if (error instanceof KattegatError) throw error;
        if (attempt === ATTEMPTS_MAX || request.signal.aborted) throw this.#silence(error, deadline.aborted);
      }
      await this.#options.sleep(RETRY_MS * 2 ** attempt * this.#options.random(), request.signal);
    }
  }

  #silence(cause: unknown, isLate: boolean): KattegatError {
    const told = `The server of the bucket ${this.name} does not answer at ${this.#options.endpoint}`;
    return isLate
      ? new KattegatError("timeout", `${told} within ${REQUEST_MS_MAX} ms.`, { cause })
      : new KattegatError("unavailable", `${told}.`, { cause });
  }

  async #fetch({ method, key, query, headers, body }: BucketRequest, signal: AbortSignal): Promise<Answer> {
    const { endpoint, region, accessKeyId, secretAccessKey, sessionToken, fetch } = this.#options;
    const url = new URL(
      `${endpoint.replace(/\/+$/, "")}/${this.name}${key === undefined ? "" : `/${pathOf(key)}`}`,
    );
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
    const bodySha256 = hash("sha256", body ?? "", "hex");
    const datetime = new Date().toISOString().replaceAll(/[:-]|\.\d{3}/g, "");
    const signed = {
      ...headers,
      host: url.host,
      "x-amz-content-sha256": bodySha256,
      "x-amz-date": datetime,
      ...(sessionToken === null ? {} : { "x-amz-security-token": sessionToken }),
    };
    const request = { method, url, headers: signed, bodySha256, datetime, region };
    return await fetch(url.href, {
      method,
      headers: { ...signed, authorization: authorizationOf(request, { accessKeyId, secretAccessKey }) },
      signal,
      ...(body === undefined ? {} : { body }),
    });
  }

  async #assertOk(answer: Answer): Promise<void> {
    if (answer.ok) return;
    const code = errorCodeOf(await textOf(answer));
    throw failureOf({ status: answer.status, code, bucket: this.name });
  }
}

function pathOf(key: string): string {
  return key.split("/").map(encodeStrictly).join("/");
}

function deletionOf(versions: readonly Pick<ObjectVersion, "key" | "version">[]): string {
  const objects = versions.map(
    ({ key, version }) =>
      `<Object><Key>${escapeXml(key)}</Key>${version === null ? "" : `<VersionId>${escapeXml(version)}</VersionId>`}</Object>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>${objects.join("")}</Delete>`;
}

async function textOf(answer: Answer): Promise<string> {
  return new TextDecoder().decode(await bytesOf(answer));
}

/** No length that a server tells is relied on. */
async function bytesOf({ body }: Answer): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body ?? []) {
    bytes += part.byteLength;
    // Leaving the loop closes the connection.
    if (bytes > OBJECT_BYTES_MAX)
      throw new KattegatError("too_large", `Expected an object of at most ${OBJECT_BYTES_MAX} bytes.`);
    parts.push(part);
  }
  return Buffer.concat(parts, bytes);
}

/** That the server does not know what it was asked. */
function isUnknown({ status }: Answer): boolean {
  return status === 405 || status === 501;
}

async function emptied(answer: Answer): Promise<null> {
  await bytesOf(answer);
  return null;
}

/** A site as the operator asks it, beside the public contract. */
import { parseShape } from "@kattegat/protocol/parse.ts";
import { OPERATOR } from "@kattegat/protocol/site-token.ts";
import type { NetworkStatus } from "@kattegat/protocol/network-status.ts";
import { createTokenSigner } from "@kattegat/protocol/token-signer.ts";
import { createFetch } from "@kattegat/replication/fetch.ts";
import { createSiteClient, type SiteClient } from "@kattegat/replication/site-client.ts";
import type { JWK } from "jose";
import type { z } from "zod";
import { splitLines } from "./lines.ts";

/** A proof waits for a checkpoint, which takes in whatever was recorded since the last; a page of repairs is written in seconds. */
const ANSWER_MS_MAX = 60_000;

export interface Question {
  readonly query?: Readonly<Record<string, string>>;
  /** Makes the request a POST. */
  readonly body?: unknown;
}

/** Each method throws a `KattegatError`: the site's own, or `unavailable` or `timeout` when it gave none. */
export interface OperatorClient extends SiteClient {
  json<T>(schema: z.ZodType<T>, path: string, question?: Question): Promise<T>;
  /** Resolves with the lines of a bounded page. */
  lines(path: string, question?: Question): Promise<readonly string[]>;
}

/** Resolves sites by the addresses that the network tells; null for one without. Signs with the operator's key. */
export function operatorClients(
  { epoch, sites }: Pick<NetworkStatus, "epoch" | "sites">,
  { privateJwk }: { readonly privateJwk: JWK },
): (site: string) => OperatorClient | null {
  const signer = createTokenSigner({ privateJwk, issuer: OPERATOR, now: Date.now, epoch: () => epoch });
  const authorization = (site: string): Promise<string> => signer.authorization(site);
  const fetch = createFetch();
  const urls = new Map(sites.map(({ id, url }) => [id, url]));
  return (site) => {
    const baseUrl = urls.get(site) ?? null;
    return baseUrl === null
      ? null
      : operatorClient(createSiteClient({ site, baseUrl, fetch, authorization }));
  };
}

/** Adds to a client how an operator's commands ask. */
export function operatorClient(client: SiteClient): OperatorClient {
  const ask: SiteClient["request"] = (path, request, use) => client.request(path, request, use);
  return {
    site: client.site,
    request: ask,
    json: (schema, path, question) =>
      // What came is judged outside of the request, which takes whatever is thrown in it for silence.
      ask(pathOf(path, question), requestOf(question), (answer) => answer.json()).then((value) =>
        parseShape(schema, value, "internal"),
      ),
    lines: (path, question) =>
      ask(pathOf(path, question), requestOf(question), async ({ body }) =>
        body === null ? [] : await Array.fromAsync(splitLines(body)),
      ),
  };
}

function pathOf(path: string, { query = {} }: Question = {}): string {
  const text = new URLSearchParams(query).toString();
  return text === "" ? path : `${path}?${text}`;
}

function requestOf({ body }: Question = {}) {
  const common = { timeoutMs: ANSWER_MS_MAX, signal: new AbortController().signal };
  if (body === undefined) return common;
  const headers = { "content-type": "application/json" };
  return { ...common, method: "POST", headers, body: JSON.stringify(body) } as const;
}

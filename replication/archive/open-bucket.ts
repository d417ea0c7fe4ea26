/** Opens the bucket of an archive by what the environment says of its server. */
import type { Site } from "@kattegat/config/network.ts";
import { Agent, request } from "undici";
import type { Fetch } from "../site-client.ts";
import { sleep } from "../sleep.ts";
import { Bucket } from "./bucket.ts";

/** One connection for each document on its way. */
const CONNECTIONS_MAX = 32;
/** Below what servers keep an idle connection for: a request that is sent as it closes is lost. */
const IDLE_MS_MAX = 2_000;

export interface BucketSettings {
  /** Site id → address of its S3 server. */
  readonly endpoints: Readonly<Record<string, string>>;
  readonly region: string;
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: string | undefined;
  readonly sessionToken: string | undefined;
}

/** Null for a site without an address. @throws {Error} when there is an address without a key. */
export function bucketOpener(settings: BucketSettings): (site: Site) => Bucket | null {
  const fetch = createSender();
  const { region, accessKeyId, secretAccessKey, sessionToken } = settings;
  return ({ id, bucket }) => {
    const endpoint = settings.endpoints[id];
    if (endpoint === undefined || bucket === undefined) return null;
    if (accessKeyId === undefined || secretAccessKey === undefined)
      throw new Error(
        `expected AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the bucket of ${id}; the network file has no keys`,
      );
    return new Bucket({
      endpoint,
      name: bucket.name,
      region,
      accessKeyId,
      secretAccessKey,
      sessionToken: sessionToken ?? null,
      fetch,
      sleep,
      random: Math.random,
    });
  };
}

/** Sends without the streams of `fetch`, which cost as much again as the rest of a request: an archive sends one for each document. */
export function createSender({ connections = CONNECTIONS_MAX } = {}): Fetch {
  const dispatcher = new Agent({ connections, keepAliveTimeout: IDLE_MS_MAX });
  return async (url, { method, headers, body, signal }) => {
    const init = { method: methodOf(method), headers, signal, dispatcher, body: body ?? null };
    const answer = await request(url, init);
    return {
      ok: answer.statusCode >= 200 && answer.statusCode < 300,
      status: answer.statusCode,
      headers: {
        get(name) {
          const value = answer.headers[name];
          return typeof value === "string" ? value : (value?.[0] ?? null);
        },
      },
      body: answer.body,
      json: () => answer.body.json(),
      arrayBuffer: () => answer.body.arrayBuffer(),
    };
  };
}

function methodOf(method: string): "GET" | "PUT" | "POST" {
  return method === "PUT" || method === "POST" ? method : "GET";
}

/** Opens the bucket of an archive by what the environment says of its server. */
import type { Site } from "@kattegat/config/network.ts";
import { createFetch } from "../fetch.ts";
import { sleep } from "../sleep.ts";
import { Bucket } from "./bucket.ts";

/** One connection for each document on its way. */
const CONNECTIONS_MAX = 32;

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
  const fetch = createFetch({ connections: CONNECTIONS_MAX });
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

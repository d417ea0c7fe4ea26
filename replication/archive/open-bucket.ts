/** Opens the bucket of an archive by what the environment says of its server. */
import type { Site } from "@kattegat/config/network.ts";
import { createFetch } from "../fetch.ts";
import { sleep } from "../sleep.ts";
import type { Metered } from "../entropy/meter.ts";
import { Bucket } from "./bucket.ts";
import { meteredFetch } from "./metered-fetch.ts";

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

/** Null for a site without an address. `metered` hears the bytes of each body. */
export type OpenBucket = (site: Site, metered?: Metered) => Bucket | null;

/** @throws {Error} when it opens a bucket that has an address but no key. */
export function bucketOpener(settings: BucketSettings): OpenBucket {
  const fetch = createFetch({ connections: CONNECTIONS_MAX });
  const { region, accessKeyId, secretAccessKey, sessionToken } = settings;
  return ({ id, bucket }, metered) => {
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
      fetch: metered === undefined ? fetch : meteredFetch(fetch, metered),
      sleep,
      random: Math.random,
    });
  };
}

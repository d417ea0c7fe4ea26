/** Faults in an archive's bucket, made through its server. */
import { hashedId } from "@kattegat/engine/digests/hashed-id.ts";
import { archiveBuckets } from "@kattegat/ops/commands/connection.ts";
import { readNetwork } from "@kattegat/ops/configured-network.ts";
import { readSettings } from "@kattegat/ops/settings.ts";
import { prefixOf } from "@kattegat/replication/archive/object-name.ts";
import { createMeter } from "@kattegat/replication/entropy/meter.ts";
import type { BenchNetwork } from "./network.ts";
import type { Spoiler } from "./spoiler.ts";

const SITE = "archive-dk";
/** Inside what is sealed. */
const SPOILT_AT = 400;

export function openArchive({ data }: BenchNetwork): Spoiler {
  const settings = readSettings({ KATTEGAT_DATA: data });
  const site = readNetwork(settings).network.sites.find(({ id }) => id === SITE);
  const listed = createMeter();
  const bucket = site === undefined ? null : archiveBuckets(settings)(site, listed.metered);
  if (bucket === null) throw new Error(`expected the bucket of ${SITE}`);
  const { signal } = new AbortController();
  return {
    site: SITE,
    async spoil(kind, document) {
      const [object] = await Array.fromAsync(bucket.versions(prefixOf(hashedId(document)), signal));
      const stored = object === undefined ? null : await bucket.get(object.key, signal);
      if (object === undefined || stored === null) throw new Error(`expected an object of ${document}`);
      const { key } = object;
      const older = key.replace(/\/1\.\d+\./, "/1.0.");
      if (kind === "missing" || kind === "stale") await bucket.remove([{ key, version: null }], signal);
      if (kind === "stale" || kind === "extra") await bucket.put(older, stored.bytes, { signal });
      if (kind === "corrupted") {
        const spoilt = Uint8Array.from(stored.bytes);
        spoilt[SPOILT_AT] = (spoilt[SPOILT_AT] ?? 0) ^ 1;
        await bucket.put(key, spoilt, { signal });
      }
      return document;
    },
    async storeBytes() {
      const before = listed.bytes();
      let objects = 0;
      for await (const { bytes } of bucket.versions("", signal)) objects += bytes;
      return { names: listed.bytes() - before, objects };
    },
  };
}

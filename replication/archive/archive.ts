/** An archive with all that replication does about it. */
import type { Network, Site } from "@kattegat/config/network.ts";
import { mayHold } from "@kattegat/config/residency.ts";
import type { ComparedSite } from "../entropy/keeper.ts";
import { createMeter } from "../entropy/meter.ts";
import { createPlannedSource } from "../entropy/source.ts";
import type { SiteClient } from "../site-client.ts";
import type { Target } from "../target.ts";
import { ArchiveCopies } from "./archive-copies.ts";
import { ArchiveScrub } from "./archive-scrub.ts";
import { createArchiveTarget } from "./archive-target.ts";
import { ListedDigests } from "./listed-digests.ts";
import type { OpenBucket } from "./open-bucket.ts";
import { createPace, loopUtilization, type PaceOptions } from "./pace.ts";

export interface ArchiveParts {
  readonly target: Target;
  readonly scrub: ArchiveScrub;
  readonly compared: ComparedSite;
}

/** @throws {Error} when nobody has named its server. */
export function createArchive(
  site: Site,
  options: Pick<PaceOptions, "now" | "sleep"> & {
    readonly network: Network;
    readonly bucketOf: OpenBucket;
    readonly random: () => number;
    /** What is planned there. */
    readonly primary: SiteClient;
  },
): ArchiveParts {
  const { network, bucketOf, primary, now, random, sleep } = options;
  const exchanged = createMeter();
  const read = createMeter();
  const written = bucketOf(site);
  const bucket = bucketOf(site, exchanged.metered);
  const scrubbed = bucketOf(site, read.metered);
  if (written === null || bucket === null || scrubbed === null)
    throw new Error(
      `KATTEGAT_ARCHIVES: expected the URL of an S3 server for each running archive; missing: ${site.id}`,
    );
  const digests = new ListedDigests();
  const scrub = new ArchiveScrub({ site: site.id, bucket: scrubbed, digests, random });
  const mayBeHeld = (className: string): boolean => mayHold(network, className, site);
  return {
    target: createArchiveTarget({
      site: site.id,
      model: network.embedding.model,
      bucket: written,
      pace: createPace({ now, utilization: loopUtilization(), sleep }),
      watch: digests,
      mayHold: mayBeHeld,
    }),
    scrub,
    compared: {
      planned: createPlannedSource(primary, site.id, exchanged.metered),
      held: new ArchiveCopies({ bucket, digests, scrub }),
      mayHold: mayBeHeld,
      bytes: exchanged.bytes,
      scrubbedBytes: read.bytes,
    },
  };
}

/** What can go wrong in a simulated history. */
import { seededRandom } from "@kattegat/engine/seeded-random.ts";

export const FAULTS = [
  /** Requests and answers are lost. */
  "drop",
  /** A request comes a second time, up to a minute later. */
  "repeat",
  /** Requests take long, so that they overtake each other. */
  "delay",
  /** One direction between replication and a site is cut. */
  "partition",
  /** Replication is killed and started again. */
  "crash-replication",
  /** A regional's process is killed, also between data and watermark, and started again. */
  "crash-site",
  /** The clock of replication jumps by up to two hours, either way. */
  "clock-jump",
  /** A site takes seconds for what takes milliseconds. */
  "slow",
  /** Some documents cannot be taken by a site. */
  "poison",
  /** The primary dies with the tail of its log; its standby reigns. */
  "failover",
  /** The primary that died goes on to answer, and to write. */
  "zombie",
  /** A site's store goes back to an older state of itself. */
  "restore",
  /** A site's store vanishes while its process runs. */
  "vanish",
  /** A site is gone while more changes are made than tombstones are kept for. */
  "away",
  /** Two replications run at the same time. */
  "overlap",
  /** The primary's network file allows more than those of the sites. */
  "wide-sender",
  /** Replication's network file does, too. */
  "wide-replication",
] as const;
export type Fault = (typeof FAULTS)[number];

/** Changes that a regional's tombstone outlives in a simulation, where histories are short. */
export const TOMBSTONE_CHANGES = 30n;

export interface SimulationOptions {
  readonly seed: number;
  readonly faults: readonly Fault[];
  /** Documents that are written to, over and over. */
  readonly documents: number;
  /** Writes while there are faults. */
  readonly writes: number;
}

/** Faults are few in some histories, many in others: a fault that heals another would hide it. */
export function optionsOf(seed: number): SimulationOptions {
  const random = seededRandom(seed ^ 0x5eed);
  const share = 0.1 + 0.5 * random();
  return {
    seed,
    faults: FAULTS.filter(() => random() < share),
    documents: 3 + Math.floor(random() * 10),
    writes: 10 + Math.floor(random() * 50),
  };
}

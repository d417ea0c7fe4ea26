/** Where the copies of documents are by policy, remembered for a while. */
import { dayOf } from "@kattegat/config/day.ts";
import type { Network, TierName } from "@kattegat/config/network.ts";
import { policyVersion } from "@kattegat/config/policy-version.ts";
import { archiveSites, placement } from "@kattegat/config/placement.ts";

/** Policy depends on the day, when a country's listing ends: a day's change is seen within a minute. */
const REMEMBERED_MS = 60_000;

export interface Placed {
  readonly residency: string;
  readonly tier: TierName;
  readonly moving_from: TierName | null;
}

/** Asks the network file once a minute for each class and tier instead of six times for each written document. */
export class Placements {
  readonly network: Network;
  /** Which rules the network file has. */
  readonly policy: string;
  readonly #now: () => number;
  #known = new Map<string, readonly string[]>();
  #untilMs = 0;

  constructor(network: Network, now: () => number) {
    this.network = network;
    this.policy = policyVersion(network);
    this.#now = now;
  }

  /** Ids of the running sites that hold the searchable copy of a document that stands still. */
  of(residency: string, tier: TierName): readonly string[] {
    return this.searchable({ residency, tier, moving_from: null });
  }

  /** Ids of the sites that hold the searchable copy: while a document moves, those of both tiers. */
  searchable({ residency, tier, moving_from }: Placed): readonly string[] {
    return this.#remember(`${residency} ${tier} ${moving_from ?? ""}`, () => {
      const today = this.#today();
      const standing = placement({ residency, tier }, this.network, today);
      const leaving =
        moving_from === null ? [] : placement({ residency, tier: moving_from }, this.network, today);
      return [...new Set([...standing, ...leaving])];
    });
  }

  /** Ids of the sites to which the log brings a copy: the searchable one, and each archive's. */
  holders(placed: Placed): readonly string[] {
    const { residency, tier, moving_from } = placed;
    return this.#remember(`held ${residency} ${tier} ${moving_from ?? ""}`, () => [
      ...this.searchable(placed),
      ...archiveSites(residency, this.network, this.#today()),
    ]);
  }

  #today(): string {
    return dayOf(this.#now());
  }

  #remember(key: string, ask: () => readonly string[]): readonly string[] {
    if (this.#now() > this.#untilMs) {
      this.#known = new Map();
      this.#untilMs = this.#now() + REMEMBERED_MS;
    }
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const sites = ask();
    this.#known.set(key, sites);
    return sites;
  }
}

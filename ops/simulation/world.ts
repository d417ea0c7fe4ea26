/** Everything that takes part in one simulated history. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseNetwork } from "@kattegat/config/load.ts";
import type { Network } from "@kattegat/config/network.ts";
import { seededRandom } from "@kattegat/engine/seeded-random.ts";
import { compareFences, SEQUENCE_ZERO, type Fence } from "@kattegat/protocol/sequence.ts";
import { readScanner } from "@kattegat/replication/scanner.ts";
import { Clock, START_MS } from "./clock.ts";
import { DIMENSIONS } from "./content.ts";
import { EDGE_SEAMS, EdgeSite, type EdgeSeams } from "./edge-site.ts";
import type { Fault, SimulationOptions } from "./faults.ts";
import { PRIMARY_SEAMS, SimulatedPrimary, type PrimaryOptions, type PrimarySeams } from "./primary.ts";
import { REGIONAL_SEAMS, RegionalSite, type RegionalSeams } from "./regional-site.ts";
import {
  REPLICATION_SEAMS,
  startReplication,
  type ReplicationProcess,
  type ReplicationSeams,
} from "./replication-process.ts";
import type { Site } from "./site.ts";
import { Wire } from "./wire.ts";

export interface Seams {
  readonly primary: PrimarySeams;
  readonly regional: RegionalSeams;
  readonly edge: EdgeSeams;
  readonly replication: ReplicationSeams;
  /** Whether the runbook for a failover knows of targets that were told of what was lost. */
  readonly knowsTold: boolean;
}

/** Nothing is built wrongly. */
export const SEAMS: Seams = {
  primary: PRIMARY_SEAMS,
  regional: REGIONAL_SEAMS,
  edge: EDGE_SEAMS,
  replication: REPLICATION_SEAMS,
  knowsTold: true,
};

const file = parseNetwork(
  readFileSync(fileURLToPath(import.meta.resolve("@kattegat/config/network.yaml")), "utf8"),
);
/** As delivered, with vectors that cost nothing. */
export const NETWORK: Network = { ...file, embedding: { ...file.embedding, dimensions: DIMENSIONS } };
export const PRIMARY_SITE = NETWORK.sites.find(({ kind }) => kind === "primary")?.id ?? "";

/** A network file of somebody who did not know the law: every class may rest everywhere, without a condition. */
export const WIDE_NETWORK: Network = {
  ...NETWORK,
  classes: Object.fromEntries(
    Object.entries(NETWORK.classes).map(([name, { transit, serve, cache }]) => [
      name,
      {
        personal_data: false,
        store: { countries: ["anywhere"], zones: ["eu", "global"] },
        transit,
        serve,
        cache,
      },
    ]),
  ),
};

const scanner = readScanner();

export interface Running {
  readonly process: ReplicationProcess;
  /** Which primary its name server knows. */
  primary: SimulatedPrimary;
  /** How far its machine's clock is off. */
  readonly clock: { jumpMs: number };
}

export interface Building {
  readonly seams: Seams;
  /** Whether the trace is written, which takes half of the time. */
  readonly isTraced: boolean;
}

export class World {
  readonly options: SimulationOptions;
  readonly seams: Seams;
  readonly isTraced: boolean;
  readonly clock = new Clock();
  readonly random: () => number;
  readonly wire: Wire;
  readonly sites: readonly (RegionalSite | EdgeSite)[];
  /** By the reign: the log of each, with what was lost of it. */
  readonly reigns = new Map<number, SimulatedPrimary>();
  readonly running: Running[] = [];
  /** Sequences that a target named as parked, as `site epoch sequence`. */
  readonly parked = new Set<string>();
  /** Sites that were told of changes which were lost: what they hold, or do not, may rest on them. */
  readonly suspects = new Set<string>();
  readonly told = new Map<string, Fence>();
  /** Sites that lost data which they had confirmed: what they confirmed says nothing from then on. */
  readonly bereaved = new Set<string>();
  readonly trace: string[] = [];
  violation: string | null = null;
  primary: SimulatedPrimary;
  /** Documents whose body the door of a regional refuses. */
  readonly tooLarge = new Set<string>();
  #started = 0;
  settling: PrimaryOptions["settling"] = () => undefined;

  constructor(options: SimulationOptions, { seams, isTraced }: Building) {
    this.options = options;
    this.seams = seams;
    this.isTraced = isTraced;
    this.random = seededRandom(options.seed);
    const { clock, random } = this;
    this.wire = new Wire({ clock, random, faults: new Set(options.faults) });
    const isTooLarge = (text: string): boolean => this.tooLarge.has(text);
    this.sites = NETWORK.sites.flatMap((site): (RegionalSite | EdgeSite)[] => {
      const parts = { id: site.id, network: NETWORK, clock, random, scanner, isTooLarge };
      if (site.kind === "regional") return [new RegionalSite({ ...parts, seams: seams.regional })];
      return site.kind === "edge" ? [new EdgeSite({ ...parts, seams: seams.edge })] : [];
    });
    this.primary = new SimulatedPrimary(
      {
        site: PRIMARY_SITE,
        network: this.has("wide-sender") ? WIDE_NETWORK : NETWORK,
        clock,
        random,
        seams: seams.primary,
        told: (target, head) => this.#told(target, head),
        settling: (primary, held, sites) => this.settling(primary, held, sites),
      },
      { epoch: 0, rows: [] },
    );
    this.reigns.set(this.primary.epoch, this.primary);
  }

  has(fault: Fault): boolean {
    return this.options.faults.includes(fault);
  }

  note(text: string): void {
    if (this.isTraced)
      this.trace.push(`${((this.clock.nowMs - START_MS) / 1_000).toFixed(3).padStart(8)}  ${text}`);
  }

  start(): void {
    const name = `replication-${(this.#started += 1)}`;
    const heard = (fields: object, message: string): void => this.#heard(name, fields, message);
    const clock = { jumpMs: 0 };
    const process = startReplication({
      name,
      network: this.has("wide-replication") ? WIDE_NETWORK : NETWORK,
      sites: this.sites,
      primarySite: PRIMARY_SITE,
      primary: () => running.primary,
      wire: this.wire,
      clock: this.clock,
      now: () => this.clock.nowMs + clock.jumpMs,
      random: this.random,
      scanner,
      seams: this.seams.replication,
      log: { info: heard, warn: heard, error: heard },
    });
    const running: Running = { process, primary: this.primary, clock };
    this.running.push(running);
    this.note(`${name} starts`);
  }

  kill(running: Running): void {
    running.process.kill();
    this.running.splice(this.running.indexOf(running), 1);
    this.note("replication is killed");
  }

  /** Says what the history shows that may not be; it ends with the first. */
  fail(violation: string): void {
    this.violation ??= violation;
  }

  /** Differs whenever something does that is stored, or was named. */
  state(): string {
    return [
      this.primary.epoch,
      this.primary.head,
      this.parked.size,
      ...this.sites.map(({ stamp }) => stamp),
    ].join(" ");
  }

  end(): void {
    for (const { process } of this.running) process.kill();
  }

  /**
   * Empties a site, so that it is filled from the log.
   *
   * After whatever was on its way there has come, since a batch of a reign that is over may begin at the beginning too.
   */
  rebuild(site: Site): void {
    this.wire.drain(site.id);
    site.wipe();
    this.suspects.delete(site.id);
    this.told.delete(site.id);
    this.bereaved.add(site.id);
    this.note(`${site.id} is rebuilt`);
  }

  #told(target: string, head: Fence): void {
    const known = this.told.get(target);
    if (known === undefined || compareFences(head, known) > 0) this.told.set(target, head);
    if (this.hasLost(head)) this.suspect(target);
  }

  suspect(target: string): void {
    if (this.seams.knowsTold) this.suspects.add(target);
  }

  /** Whether the log of today was never at the fence: that was another reign's. */
  hasLost({ epoch, sequence }: Fence): boolean {
    return sequence !== SEQUENCE_ZERO && this.primary.rows[Number(sequence) - 1]?.epoch !== epoch;
  }

  #heard(name: string, fields: object, message: string): void {
    const { err, ...told }: { readonly err?: unknown } = fields;
    const reason = err instanceof Error ? err.message : "";
    if (this.isTraced) this.note(`${name}: ${message} ${JSON.stringify(told)} ${reason}`);
    if (message === "unexpected") this.fail(`replication threw ${String(err)}`);
    if (message === "parked" && "target" in fields && "sequence" in fields)
      this.parked.add(`${String(fields.target)} ${String(fields.sequence)}`);
  }
}

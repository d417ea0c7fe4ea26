/** A regional site: its applier over points in memory. */
import { modelsOf } from "@kattegat/config/models.ts";
import type { Network } from "@kattegat/config/network.ts";
import { applyRequestSchema, type ApplyRequest } from "@kattegat/protocol/changes.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { compareFences, fenceSchema, FENCE_ZERO, type Fence } from "@kattegat/protocol/sequence.ts";
import { Applier } from "@kattegat/regional/apply/applier.ts";
import { holdingSchema, isComplete, type Holding } from "@kattegat/regional/apply/holding.ts";
import { Watermark } from "@kattegat/regional/apply/watermark.ts";
import { WATERMARK_POINT_ID } from "@kattegat/regional/qdrant/point-id.ts";
import type { PointStore } from "@kattegat/regional/qdrant/schema.ts";
import { regionalSiteOf } from "@kattegat/regional/regional.ts";
import type { Answer, SiteRequest } from "@kattegat/replication/site-client.ts";
import type { Clock } from "./clock.ts";
import { TOMBSTONE_CHANGES } from "./faults.ts";
import {
  copiesOver,
  copyOfTable,
  emptyTable,
  pointStoreOf,
  type Payload,
  type PointTable,
} from "./point-table.ts";
import { answerOf, type Copy, type Site } from "./site.ts";

/** An operation of a store that shares a machine takes this long at times: what else happens meanwhile is the point. */
const OPERATION_MS_MAX = 20;

/** The places at which a regional can be built wrongly. */
export interface RegionalSeams {
  readonly points: (points: PointStore) => PointStore;
  readonly request: (request: ApplyRequest) => ApplyRequest;
  readonly network: (network: Network) => Network;
  readonly tombstoneChanges: bigint;
}

export const REGIONAL_SEAMS: RegionalSeams = {
  points: (points) => points,
  request: (request) => request,
  network: (network) => network,
  tombstoneChanges: TOMBSTONE_CHANGES,
};

export interface RegionalOptions {
  readonly id: string;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: () => number;
  readonly seams: RegionalSeams;
  /** Whether the door refuses a body with this document. */
  readonly isTooLarge: (text: string) => boolean;
}

interface Process {
  readonly applier: Applier;
  readonly watermark: Watermark;
  isAlive: boolean;
}

export class RegionalSite implements Site {
  readonly kind = "regional";
  readonly id: string;
  readonly #options: RegionalOptions;
  #table: PointTable = emptyTable();
  #backup: PointTable | null = null;
  #process: Process;
  #copies: { readonly stamp: number; readonly held: ReadonlyMap<string, Copy> } | null = null;
  stamp = 0;
  life = 0;

  constructor(options: RegionalOptions) {
    this.#options = options;
    this.id = options.id;
    this.#process = this.#started();
  }

  get watermark(): Fence {
    return watermarkOf(this.#table);
  }

  copies(): ReadonlyMap<string, Copy> {
    if (this.#copies?.stamp !== this.stamp) this.#copies = { stamp: this.stamp, held: this.#read() };
    return this.#copies.held;
  }

  #read(): ReadonlyMap<string, Copy> {
    const { watermark } = this;
    const copies = new Map<string, Copy>();
    const counts = new Map<string, number>();
    const holdings = new Map<string, Holding>();
    for (const payload of this.#table.passages.values()) {
      const id = String(payload["document_id"]);
      const version = String(payload["version"]);
      counts.set(id, (counts.get(id) ?? 0) + 1);
      const known = copies.get(id);
      const isFirst = payload["ordinal"] === 1;
      if (isFirst) holdings.set(id, holdingOf(payload));
      const isMixed = known !== undefined && (known.isMixed || known.version !== version);
      if (known !== undefined && !isFirst) copies.set(id, { ...known, isMixed });
      else
        copies.set(id, {
          documentId: id,
          version,
          residency: String(payload["residency"]),
          text: String(payload["text"]),
          fence: null,
          isMixed,
        });
    }
    for (const [id, copy] of copies) {
      const holding = holdings.get(id);
      const isWhole = holding !== undefined && isComplete(holding, watermark);
      const fence = holding === undefined ? null : { epoch: holding.epoch, sequence: holding.sequence };
      const isMixed = isWhole && (copy.isMixed || counts.get(id) !== holding.passages);
      copies.set(id, { ...copy, fence, isMixed });
    }
    return copies;
  }

  damage(): string | null {
    return null;
  }

  async handle(path: string, request: SiteRequest): Promise<Answer> {
    const { applier, watermark } = this.#process;
    if (path.startsWith("/internal/watermark")) {
      const position = await watermark.read();
      return answerOf({ site: this.id, watermark: position.watermark, watermark_at: position.watermark_at });
    }
    if (path === "/internal/editions:retire") return answerOf({ retired: [] });
    if (path !== "/internal/apply") throw new KattegatError("not_found", path);
    const body: ApplyRequest = applyRequestSchema.parse(JSON.parse(String(request.body)));
    const isTooLarge = body.changes.some(
      (change) => change.kind === "put" && this.#options.isTooLarge(change.document.passages[0]?.text ?? ""),
    );
    if (isTooLarge) throw new KattegatError("too_large", "The body is too large.");
    return answerOf(await applier.apply(this.#options.seams.request(body)));
  }

  restart(): void {
    this.#process.isAlive = false;
    this.#process = this.#started();
  }

  backup(): void {
    this.#backup = copyOfTable(this.#table);
  }

  restore(): boolean {
    if (this.#backup === null || compareFences(watermarkOf(this.#backup), this.watermark) >= 0) return false;
    this.#replace(copyOfTable(this.#backup));
    return true;
  }

  wipe(): void {
    this.#replace(emptyTable());
  }

  /** A store is replaced while no process of its site runs, as the runbook says. */
  #replace(table: PointTable): void {
    this.#process.isAlive = false;
    this.#table = table;
    this.life += 1;
    this.stamp += 1;
    this.#process = this.#started();
  }

  /** The collections are gone under the running process, which hears of it as from Qdrant. */
  vanish(): void {
    this.#table = emptyTable();
    this.life += 1;
    this.stamp += 1;
    this.#hasVanished = true;
  }

  #hasVanished = false;

  #started(): Process {
    const { clock, id, network, random, seams } = this.#options;
    const between = async (): Promise<void> => {
      if (random() < 0.3) await clock.sleep(random() * OPERATION_MS_MAX);
      // A process that was killed does nothing more, whatever it waited for.
      if (!process.isAlive) await new Promise(() => undefined);
    };
    const changed = (): void => {
      this.stamp += 1;
    };
    const points = seams.points(pointStoreOf(() => this.#table, { changed, between }));
    const copies = copiesOver(points, {
      before: between,
      hasVanished: () => {
        const has = this.#hasVanished;
        this.#hasVanished = false;
        return has;
      },
    });
    const watermark = new Watermark(copies, () => clock.nowMs);
    const [model] = modelsOf(network);
    if (model === undefined) throw new TypeError("expected a network with a model");
    const applier = new Applier({
      network: seams.network(network),
      model,
      site: regionalSiteOf(network, id),
      schema: copies,
      watermark,
      tombstones: { changesMax: seams.tombstoneChanges, pruneBatches: 5 },
      now: () => clock.nowMs,
    });
    const process: Process = { applier, watermark, isAlive: true };
    return process;
  }
}

/** A point is replaced, never changed: what was read of its payload once holds for as long as there is this one. */
const knownHoldings = new WeakMap<Payload, Holding>();
const knownWatermarks = new WeakMap<Payload, Fence>();

function holdingOf(payload: Payload): Holding {
  const known = knownHoldings.get(payload) ?? holdingSchema.parse(payload["holding"]);
  knownHoldings.set(payload, known);
  return known;
}

function watermarkOf({ meta }: PointTable): Fence {
  const payload = meta.get(WATERMARK_POINT_ID);
  if (payload === undefined) return FENCE_ZERO;
  const known = knownWatermarks.get(payload) ?? fenceSchema.parse(payload["watermark"]);
  knownWatermarks.set(payload, known);
  return known;
}

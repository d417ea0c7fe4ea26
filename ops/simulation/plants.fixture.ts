/** Deliberate mistakes, each at one place where a part of the network meets another. */
import { FENCE_ZERO } from "@kattegat/protocol/sequence.ts";
import type { ApplyRequest } from "@kattegat/protocol/changes.ts";
import { WATERMARK_POINT_ID } from "@kattegat/regional/qdrant/point-id.ts";
import type { PointStore } from "@kattegat/regional/qdrant/schema.ts";
import type { Fault, SimulationOptions } from "./faults.ts";
import { COLLECTIONS } from "./point-table.ts";
import type { LogRow } from "./primary.ts";
import {
  carefree,
  leavingOld,
  ofAnyReign,
  onReceipt,
  unhidden,
  unnamed,
} from "./replication-mistakes.fixture.ts";
import { SEAMS, WIDE_NETWORK, type Seams } from "./world.ts";

export interface Plant {
  readonly mistake: string;
  readonly invariants: string;
  /** Built anew for each history. */
  readonly seams: () => Seams;
  /** Those that make it show; none where it shows without. */
  readonly faults: readonly Fault[];
  readonly caughtAs: RegExp;
  /** Where few documents with many writes make it show sooner. */
  readonly load?: Pick<SimulationOptions, "documents" | "writes">;
}

const primary = (seams: Partial<Seams["primary"]>) => (): Seams => ({
  ...SEAMS,
  primary: { ...SEAMS.primary, ...seams },
});
const regional = (seams: () => Partial<Seams["regional"]>) => (): Seams => ({
  ...SEAMS,
  regional: { ...SEAMS.regional, ...seams() },
});
const edge = (seams: Partial<Seams["edge"]>) => (): Seams => ({
  ...SEAMS,
  edge: { ...SEAMS.edge, ...seams },
});
const replication = (seams: Partial<Seams["replication"]>) => (): Seams => ({
  ...SEAMS,
  replication: { ...SEAMS.replication, ...seams },
});

/** A transaction that took its number early, and committed late. */
const LATE_COMMIT_MS = 2_000;
const lateCommits = (rows: readonly LogRow[], nowMs: number): readonly LogRow[] =>
  rows.filter((row) => Number(row.sequence) % 4 !== 0 || nowMs - row.committed_at.getTime() > LATE_COMMIT_MS);

/** What a log keeps that forgets all but the last word on each document, after so many changes. */
const KEPT_CHANGES = 10;
const compacted = (rows: readonly LogRow[]): readonly LogRow[] => {
  const last = new Map(rows.map((row) => [row.document_id, row]));
  return rows.filter(
    (row, index) =>
      index >= rows.length - KEPT_CHANGES || (last.get(row.document_id) === row && row.after !== null),
  );
};

/** Data follows the watermark. */
const watermarkFirst = (points: PointStore): PointStore => {
  let waiting: (() => Promise<unknown>)[] = [];
  return {
    ...points,
    batchUpdate(name, operations) {
      waiting.push(() => points.batchUpdate(name, operations));
      return Promise.resolve([]);
    },
    async upsert(name, operation) {
      const done = await points.upsert(name, operation);
      if (!JSON.stringify(operation).includes(WATERMARK_POINT_ID)) return done;
      const late = waiting;
      waiting = [];
      for (const write of late) await write();
      return done;
    },
  };
};

/** Keeps the watermark, and no word on what is gone. */
const withoutTombstones = (points: PointStore): PointStore => ({
  ...points,
  upsert: (name, operation) =>
    name === COLLECTIONS.meta && JSON.stringify(operation).includes('"tombstone"')
      ? Promise.resolve({ operation_id: 0, status: "completed" })
      : points.upsert(name, operation),
});

/** Takes every change for one of this epoch. */
const inEpoch = (request: ApplyRequest, epoch: number): ApplyRequest => ({
  ...request,
  after: request.after.epoch === 0 ? request.after : { ...request.after, epoch },
  watermark: { ...request.watermark, epoch },
  changes: request.changes.map((change) => ({ ...change, epoch })),
});

/** Takes a sender of an earlier reign for one of the latest that it heard of. */
const inLatestEpoch = (): ((request: ApplyRequest) => ApplyRequest) => {
  let latest = 0;
  return (request) => {
    latest = Math.max(latest, request.watermark.epoch);
    return request.watermark.epoch < latest ? inEpoch(request, latest) : request;
  };
};

export const PLANTS: readonly Plant[] = [
  {
    mistake: "the log is read by a cursor over numbers that were taken before the commit",
    invariants: "I1",
    seams: primary({ readable: lateCommits }),
    faults: [],
    caughtAs: /passed \d+ without|which is now of|which was|still/,
  },
  {
    mistake: "a change that a later one supersedes is skipped, its withdraw too",
    invariants: "I9",
    seams: primary({
      actionOf: (change, options) =>
        change.current === null ? "skip" : SEAMS.primary.actionOf(change, options),
    }),
    faults: [],
    caughtAs: /which was (erased|withdrawn)/,
  },
  {
    mistake: "a move withdraws the old copies before the new ones are confirmed",
    invariants: "I10",
    seams: primary({ confirmedBy: (current) => current.head }),
    faults: ["slow"],
    caughtAs: /withdrawn from its old sites before/,
  },
  {
    mistake: "a move ends although a new site refused the copy",
    invariants: "I10",
    seams: primary({ refusedBy: () => false }),
    faults: ["poison"],
    caughtAs: /withdrawn from its old sites before/,
  },
  {
    mistake: "the feed takes every position for one of its own log",
    invariants: "I2",
    seams: primary({ assertOnLog: () => undefined }),
    faults: ["failover", "slow", "delay"],
    caughtAs: /no agreement|no log has|halted|withdrawn from its old sites before/,
  },
  {
    mistake: "the log forgets withdraws that a site which was away has not read",
    invariants: "I9",
    seams: primary({ readable: compacted }),
    faults: ["away"],
    caughtAs: /which was (erased|withdrawn)|passed \d+ without|no agreement/,
  },
  {
    mistake: "the runbook of a failover forgets targets that were only told of the lost changes",
    invariants: "I2",
    seams: () => ({ ...SEAMS, knowsTold: false }),
    faults: ["failover", "vanish", "slow", "delay"],
    caughtAs: /passed \d+ without|which is now of/,
    load: { documents: 12, writes: 100 },
  },
  {
    mistake: "a fence is compared without its epoch",
    invariants: "I2",
    seams: regional(() => ({ request: (request) => inEpoch(request, 1) })),
    faults: ["failover"],
    caughtAs: /no log has|the log does not have|halted|went back/,
  },
  {
    mistake: "changes of an epoch that is over are accepted",
    invariants: "I2",
    seams: regional(() => ({ request: inLatestEpoch() })),
    faults: ["failover", "repeat", "zombie"],
    caughtAs: /not given by this log|the log does not have|which was|passed \d+ without|no log has|halted/,
  },
  {
    mistake: "a batch is taken wherever the site is",
    invariants: "I8",
    seams: regional(() => ({ request: (request) => ({ ...request, after: FENCE_ZERO }) })),
    faults: ["restore", "vanish"],
    caughtAs: /passed \d+ without|which was|which is now of/,
  },
  {
    mistake: "the watermark is stored before the data",
    invariants: "I8",
    seams: regional(() => ({ points: watermarkFirst })),
    faults: ["crash-site"],
    caughtAs: /more than once|passed \d+ without|which was|which is now of/,
  },
  {
    mistake: "tombstones are dropped while late copies can still come",
    invariants: "I3",
    seams: regional(() => ({ points: withoutTombstones, tombstoneChanges: 1_000_000n })),
    faults: ["repeat"],
    caughtAs: /which was (erased|withdrawn)/,
  },
  {
    mistake: "policy is checked by the sender alone, at a regional",
    invariants: "I5",
    seams: regional(() => ({ network: () => WIDE_NETWORK })),
    faults: ["wide-sender"],
    caughtAs: /which is (dk-only|eu)$/,
  },
  {
    mistake: "policy is checked by the senders alone, at an edge",
    invariants: "I5",
    seams: edge({ network: () => WIDE_NETWORK }),
    faults: ["wide-sender", "wide-replication"],
    caughtAs: /which is (dk-only|eu)$/,
  },
  {
    mistake: "the sender's word is believed that everything was stored: it acknowledges on receipt",
    invariants: "I8, I10",
    seams: replication({ target: onReceipt }),
    faults: ["slow", "drop"],
    caughtAs: /withdrawn from its old sites before|passed \d+ without|no agreement/,
  },
  {
    mistake: "a lost answer is taken for a yes",
    invariants: "I8, I10",
    seams: replication({ target: carefree }),
    faults: ["drop", "poison"],
    caughtAs: /withdrawn from its old sites before|passed \d+ without|no agreement/,
  },
  {
    mistake: "a parked put leaves the older version where it is",
    invariants: "I15",
    seams: replication({ target: leavingOld }),
    faults: ["poison"],
    caughtAs: /still shows/,
  },
  {
    mistake: "a change that a site refused is not named",
    invariants: "I15",
    seams: replication({ target: unnamed }),
    faults: ["poison"],
    caughtAs: /which nobody says|withdrawn from its old sites before/,
  },
  {
    mistake: "a refused change is named by its sequence alone, which a later reign issues again",
    invariants: "I2, I10",
    seams: replication({ primary: ofAnyReign }),
    faults: ["failover", "zombie", "wide-sender"],
    caughtAs: /no agreement after quiet: .* is still on its way/,
    load: { documents: 12, writes: 40 },
  },
  {
    mistake: "a merge of segments forgets what was hidden in them",
    invariants: "I3",
    seams: replication({
      merge: (merge) => (inputs, about, signal) => merge(unhidden(inputs), about, signal),
    }),
    faults: [],
    caughtAs: /more than once|which was|which is now of|still/,
  },
  {
    mistake: "two publishers of a manifest both win",
    invariants: "I12",
    seams: edge({ isCurrent: () => true }),
    faults: ["overlap", "slow"],
    caughtAs:
      /went back|halted without a reason|which is gone|passed \d+ without|more than once|which was|which is now of/,
  },
];

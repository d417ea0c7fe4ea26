/** The system of record with everything that it keeps in memory. */
import type { Network } from "@kattegat/config/network.ts";
import type { Embedder } from "@kattegat/engine/embedding/embedder.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { PlannedDigests } from "./digests/planned-digests.ts";
import { createComparing, type Comparing } from "./digests/comparing.ts";
import { openStores, type ColdOptions } from "./cold/open-store.ts";
import type { OpenBase } from "./cold/open-base.ts";
import type { BaseUpkeep } from "./cold/rebase.ts";
import { createPassageMaker } from "./documents/passages.ts";
import { Placements } from "./documents/placements.ts";
import { Placing } from "./documents/placing.ts";
import { commitGroup } from "./documents/transaction.ts";
import { Writer } from "./documents/writer.ts";
import type { AppliedLog } from "./log/head.ts";
import { ReachedHead, beginReign } from "./log/reign.ts";
import { RecentPuts } from "./log/recent-puts.ts";
import type { NextEmbedder } from "./next/next-embedder.ts";
import type { NextEdition } from "./next/next-edition.ts";
import { agreeOnModels, baseUpkeepsOf, nextEmbedderIn, openNext } from "./next/open-next.ts";
import { Confirmations } from "./network/confirmations.ts";
import { openDatabase, type Database } from "./postgres/database.ts";
import { loggable } from "./postgres/failure.ts";
import { PassageContents } from "./search/contents.ts";
import { Pacer } from "./pacer.ts";
import type { DocumentSeals } from "./sealing/document-seals.ts";
import { eraseAgain } from "./sealing/erase-again.ts";
import type { KeyRotation } from "./sealing/key-rotation.ts";
import { openSeals, type OpenSeals } from "./sealing/open-seals.ts";
import type { KeyringPlace } from "./sealing/keyring.ts";
import { CopyEntries } from "./ledger/copy-entries.ts";
import { OwnRemoval } from "./ledger/own-removal.ts";
import { Ledger } from "./ledger/ledger.ts";
import type { NoteSigner } from "./ledger/signed-note.ts";
import { LiveMemory } from "./search/live-memory.ts";
import { rebuildMemory, type Memory } from "./search/rebuild.ts";
import { StatisticsPublisher } from "./statistics/publisher.ts";

export interface PrimaryOptions {
  readonly network: Network;
  readonly site: string;
  readonly databaseUrl: string;
  /** Where the keys are that wrap those of the documents; made with the first database. */
  readonly keyring: KeyringPlace;
  /** How long a replaced content can still be opened, from a backup. */
  readonly replacedMs: number;
  readonly ledgerSigner: NoteSigner;
  /** Of the index's documents; 0 only tells. */
  readonly repairsPerMinute: number;
  readonly scanner: Scanner;
  readonly embedder: Embedder;
  /** Of the model that is being prepared; null without one. */
  readonly nextEmbedder: Embedder | null;
  /** Where trained embeddings are, which targets copy. */
  readonly embeddings: string;
  readonly now: () => number;
  readonly newId: () => string;
  /** Resolves when pending input has had its turn. */
  readonly pause: () => Promise<void>;
  readonly log: {
    info(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
  /** Where cold passages rest that no edge may hold; left out, they stay in memory. */
  readonly cold?: ColdOptions;
}

export interface Primary
  extends Omit<PrimaryOptions, "databaseUrl" | "keyring" | "log" | "cold" | "nextEmbedder">, Comparing {
  readonly placements: Placements;
  readonly seals: DocumentSeals;
  readonly keyRotation: KeyRotation;
  readonly ownRemoval: OwnRemoval;
  readonly placing: Placing;
  readonly ledger: Ledger;
  readonly database: Database;
  readonly memory: () => Memory;
  readonly applied: AppliedLog;
  readonly reached: ReachedHead;
  readonly recentPuts: RecentPuts;
  readonly writer: Writer;
  readonly statistics: StatisticsPublisher;
  readonly confirmations: Confirmations;
  readonly contents: PassageContents;
  readonly planned: PlannedDigests;
  /** The copies of the model that is being prepared; null without one. */
  readonly next: NextEdition | null;
  /** Null when cold passages stay in memory. */
  readonly baseUpkeep: BaseUpkeep | null;
  readonly nextBaseUpkeep: BaseUpkeep | null;
  /** Resolves when accepted writes are committed and the connections are closed. */
  close(): Promise<void>;
}

/**
 * Resolves when the tables are up to date and memory is level with Postgres.
 *
 * @throws {ModelMismatchError} when another model embedded the data.
 */
export async function openPrimary(options: PrimaryOptions): Promise<Primary> {
  const database = await openDatabase({ url: options.databaseUrl });
  try {
    return await assemble(database, options);
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function assemble(database: Database, options: PrimaryOptions): Promise<Primary> {
  const { network, site, now, log } = options;
  const { sql } = database;
  const placements = new Placements(network, now);
  const copies = new CopyEntries({ placements, site });
  const { seals, keyRotation, reached } = await openKeys(sql, copies, options);
  await agreeOnModels(sql, options);
  const pacer = new Pacer(options);
  const progress = (fields: object, message: string): void => log.info(fields, message);
  const stores = await openStores(options, { sql, pacer });
  const closeStores = async (): Promise<void> => {
    await Promise.all([stores.serving?.close(), stores.next?.close()]);
  };
  const openBase = (): OpenBase | null => stores.serving?.current ?? null;
  const rebuilt = { ...options, placements, seals, pacer, progress, openBase };
  const live = await LiveMemory.open(() => rebuildMemory(sql, rebuilt)).catch(async (error: unknown) => {
    await closeStores();
    throw error;
  });
  const { applied } = live;
  const parts = { ...options, placements, copies, seals, sql, pacer, progress, applied };
  const nextEmbedder = nextEmbedderIn(options);
  const next = nextEmbedder === null ? null : await openNext(nextEmbedder, { ...parts, stores });
  live.follower = next;
  const counted = () => ({ counter: live.memory.statistics, sequence: applied.head.fence.sequence });
  const statistics = new StatisticsPublisher({ database, now, source: counted });
  const vectors = next?.vectors ?? null;
  const confirmations = new Confirmations({ ...parts, database, next: vectors });
  await statistics.load();
  await confirmations.load();
  const contents = new PassageContents(sql, seals);
  const planned = new PlannedDigests(network);
  const writer = createWriter({ ...parts, live, contents, statistics, nextEmbedder, planned });
  const placing = new Placing({ sql, placements, writer, log: progress });
  await placing.begin();
  const folders = [stores.serving, stores.next].filter((store) => store !== null);
  const { index: rows, documents } = live.memory.index;
  log.info({ documents, passages: rows.size }, "index rebuilt");
  return {
    ...options,
    placements,
    seals,
    keyRotation,
    ownRemoval: new OwnRemoval({ sql, copies, folders }),
    placing,
    ledger: new Ledger({ sql, signer: options.ledgerSigner, now }),
    database,
    memory: () => live.memory,
    applied,
    reached,
    recentPuts: new RecentPuts(),
    writer,
    statistics,
    confirmations,
    contents,
    planned,
    ...createComparing({ ...parts, index: () => live.memory.index, planned, writer }),
    next,
    ...baseUpkeepsOf(stores, { ...parts, live, next }),
    close: async () => {
      applied.release();
      next?.vectors.released.release();
      await writer.close();
      await closeStores();
      await database.close();
      await reached.note(applied.head.fence);
    },
  };
}

/** Opens the keys; what was erased after the backup that this database may be is erased again, in a reign of its own. */
async function openKeys(
  sql: Database["sql"],
  copies: CopyEntries,
  options: PrimaryOptions,
): Promise<OpenSeals & { readonly reached: ReachedHead }> {
  const opened = await openSeals(sql, {
    ...options,
    destroying: (tx, at) => copies.destroying(tx, at),
    destroyed: (tx, erasures) => copies.destroyed(tx, erasures),
  });
  const { erased } = opened;
  const reached = new ReachedHead(options.keyring.folder);
  const before = reached.reached;
  const begun = await beginReign(sql, reached);
  if (begun !== null)
    options.log.info(
      { ...begun, before },
      "the log is not as far as it was: a reign of its own begins, and sites that are further have to be rebuilt",
    );
  await eraseAgain(sql, erased, options);
  if (erased.length > 0)
    options.log.info({ documents: erased.length }, "documents of a restored database are erased again");
  return { ...opened, reached };
}

function createWriter({
  sql,
  live,
  statistics,
  nextEmbedder: next,
  planned,
  ...options
}: Omit<PrimaryOptions, "nextEmbedder"> & {
  readonly placements: Placements;
  readonly copies: CopyEntries;
  readonly seals: DocumentSeals;
  readonly sql: Database["sql"];
  readonly pacer: Pacer;
  readonly live: LiveMemory;
  readonly contents: PassageContents;
  readonly statistics: StatisticsPublisher;
  readonly nextEmbedder: NextEmbedder | null;
  readonly planned: PlannedDigests;
}): Writer {
  const { placements, copies, seals, contents, site, now, newId, pacer, log } = options;
  const report = (error: unknown) =>
    log.error(loggable(error), "the thread that makes passages ended, or failed");
  const maker = createPassageMaker({ ...options, next, report });
  return new Writer({
    digests: (ids) => digestsOf(sql, ids),
    prepare: (operation) =>
      operation.kind === "put" ? maker.prepare(operation.content) : Promise.resolve(null),
    commit: (group) =>
      commitGroup(sql, group, {
        placements,
        copies,
        seals,
        site,
        counts: live.memory.counts,
        nowMs: now(),
        newId,
      }),
    apply: async (group) => {
      const ended = group.effects.filter(({ kind, content }) => kind === "delete" || content !== null);
      contents.forget(ended.flatMap(({ before }) => (before === null ? [] : [before])));
      // Before the log's head moves: who waits for that counts on it.
      planned.changed(group.effects);
      statistics.changed(await live.apply(group, pacer));
    },
    recover: async () => {
      if (!(await live.recover(sql))) return;
      planned.restart();
      log.info({}, "memory was behind Postgres after a failed commit");
    },
    release: () => maker.close(),
    report: (error) => log.error(loggable(error), "a group of writes failed"),
  });
}

async function digestsOf(sql: Database["sql"], ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await sql`select id, digest from documents where id = any(${[...ids]})`;
  return new Map(rows.map((row) => [row["id"], row["digest"]]));
}

/** Resolves with why Postgres cannot be used, null when it can. */
export async function postgresFault(
  { database }: Pick<Primary, "database">,
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<string | null> {
  const late = new Promise<string>((resolve) => {
    setTimeout(resolve, timeoutMs, `Postgres did not answer within ${timeoutMs} ms`).unref();
  });
  const asked = database.sql`select 1`.then(
    () => null,
    (error: unknown) =>
      `Postgres refuses: ${error instanceof Error && "code" in error ? String(error.code) : "no connection"}`,
  );
  return await Promise.race([asked, late]);
}

export function notReady(reason: string): KattegatError {
  return new KattegatError("not_ready", reason, { retryAfterSeconds: 1 });
}

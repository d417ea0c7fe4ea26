/** Publishes the term statistics that the edges weigh queries by. */
import { decodeStatistics, type StatisticsCounter } from "@kattegat/engine/lexical/statistics.ts";
import { z } from "zod";
import type { Database } from "../postgres/database.ts";
import { checkedRows, columnsOf, rowSchema } from "../postgres/checked-rows.ts";
import type { termStatistics } from "../postgres/schema.ts";

/** Below this drift no weight changes by more than 0.05 of ln N. */
const DRIFT = 0.05;
/** A small drift is published too, once it has stood for a minute. */
const UNPUBLISHED_MS_MAX = 60_000;
/** Readers in the middle of a fetch still find the one before. */
const VERSIONS_KEPT = 3;

const statisticsRow = rowSchema<typeof termStatistics.$inferSelect>()({
  bytes: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
});

export interface PublishedStatistics {
  readonly version: string;
  readonly bytes: Uint8Array;
}

export class StatisticsPublisher {
  readonly #database: Database;
  readonly #source: () => { readonly counter: StatisticsCounter; readonly sequence: string };
  readonly #now: () => number;
  #published: (PublishedStatistics & { readonly passages: number }) | null = null;
  /** Passages added or removed since the last version. */
  #drift = 0;
  #driftSinceMs = 0;

  constructor(options: {
    readonly database: Database;
    readonly source: () => { readonly counter: StatisticsCounter; readonly sequence: string };
    readonly now: () => number;
  }) {
    this.#database = options.database;
    this.#source = options.source;
    this.#now = options.now;
  }

  get published(): PublishedStatistics | null {
    return this.#published;
  }

  /** Resolves when the last version of an earlier run is known. */
  async load(): Promise<void> {
    const { sql } = this.#database;
    const rows = await sql`
      select ${sql(columnsOf(statisticsRow))} from term_statistics
      order by length(version) desc, version desc limit 1`;
    const [row] = checkedRows(statisticsRow, rows);
    if (row === undefined) return;
    const { version, passages } = decodeStatistics(row.bytes);
    this.#published = { version, bytes: row.bytes, passages };
    this.changed(Math.abs(this.#source().counter.passages - passages));
  }

  /** Notes that so many passages came or went. */
  changed(passages: number): void {
    if (passages === 0) return;
    if (this.#drift === 0) this.#driftSinceMs = this.#now();
    this.#drift += passages;
  }

  /** Publishes when it is due: the first version at once, then after 5 % of change, or a minute after a smaller one. */
  async publishWhenDue(): Promise<boolean> {
    if (this.#drift === 0) return false;
    const before = this.#published?.passages ?? 0;
    if (before > 0 && this.#drift <= before * DRIFT && this.#now() - this.#driftSinceMs < UNPUBLISHED_MS_MAX)
      return false;
    const { counter, sequence } = this.#source();
    const version = `s${sequence}`;
    const published = { version, bytes: counter.encode(version), passages: counter.passages };
    const drift = this.#drift;
    const { sql } = this.#database;
    await sql`
      insert into term_statistics (version, passages, bytes, created_at)
      values (${version}, ${published.passages}, ${Buffer.from(published.bytes)}, ${new Date(this.#now())})
      on conflict (version) do update set passages = excluded.passages, bytes = excluded.bytes, created_at = excluded.created_at`;
    await sql`
      delete from term_statistics
      where version not in (select version from term_statistics order by length(version) desc, version desc limit ${VERSIONS_KEPT})`;
    this.#published = published;
    this.#drift -= drift;
    this.#driftSinceMs = this.#now();
    return true;
  }
}

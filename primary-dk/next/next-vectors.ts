/** The vectors of the model to come in Postgres. */
import { compareSequences, sequenceSchema } from "@kattegat/protocol/sequence.ts";
import type postgres from "postgres";
import { z } from "zod";
import { checkedRows, columnsOf, rowSchema } from "../postgres/checked-rows.ts";
import type { documents } from "../postgres/schema.ts";
import { EMBED_TEXTS_MAX } from "../documents/passages.ts";
import type { CommittedGroup } from "../documents/transaction.ts";
import { passageText } from "../documents/passage-rows.ts";
import { sealedDocuments } from "../documents/state.ts";
import { KEY_COLUMNS, openText, sealDense, type DocumentSeals } from "../sealing/document-seals.ts";
import { AppliedLog } from "../log/head.ts";
import type { Pacer } from "../pacer.ts";
import type { NextEmbedder } from "./next-embedder.ts";

/** Documents looked at in one round. */
const ROUND_DOCUMENTS_MAX = 64;
/** Their texts in memory at once; one document may have more alone. */
const ROUND_CHARACTERS_MAX = 4_000_000;
/** A line in the log for each so many passages. */
const PROGRESS_PASSAGES = 20_000;

export interface NextVectorsOptions {
  readonly sql: postgres.Sql;
  readonly seals: DocumentSeals;
  readonly embedder: NextEmbedder;
  /** How far this process has applied the log. */
  readonly applied: AppliedLog;
  readonly pacer: Pacer;
  readonly progress: (fields: object, message: string) => void;
}

const turnRow = rowSchema<typeof documents.$inferSelect>()({
  id: z.string(),
  version: sequenceSchema,
  carried: sequenceSchema,
  characters: z.int(),
});
type Turn = Readonly<Omit<z.infer<typeof turnRow>, "characters">>;

interface Place extends Turn {
  readonly ordinal: number;
  readonly text: string;
}

/**
 * Embeds what was there before, in the order in which the log carries it.
 *
 * A document that is written or moved meanwhile is carried by a later change, so one walk in that order meets all of them,
 * and how far it has come says up to where the log may be sent with these vectors.
 */
export class NextVectors {
  /** How far every document that the log carries has its vectors: the model's copies may be sent so far. */
  readonly released: AppliedLog;
  readonly #options: NextVectorsOptions;
  #cursor: string;
  #stored: string;
  #wholeAt: string | null;
  /** Whether nothing is without a vector, but for what a write brings. */
  #isLevel = false;
  /** Whether a document without vectors was committed since the round began. */
  #hasMissed = false;
  #embedded = 0;

  private constructor(
    state: { readonly embeddedTo: string; readonly wholeAt: string | null },
    options: NextVectorsOptions,
  ) {
    const { fence, at } = options.applied.head;
    this.#options = options;
    this.#cursor = state.embeddedTo;
    this.#stored = state.embeddedTo;
    this.#wholeAt = state.wholeAt;
    this.released = new AppliedLog({ fence: { ...fence, sequence: state.embeddedTo }, at });
  }

  static async open(options: NextVectorsOptions): Promise<NextVectors> {
    const [row] = await options.sql`select embedded_to, whole_at from embedding_next`;
    if (row === undefined) throw new TypeError("expected one row in embedding_next");
    return new NextVectors({ embeddedTo: row["embedded_to"], wholeAt: row["whole_at"] }, options);
  }

  /** The log's sequence when every document had its vectors for the first time; null before. */
  get wholeAt(): string | null {
    return this.#wholeAt;
  }

  get isLevel(): boolean {
    return this.#isLevel;
  }

  /** Hears of a group that was committed and applied. */
  follow(group: CommittedGroup): void {
    if (group.effects.some(({ content }) => content?.passages.some(({ denseNext }) => denseNext === null))) {
      this.#hasMissed = true;
      this.#isLevel = false;
    }
    if (this.#isLevel && group.head !== null) this.released.advance(group.head);
  }

  /** Looks for documents without vectors again, since the log was not followed. */
  restart(): void {
    this.#isLevel = false;
    this.#hasMissed = true;
  }

  /** Embeds the next documents that lack vectors; resolves at once when none does. */
  async round(): Promise<void> {
    if (this.#isLevel) {
      // A group that was followed just before the level was reached is applied by now.
      this.#release(this.#options.applied.head.fence.sequence);
      await this.#store(this.released.head.fence.sequence);
      return;
    }
    this.#hasMissed = false;
    const turns = await this.#turns();
    const [first] = turns;
    if (first === undefined) {
      if (!this.#hasMissed) await this.#reachLevel();
      return;
    }
    this.#release(String(BigInt(first.carried) - 1n));
    for (const place of chunked(await this.#places(turns), EMBED_TEXTS_MAX))
      if (!(await this.#embed(place))) return;
    this.#cursor = turns.at(-1)?.carried ?? this.#cursor;
    await this.#store(this.#cursor);
  }

  /** Resolves with how many passages have no vector of the model. */
  async lacking(): Promise<number> {
    const [row] = await this.#options.sql`
      select count(*)::int as lacking from passages where dense_next is null`;
    return row?.["lacking"] ?? 0;
  }

  /** Counted for each document, which keeps Postgres from reading the whole table for the first few. */
  async #turns(): Promise<readonly Turn[]> {
    const { sql } = this.#options;
    const found = await sql`
      select ${sql(columnsOf(turnRow))} from documents d
      where d.carried > ${this.#cursor}
        and (select count(*) from passages p where p.document_id = d.id and p.dense_next is null) > 0
      order by d.carried limit ${ROUND_DOCUMENTS_MAX}`;
    let characters = 0;
    return checkedRows(turnRow, found).filter((row, index) => {
      characters += row.characters;
      return index === 0 || characters <= ROUND_CHARACTERS_MAX;
    });
  }

  async #places(turns: readonly Turn[]): Promise<readonly Place[]> {
    const { sql, seals } = this.#options;
    const ids = turns.map(({ id }) => id);
    const rows = await sql`
      select d.id, d.version, d.carried, d.body, ${sql(KEY_COLUMNS)} from ${sealedDocuments(sql)}
      where d.id = any(${ids})`;
    const open = new Map(
      rows.map((row) => {
        const { id, version, carried } = row;
        const key = seals.keyOf(row);
        return [id, { turn: { id, version, carried }, key, text: openText(key, "body", row["body"]) }];
      }),
    );
    const places = await sql`
      select p.document_id, p.ordinal, p.start_offset, p.end_offset, p.own_text, d.version
      from passages p join documents d on d.id = p.document_id
      where p.document_id = any(${ids}) and p.dense_next is null order by p.document_id, p.ordinal`;
    return places.flatMap((row) => {
      const document = open.get(row["document_id"]);
      // Written between the two reads: it comes again with its new place in the log.
      if (document === undefined || document.turn.version !== row["version"]) return [];
      return [{ ...document.turn, ordinal: row["ordinal"], text: passageText(row, document) }];
    });
  }

  /** Resolves with whether there were vectors. A passage that was replaced meanwhile gets none of the text before. */
  async #embed(places: readonly Place[]): Promise<boolean> {
    const { sql, embedder, pacer, progress } = this.#options;
    await pacer.breathe();
    const vectors = await embedder.embed(places.map(({ text }) => text));
    if (vectors === null) return false;
    const hex = await this.#sealed(places, vectors);
    await sql`
      update passages p set dense_next = decode(v.dense, 'hex')
      from unnest(
        ${places.map(({ id }) => id)}::text[], ${places.map(({ ordinal }) => ordinal)}::int[],
        ${places.map(({ version }) => version)}::bigint[], ${hex}::text[]
      ) as v(id, ordinal, version, dense)
      join documents d on d.id = v.id and d.version = v.version
      where p.document_id = v.id and p.ordinal = v.ordinal and p.dense_next is null`;
    const before = this.#embedded;
    this.#embedded += places.length;
    if (Math.floor(before / PROGRESS_PASSAGES) !== Math.floor(this.#embedded / PROGRESS_PASSAGES))
      progress({ model: embedder.model, lacking: await this.lacking() }, "embedding for the model to come");
    return true;
  }

  /** Sealed by the keys that the documents have now: a passage that was replaced meanwhile is left as it is below. */
  async #sealed(places: readonly Place[], vectors: readonly Float32Array[]): Promise<readonly string[]> {
    const { sql, seals } = this.#options;
    const rows = await sql`
      select k.document_id, ${sql(KEY_COLUMNS)} from document_keys k
      where k.document_id = any(${places.map(({ id }) => id)})`;
    const keys = new Map(rows.map((row) => [row["document_id"], seals.keyOf(row)]));
    return places.map(({ id, ordinal }, at) => {
      const key = keys.get(id);
      const vector = vectors[at];
      return key === undefined || vector === undefined ? "" : sealDense(key, ordinal, vector).toString("hex");
    });
  }

  async #reachLevel(): Promise<void> {
    const { applied, embedder, progress } = this.#options;
    this.#isLevel = true;
    const { sequence } = applied.head.fence;
    this.#cursor = sequence;
    if (this.#wholeAt === null) {
      await this.#options.sql`update embedding_next set whole_at = ${sequence}, embedded_to = ${sequence}`;
      this.#stored = sequence;
      this.#wholeAt = sequence;
      progress({ model: embedder.model, sequence }, "every passage has a vector of the model to come");
    }
    // A group without vectors may have come while that was stored.
    if (this.#isLevel) this.#release(applied.head.fence.sequence);
  }

  #release(sequence: string): void {
    const { fence, at } = this.#options.applied.head;
    if (compareSequences(sequence, this.released.head.fence.sequence) > 0)
      this.released.advance({ fence: { ...fence, sequence }, at });
  }

  /** What is stored spares the next start the walk so far. */
  async #store(sequence: string): Promise<void> {
    if (sequence === this.#stored) return;
    await this.#options.sql`update embedding_next set embedded_to = ${sequence}`;
    this.#stored = sequence;
  }
}

function chunked<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

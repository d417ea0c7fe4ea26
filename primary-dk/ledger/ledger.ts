/** The ledger of copies: its checkpoints, its proofs. */
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type postgres from "postgres";
import { appendEntries } from "./append.ts";
import { BucketTree, bucketOf } from "./buckets.ts";
import { documentHash } from "./entry.ts";
import { foldEntries, loadBuckets, recordsOf, type Folded } from "./fold.ts";
import { LogTree } from "./log-tree.ts";
import { inclusionPath, leafHash, type Hash } from "./merkle.ts";
import type { NoteSigner } from "./signed-note.ts";

/** Entries taken in while none can be added: writes wait for them. */
const FOLD_LOCKED_MAX = 200;
/** Half a million entries: what is written faster for so long is signed later. */
const FOLD_ROUNDS_MAX = 250;

export interface LedgerOptions {
  readonly sql: postgres.Sql;
  readonly signer: NoteSigner;
  readonly now: () => number;
}

export interface Checkpoint {
  readonly size: number;
  readonly note: string;
}

/** An entry's neighbours in a bucket, or the one that is the document's own. */
export interface ProvenRecord {
  readonly record: string;
  readonly index: number;
  readonly path: readonly string[];
}

/** As `ops/verify-proof.ts` reads it. */
export interface LedgerProof {
  readonly format: "kattegat-ledger-proof/1";
  readonly document: string;
  readonly checkpoint: string;
  /** The entry that has the root of all copies, the last below the checkpoint. */
  readonly state: { readonly entry: string; readonly index: number; readonly path: readonly string[] };
  readonly bucket: { readonly documents: number; readonly path: readonly string[] };
  /** The document's own record, or those that would stand before and after it. */
  readonly records: readonly ProvenRecord[];
}

export class Ledger {
  readonly #options: LedgerOptions;
  #tree: BucketTree | null = null;
  /** One checkpoint or proof at a time: both read what the other moves. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  get verifierKey(): string {
    return this.#options.signer.verifierKey;
  }

  /** Resolves with the head of the ledger, signed; with the last one when nothing was recorded since. */
  checkpoint(): Promise<Checkpoint | null> {
    return this.#alone(() => this.#checkpoint());
  }

  /**
   * Resolves with a proof of which copies of the document the ledger records; null while it has no entry.
   *
   * It is of the state at the checkpoint that it carries, which is made for it when entries came since the last.
   */
  prove(documentId: string): Promise<LedgerProof | null> {
    return this.#alone(async () => {
      const checkpoint = await this.#checkpoint();
      return checkpoint === null ? null : await this.#prove(documentId, checkpoint);
    });
  }

  /** Resolves with the entries from a place on, in order; with those about one document, when one is named. */
  async entries({
    from,
    limit,
    document,
  }: {
    readonly from: number;
    readonly limit: number;
    readonly document?: string | undefined;
  }): Promise<readonly string[]> {
    const { sql } = this.#options;
    const rows = await sql`
      select entry from ledger_entries
      where index >= ${from} ${document === undefined ? sql`` : sql`and document = ${documentHash(document)}`}
      order by index limit ${limit}`;
    return rows.map((row): string => row["entry"]);
  }

  /** Resolves with the sites that ever confirmed anything, or that an entry about the document names, whatever the network file says now. */
  async sites(documentId: string): Promise<readonly string[]> {
    const document = documentHash(documentId);
    const rows = await this.#options.sql`
      with entries as (select entry::json as entry from ledger_entries where document = ${document})
      select site from ledger_confirmed
      union select entry ->> 'site' from entries where entry ->> 'site' is not null
      union select place ->> 'site' from entries, json_array_elements(entry -> 'copies') place
      order by site`;
    return rows.map((row): string => row["site"]);
  }

  /** Resolves with the chain over the first `size` entries, as each row of the ledger carries it. */
  async chain(size: number): Promise<Hash> {
    const [row] = await this.#options.sql`select chain from ledger_entries where index = ${size - 1}`;
    if (row === undefined) throw new RangeError(`expected ${size} entries in the ledger`);
    return row["chain"];
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => null);
    return await turn;
  }

  async #checkpoint(): Promise<Checkpoint | null> {
    const { sql } = this.#options;
    const [last] = await sql`
      select h.size, c.size as signed, c.note from ledger_head h
      left join lateral (select size, note from ledger_checkpoints order by size desc limit 1) c on true`;
    const size = Number(last?.["size"]);
    if (size === 0) return null;
    const signed = Number(last?.["signed"] ?? 0);
    if (size === signed) return { size, note: String(last?.["note"]) };
    const whole = (await this.#unsignedState(size)) ?? (await this.#recordState());
    return await this.#sign(whole, signed);
  }

  /** The size of a ledger that ends with a state which a process before did not come to sign. */
  async #unsignedState(size: number): Promise<number | null> {
    const [row] = await this.#options.sql`
      select document is null as is_state from ledger_entries where index = ${size - 1}`;
    return row?.["is_state"] === true ? size : null;
  }

  /** Takes in all entries, the last ones while none can be added; resolves with the size with the state's own entry. */
  async #recordState(): Promise<number> {
    const { sql, now } = this.#options;
    const tree = await this.#buckets();
    try {
      for (let rounds = 0; ; rounds += 1) {
        const [row] = await sql`select h.size - f.folded as ahead from ledger_head h, ledger_fold f`;
        if (Number(row?.["ahead"]) <= FOLD_LOCKED_MAX) break;
        if (rounds === FOLD_ROUNDS_MAX)
          throw new KattegatError(
            "unavailable",
            "The ledger grows faster than it can be signed; ask again later.",
            {
              retryAfterSeconds: 10,
            },
          );
        take(tree, await sql.begin((tx) => foldEntries(tx)));
      }
      return await sql.begin(async (tx) => {
        await tx`select size from ledger_head for update`;
        for (let folded = -1; ;) {
          const next = await foldEntries(tx);
          take(tree, next);
          if (next.folded === folded) break;
          folded = next.folded;
        }
        const root = Buffer.from(tree.root()).toString("base64");
        await appendEntries(tx, [{ kind: "state", root, at: new Date(now()).toISOString() }]);
        const [head] = await tx`select size from ledger_head`;
        return Number(head?.["size"]);
      });
    } catch (error) {
      // What was rolled back may be in it.
      this.#tree = null;
      throw error;
    }
  }

  async #sign(size: number, signed: number): Promise<Checkpoint> {
    const { sql, signer, now } = this.#options;
    const log = new LogTree(sql);
    await log.grow(signed, size);
    const note = signer.checkpoint({ size, root: await log.root(size) });
    await sql`
      insert into ledger_checkpoints (size, note, made_at) values (${String(size)}, ${note}, ${new Date(now())})
      on conflict do nothing`;
    return { size, note };
  }

  async #prove(documentId: string, { size, note }: Checkpoint): Promise<LedgerProof> {
    const { sql } = this.#options;
    const document = documentHash(documentId);
    const bucket = bucketOf(document);
    const records = await recordsOf(sql, bucket);
    const leaves = records.map((record) => leafHash(record));
    const proven = placesOf(records, document.toString("hex")).map((index) => ({
      record: records[index] ?? "",
      index,
      path: base64Of(inclusionPath(leaves, index)),
    }));
    const [entry] = await this.entries({ from: size - 1, limit: 1 });
    return {
      format: "kattegat-ledger-proof/1",
      document: documentId,
      checkpoint: note,
      state: {
        entry: entry ?? "",
        index: size - 1,
        path: base64Of(await new LogTree(sql).path(size - 1, size)),
      },
      bucket: { documents: records.length, path: base64Of((await this.#buckets()).path(bucket)) },
      records: proven,
    };
  }

  async #buckets(): Promise<BucketTree> {
    if (this.#tree !== null) return this.#tree;
    const tree = new BucketTree();
    await loadBuckets(this.#options.sql, tree);
    this.#tree = tree;
    return tree;
  }
}

function take(tree: BucketTree, { buckets }: Folded): void {
  for (const [bucket, hash] of buckets) tree.set(bucket, hash);
}

/** Of the document's record, or of the two between which it would stand. */
function placesOf(records: readonly string[], document: string): readonly number[] {
  const ids = records.map((record): string => JSON.parse(record).document);
  const own = ids.indexOf(document);
  if (own >= 0) return [own];
  const after = ids.findIndex((id) => id > document);
  const next = after < 0 ? ids.length : after;
  return [next - 1, next].filter((index) => index >= 0 && index < ids.length);
}

function base64Of(hashes: readonly Hash[]): readonly string[] {
  return hashes.map((hash) => Buffer.from(hash).toString("base64"));
}

/** Reads a whole ledger, and says whether it is what its checkpoints sign. */
import { chainOf } from "@kattegat/primary-dk/ledger/append.ts";
import { BucketTree, bucketHash, bucketOf } from "@kattegat/primary-dk/ledger/buckets.ts";
import { encodeRecord, recorded, type DocumentRecord } from "@kattegat/primary-dk/ledger/copies.ts";
import { encodeEntry, ledgerEntrySchema, type LedgerEntry } from "@kattegat/primary-dk/ledger/entry.ts";
import { leafHash, type Hash } from "@kattegat/primary-dk/ledger/merkle.ts";
import { openNote, ProofError } from "../verify-proof.ts";
import { CompactRange } from "./compact-range.ts";

export interface LedgerFinding {
  /** The entry that is wrong; null when the ledger as a whole is. */
  readonly index: number | null;
  readonly detail: string;
}

export interface LedgerVerdict {
  readonly origin: string;
  readonly entries: number;
  readonly states: number;
  /** Documents with a copy at the end. */
  readonly documents: number;
  /** Copies by site at the end. */
  readonly copies: Readonly<Record<string, number>>;
  readonly findings: readonly LedgerFinding[];
}

export interface VerifyOptions {
  readonly verifierKey: string;
  /** Of the ledger as it is. */
  readonly checkpoint: string;
  /** As the rows of the ledger carry it at its end, in hexadecimal. */
  readonly chain: string;
  /** Checkpoints that somebody kept: the ledger must have grown from each of them. */
  readonly earlier: readonly string[];
  readonly progress: (done: number, size: number) => void;
}

/** Faults told in full; a ledger with more is not worth reading further. */
const FINDINGS_MAX = 100;

/**
 * Resolves with what was found in the entries, which come in order.
 *
 * Each entry is hashed into the tree; each state is compared with the copies that the entries before it make; the tree's root is
 * compared with every checkpoint given, so an entry that was changed, left out, added or moved after it was signed is found.
 */
export async function verifyLedger(
  entries: AsyncIterable<string>,
  { verifierKey, checkpoint, chain: stored, earlier, progress }: VerifyOptions,
): Promise<LedgerVerdict> {
  const head = openNote(checkpoint, verifierKey);
  // Two notes of one size with different roots are two ledgers.
  const findings: LedgerFinding[] = [];
  const find = (index: number | null, detail: string): void => {
    if (findings.length < FINDINGS_MAX) findings.push({ index, detail });
  };
  const notes = [...earlier.flatMap((note) => openKept(note, { verifierKey, find })), head];
  const range = new CompactRange();
  const copies = new RecordedCopies();
  let chain: Hash = new Uint8Array(32);
  let states = 0;
  let last: LedgerEntry["kind"] | null = null;
  for await (const text of entries) {
    if (range.size === head.size) break;
    const index = range.size;
    const leaf = leafHash(text);
    range.append(leaf);
    chain = chainOf(chain, leaf);
    const entry = parseEntry(text);
    last = entry?.kind ?? null;
    if (entry === null) find(index, "is no entry of this format");
    else if (entry.kind === "state") {
      states += 1;
      if (copies.root() !== entry.root) find(index, "names other copies than the entries before it make");
    } else copies.take(entry);
    for (const { size, root } of notes)
      if (size === range.size && !root.equals(range.root()))
        find(null, `its first ${size} entries are not those that a checkpoint of this size signs`);
    if (range.size % 10_000 === 0) progress(range.size, head.size);
  }
  if (Buffer.from(chain).toString("hex") !== stored) find(null, "its chain is not that of its entries");
  if (last !== "state") find(null, "its last entry is no state of all copies");
  for (const { size } of notes)
    if (size > range.size) find(null, `a checkpoint signs ${size} entries, ${range.size} came`);
  const { origin } = head;
  return {
    origin,
    entries: range.size,
    states,
    documents: copies.documents,
    copies: copies.bySite(),
    findings,
  };
}

/** A checkpoint that was kept and is not signed by the key says that the key, or the checkpoint, is another. */
function openKept(
  note: string,
  {
    verifierKey,
    find,
  }: { readonly verifierKey: string; readonly find: (index: null, detail: string) => void },
): readonly ReturnType<typeof openNote>[] {
  try {
    return [openNote(note, verifierKey)];
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    find(null, `a checkpoint that was kept is not this ledger's: ${error.message}`);
    return [];
  }
}

class RecordedCopies {
  readonly #records = new Map<string, DocumentRecord>();
  readonly #buckets = new Map<number, Set<string>>();
  readonly #dirty = new Set<number>();
  readonly #tree = new BucketTree();

  get documents(): number {
    return this.#records.size;
  }

  take(entry: Exclude<LedgerEntry, { readonly kind: "state" }>): void {
    const { document } = entry;
    const bucket = bucketOf(Buffer.from(document, "hex"));
    const record = recorded(this.#records.get(document) ?? { document, copies: [] }, entry);
    const members = this.#buckets.get(bucket) ?? new Set();
    if (record.copies.length === 0) {
      this.#records.delete(document);
      members.delete(document);
    } else {
      this.#records.set(document, record);
      members.add(document);
    }
    this.#buckets.set(bucket, members);
    this.#dirty.add(bucket);
  }

  root(): string {
    for (const bucket of this.#dirty) {
      const records = [...(this.#buckets.get(bucket) ?? [])].toSorted().flatMap((document) => {
        const record = this.#records.get(document);
        return record === undefined ? [] : [encodeRecord(record)];
      });
      this.#tree.set(bucket, bucketHash(records));
    }
    this.#dirty.clear();
    return Buffer.from(this.#tree.root()).toString("base64");
  }

  bySite(): Readonly<Record<string, number>> {
    const counts = new Map<string, number>();
    for (const { copies } of this.#records.values())
      for (const { site } of copies) counts.set(site, (counts.get(site) ?? 0) + 1);
    return Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }
}

function parseEntry(text: string): LedgerEntry | null {
  try {
    const entry = ledgerEntrySchema.parse(JSON.parse(text));
    return encodeEntry(entry) === text ? entry : null;
  } catch {
    return null;
  }
}

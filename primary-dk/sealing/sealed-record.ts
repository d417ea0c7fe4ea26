/** Documents as an archive holds them: made from what rests sealed in Postgres, opened by the keyring. */
import { TIER_NAMES } from "@kattegat/config/network.ts";
import type { DocumentInput } from "@kattegat/protocol/documents.ts";
import type { SealedRecord } from "@kattegat/protocol/sealed-record.ts";
import type postgres from "postgres";
import { z } from "zod";
import { documentHash } from "../ledger/entry.ts";
import {
  dataKeyOf,
  keyIdOf,
  openDense,
  openHead,
  openText,
  partitionOfHash,
  unwrapNamed,
  type DataKey,
  type DocumentHead,
  type DocumentSeals,
} from "./document-seals.ts";
import type { Keyring } from "./keyring.ts";
import { SealError, seal, sealKeyOf, unseal } from "./seal.ts";

/** What stands in clear in Postgres, and nowhere else; class, fence and digest because a bucket's may have been altered. */
const recordSchema = z.strictObject({
  id: z.string(),
  residency: z.string(),
  epoch: z.int(),
  version: z.string(),
  digest: z.string(),
  collection: z.string(),
  lang: z.string().nullable(),
  importance: z.number(),
  published_at: z.string().nullable(),
  tier: z.enum(TIER_NAMES).nullable(),
  /** Where each passage begins and ends in the text. */
  passages: z.array(z.tuple([z.int(), z.int()])),
});

/** The rows of one document; of what is sealed in them only the head was opened, to learn which vectors the caller gave. */
export interface SealedRows {
  /** Of `documents` with `document_keys`. */
  readonly document: postgres.Row;
  /** Of `passages`, in order; `dense` only of those that are in `given`. */
  readonly passages: readonly postgres.Row[];
  /** Ordinals of passages whose vector the caller gave. */
  readonly given: ReadonlySet<number>;
}

function nameOf(documentId: string): string {
  return documentHash(documentId).toString("hex");
}

function contextOf(name: string): string {
  return `record\n${name}`;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
const bytesOf = (text: string): Buffer => Buffer.from(text, "base64");

export function sealRecord({ document, passages, given }: SealedRows, seals: DocumentSeals): SealedRecord {
  const { id, residency, epoch, version, digest } = document;
  const { collection, lang, importance, published_at, pinned_tier: tier } = document;
  const { sealKey } = seals.keyOf(document);
  const name = nameOf(id);
  const places = passages.map((row): [number, number] => [row["start_offset"], row["end_offset"]]);
  const record: z.infer<typeof recordSchema> = {
    id,
    residency,
    epoch,
    version,
    digest,
    collection,
    lang,
    importance,
    published_at,
    tier,
    passages: places,
  };
  return {
    document: name,
    epoch,
    version,
    residency,
    digest,
    key: {
      partition: document["partition"],
      version: document["key_version"],
      id: base64(document["key_id"]),
      wrapped: base64(seals.wrapNamed(document, name)),
    },
    record: base64(seal(sealKey, Buffer.from(JSON.stringify(record)), contextOf(name))),
    head: base64(document["head"]),
    body: base64(document["body"]),
    own: passages.flatMap((row) =>
      row["own_text"] === null ? [] : [{ ordinal: row["ordinal"], text: base64(row["own_text"]) }],
    ),
    vectors: passages.flatMap((row) =>
      given.has(row["ordinal"]) ? [{ ordinal: row["ordinal"], dense: base64(row["dense"]) }] : [],
    ),
  };
}

/** A document that was opened, as a batch takes it. */
export type OpenedRecord = Omit<DocumentInput, "metadata"> &
  Pick<DocumentHead, "metadata"> & { readonly id: string };

/** What of a record was opened with its data key. */
interface Parts {
  readonly record: z.infer<typeof recordSchema>;
  readonly key: DataKey;
  readonly head: DocumentHead;
  readonly text: string;
}

/** What rests beside the keyring of one partition. */
interface Escrow {
  /** By their ids. */
  readonly keys: ReadonlyMap<string, Uint8Array>;
  /** Names of the documents that they are of. */
  readonly documents: ReadonlySet<string>;
}

export class RecordOpener {
  readonly #ring: Keyring;
  readonly #model: string;
  /** Names of documents that were erased at least once. */
  readonly #erased: ReadonlySet<string>;
  /** By partition. */
  readonly #escrows = new Map<number, Escrow>();

  /** Vectors of another model than this are left out: its own makes them from the text. `erased` are ids of the list of erasures. */
  constructor(
    ring: Keyring,
    { model, erased }: { readonly model: string; readonly erased: ReadonlySet<string> },
  ) {
    this.#ring = ring;
    this.#model = model;
    this.#erased = new Set(Array.from(erased, nameOf));
  }

  /**
   * Null when the document's key was destroyed because the document was erased.
   *
   * @throws {SealError} when the record is damaged, is not of the document that its name says, or its key is missing without an erasure
   * that explains it.
   */
  open(sealed: SealedRecord): OpenedRecord | null {
    const parts = this.#partsOf(sealed);
    if (parts === null) return null;
    const { record, key, head, text } = parts;
    const { title, metadata, given } = head;
    const { passages: places, epoch: _epoch, version: _version, digest: _digest, ...fields } = record;
    const passages = given === undefined ? null : this.#passagesOf(sealed, { key, text, places, given });
    return { ...fields, title, metadata, text, ...(passages && { passages }) };
  }

  /**
   * Opens like `open`, for the judgement alone, beyond what an export needs: every sealed part is opened, vectors of other models
   * too, and none may have been taken out. Those of another model may be left out together, as they are from an object that was sent
   * while it did not serve. False when the document's key was destroyed because it was erased.
   *
   * @throws {SealError} as `open`.
   */
  authenticate(sealed: SealedRecord): boolean {
    const parts = this.#partsOf(sealed);
    if (parts === null) return false;
    const { record, key, head } = parts;
    const owners = sealed.own.map(({ ordinal, text }) => {
      openText(key, `own ${ordinal}`, bytesOf(text));
      return ordinal;
    });
    const withVector = sealed.vectors.map(({ ordinal, dense }) => {
      openDense(key, ordinal, bytesOf(dense));
      return ordinal;
    });
    // A passage that the text does not have has no place in it.
    const ownless = record.passages.flatMap(([start, end], index) => (start === end ? [index + 1] : []));
    const { model, vectors: given } = head.given ?? { model: this.#model, vectors: [] };
    const mayLack = withVector.length === 0 && model !== this.#model;
    const isWhole =
      (head.given === undefined || ownless.every((ordinal) => owners.includes(ordinal))) &&
      (mayLack || given.every((ordinal) => withVector.includes(ordinal)));
    if (!isWhole)
      throw new SealError("expected every text and vector that came with the document's passages");
    return true;
  }

  /** Null when the key was destroyed. */
  #partsOf(sealed: SealedRecord): Parts | null {
    const name = sealed.document;
    const bytes = this.#keyOf(sealed);
    if (bytes === null) return null;
    const opened = unseal(sealKeyOf(bytes), bytesOf(sealed.record), contextOf(name)).toString("utf8");
    const record = recordSchema.parse(JSON.parse(opened));
    const isSame =
      nameOf(record.id) === name &&
      (["residency", "epoch", "version", "digest"] as const).every((part) => record[part] === sealed[part]);
    if (!isSame)
      throw new SealError("expected the record of the document, class, write and content that stand outside");
    const key = dataKeyOf(record.id, bytes);
    const head = openHead(key, bytesOf(sealed.head));
    const text = openText(key, "body", bytesOf(sealed.body));
    return { record, key, head, text };
  }

  #passagesOf(
    { own, vectors }: SealedRecord,
    {
      key,
      text,
      places,
      given,
    }: {
      readonly key: DataKey;
      readonly text: string;
      readonly places: readonly (readonly [number, number])[];
      readonly given: { readonly model: string };
    },
  ): { text: string; vector?: number[] }[] {
    const texts = new Map(own.map((passage) => [passage.ordinal, passage.text]));
    const dense = new Map(vectors.map((passage) => [passage.ordinal, passage.dense]));
    return places.map(([start, end], index) => {
      const ordinal = index + 1;
      const ownText = texts.get(ordinal);
      const vector = given.model === this.#model ? dense.get(ordinal) : undefined;
      return {
        text:
          ownText === undefined ? text.slice(start, end) : openText(key, `own ${ordinal}`, bytesOf(ownText)),
        ...(vector === undefined ? {} : { vector: [...openDense(key, ordinal, bytesOf(vector))] }),
      };
    });
  }

  #keyOf({ document, key: { partition, version, id, wrapped } }: SealedRecord): Uint8Array | null {
    if (partition !== partitionOfHash(Buffer.from(document, "hex")))
      throw new SealError("expected a key of the document's partition");
    const wrapping = this.#ring.find(partition, version);
    if (wrapping !== null) return unwrapNamed(wrapping, bytesOf(wrapped), document);
    const { version: current } = this.#ring.current(partition);
    if (version > current)
      throw new SealError(`expected a key up to ${current} of partition ${partition}, got ${version}`);
    const escrow = this.#escrowOf(partition);
    const key = escrow.keys.get(id);
    if (key !== undefined) return key;
    // A document that has a key there lives: this is not its content, or not what the primary sealed.
    if (this.#erased.has(document) && !escrow.documents.has(document)) return null;
    throw new SealError("expected the key of the document, or an erasure that says why it is gone");
  }

  #escrowOf(partition: number): Escrow {
    const known = this.#escrows.get(partition);
    if (known !== undefined) return known;
    const kept = this.#ring.escrowed(partition);
    const escrow: Escrow = {
      keys: new Map(kept.map(({ key }) => [base64(keyIdOf(key)), key])),
      documents: new Set(kept.map(({ documentId }) => nameOf(documentId))),
    };
    this.#escrows.set(partition, escrow);
    return escrow;
  }
}

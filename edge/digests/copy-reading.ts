/** Copies that are read from their objects for one answer, as many as it may read. */
import { encodeKey, type CopyPlace, type FoundCopy } from "@kattegat/protocol/digests.ts";
import type { ColdObject, RowReading } from "./cold-object.ts";
import { ROWS_MAX } from "./rows-limit.ts";

/** A document as an object lists it. */
export interface ListedCopy {
  readonly key: bigint;
  readonly number: number;
}

interface Wanted extends ListedCopy {
  readonly rows: readonly number[];
  /** Of its rows that an answer before has read. */
  readonly damaged: number;
}

export class CopyReading {
  readonly #from: CopyPlace | null;
  readonly #rowsMax: number;
  #rowsLeft: number;
  /** By key: a document may be in two objects, and is told of whole or not at all. */
  readonly #copies = new Map<string, FoundCopy[]>();
  readonly #left = new Set<string>();
  #next: CopyPlace | null = null;

  constructor(from: CopyPlace | null, { rowsMax = ROWS_MAX }: { readonly rowsMax?: number } = {}) {
    this.#from = from;
    this.#rowsMax = rowsMax;
    this.#rowsLeft = rowsMax;
  }

  get found(): {
    readonly copies: FoundCopy[];
    readonly left: string[];
    readonly next: CopyPlace | null;
  } {
    const whole = [...this.#copies].filter(([key]) => !this.#left.has(key));
    return { copies: whole.flatMap(([, copies]) => copies), left: [...this.#left], next: this.#next };
  }

  /** Leaves copies for another answer. */
  leave(listed: readonly ListedCopy[]): void {
    for (const { key } of listed) this.#left.add(encodeKey(key));
  }

  /** Reads those for which there is room; `open` is called when there is room at all, and gives null for an object that counts as lost. */
  async read(listed: readonly ListedCopy[], open: () => Promise<ColdObject | null>): Promise<void> {
    if (this.#rowsLeft === 0) {
      this.leave(listed);
      return;
    }
    const object = await open();
    if (object === null) return;
    const taken: Wanted[] = [];
    for (const wanted of this.#wantedOf(object, listed)) {
      const { rows } = wanted;
      const isFirst = this.#rowsLeft === this.#rowsMax;
      if (rows.length > this.#rowsLeft && isFirst) {
        await this.#readPart(object, wanted);
        this.#rowsLeft = 0;
      } else if (rows.length > this.#rowsLeft) this.leave([wanted]);
      else {
        this.#rowsLeft -= rows.length;
        taken.push(wanted);
      }
    }
    if (taken.length > 0) await this.#readWhole(object, taken);
  }

  /** The one that was begun is the first, since whatever is first is read as far as an answer goes. */
  #wantedOf(object: ColdObject, listed: readonly ListedCopy[]): readonly Wanted[] {
    const rows = Map.groupBy(object.rowsOf(new Set(listed.map(({ number }) => number))), object.documentOf);
    const from = this.#from?.object === object.key ? this.#from : null;
    const begun = from === null ? null : object.documentOf(from.row);
    const wanted = listed.map((copy) => {
      const all = rows.get(copy.number) ?? [];
      return from === null || copy.number !== begun
        ? { ...copy, rows: all, damaged: 0 }
        : { ...copy, rows: all.filter((row) => row >= from.row), damaged: from.damaged };
    });
    return wanted.toSorted((a, b) => Number(b.number === begun) - Number(a.number === begun));
  }

  async #readPart(object: ColdObject, { key, rows, damaged }: Wanted): Promise<void> {
    const part = rows.slice(0, this.#rowsMax);
    const row = rows[this.#rowsMax];
    if (row === undefined) throw new Error("a part is not the whole");
    const readings = await object.readRows(part);
    this.#left.add(encodeKey(key));
    this.#next = { object: object.key, row, damaged: damaged + damagedIn(readings) };
  }

  async #readWhole(object: ColdObject, taken: readonly Wanted[]): Promise<void> {
    const readings = await object.readRows(taken.flatMap(({ rows }) => rows));
    const byNumber = Map.groupBy(readings, ({ row }) => object.documentOf(row));
    const names = await namesOf(object, taken, byNumber);
    for (const { key, number, damaged } of taken) {
      const own = byNumber.get(number) ?? [];
      const name = names.get(number);
      if (name === undefined) continue;
      const copy: FoundCopy = {
        document_id: name.documentId,
        version: name.version,
        class: own.find(({ class: known }) => known !== null)?.class ?? null,
        digest: null,
        passages: null,
        damaged: damaged + damagedIn(own),
      };
      const text = encodeKey(key);
      this.#copies.set(text, [...(this.#copies.get(text) ?? []), copy]);
    }
  }
}

function damagedIn(readings: readonly RowReading[]): number {
  return readings.filter(({ isDamaged }) => isDamaged).length;
}

/** A row tells its document; where none can be read, the object's list does. */
async function namesOf(
  object: ColdObject,
  taken: readonly Wanted[],
  byNumber: ReadonlyMap<number, readonly RowReading[]>,
): Promise<ReadonlyMap<number, { readonly documentId: string; readonly version: string }>> {
  const names = new Map<number, { readonly documentId: string; readonly version: string }>();
  for (const [number, readings] of byNumber) {
    const name = readings.find(({ document }) => document !== null)?.document ?? null;
    if (name !== null) names.set(number, name);
  }
  if (taken.every(({ number }) => names.has(number))) return names;
  for await (const { number, documentId, version } of object.documents())
    if (!names.has(number)) names.set(number, { documentId, version });
  return names;
}

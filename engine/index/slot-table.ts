import { type Bitmap, clearBit, createBitmap, grown, setBit } from "./bitmap.ts";

/** One indexed point's identity. */
export interface SlotEntry {
  readonly id: string;
  readonly group: string;
  readonly order: number;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Gives points their slots. */
export interface SlotTable {
  readonly size: number;
  readonly capacity: number;
  readonly live: Bitmap;
  /** Freed slots that wait until nothing refers to them. */
  readonly parked: number;
  slotOf(id: string): number | undefined;
  entry(slot: number): SlotEntry;
  /** The number of the slot's group; numbers are small and used again. */
  groupOf(slot: number): number;
  slotsOfGroup(group: string): Iterable<number>;
  add(entry: SlotEntry): number;
  remove(slot: number): void;
  /** Makes parked slots free for use again. */
  release(): void;
}

interface Group {
  readonly number: number;
  readonly slots: Set<number>;
}

/** Creates an empty table. */
export function createSlotTable(): SlotTable {
  return new Table();
}

class Table implements SlotTable {
  readonly #entries: (SlotEntry | undefined)[] = [];
  readonly #slots = new Map<string, number>();
  readonly #groups = new Map<string, Group>();
  readonly #freeGroups: number[] = [];
  #groupNumbers = new Uint32Array(1_024);
  #groupsMade = 0;
  #free: number[] = [];
  #parked: number[] = [];
  #live = createBitmap(1_024);

  get size(): number {
    return this.#slots.size;
  }
  get capacity(): number {
    return this.#entries.length;
  }
  get live(): Bitmap {
    return this.#live;
  }
  get parked(): number {
    return this.#parked.length;
  }

  slotOf(id: string): number | undefined {
    return this.#slots.get(id);
  }

  entry(slot: number): SlotEntry {
    const entry = this.#entries[slot];
    if (entry === undefined) throw new RangeError(`expected a slot in use, got ${slot}`);
    return entry;
  }

  groupOf(slot: number): number {
    return this.#groupNumbers[slot] ?? 0;
  }

  slotsOfGroup(group: string): Iterable<number> {
    return this.#groups.get(group)?.slots ?? [];
  }

  add(entry: SlotEntry): number {
    const slot = this.#free.pop() ?? this.#entries.length;
    this.#entries[slot] = entry;
    this.#slots.set(entry.id, slot);
    if (slot >= this.#groupNumbers.length) this.#grow();
    setBit(this.#live, slot);
    const group = this.#groups.get(entry.group) ?? this.#addGroup(entry.group);
    group.slots.add(slot);
    this.#groupNumbers[slot] = group.number;
    return slot;
  }

  remove(slot: number): void {
    const { id, group: name } = this.entry(slot);
    this.#entries[slot] = undefined;
    this.#slots.delete(id);
    clearBit(this.#live, slot);
    this.#parked.push(slot);
    const group = this.#groups.get(name);
    group?.slots.delete(slot);
    if (group?.slots.size !== 0) return;
    this.#groups.delete(name);
    this.#freeGroups.push(group.number);
  }

  release(): void {
    this.#free = this.#free.concat(this.#parked);
    this.#parked = [];
  }

  #addGroup(name: string): Group {
    const number = this.#freeGroups.pop() ?? this.#groupsMade;
    if (number === this.#groupsMade) this.#groupsMade += 1;
    const group = { number, slots: new Set<number>() };
    this.#groups.set(name, group);
    return group;
  }

  #grow(): void {
    const numbers = new Uint32Array(this.#groupNumbers.length * 2);
    numbers.set(this.#groupNumbers);
    this.#groupNumbers = numbers;
    this.#live = grown(this.#live, numbers.length);
  }
}

/** Encoded changes that another target is about to ask for, too. */

/** Of JSON, nearly all Latin: some 5,000 typical passages. */
const CHARACTERS_MAX = 16 * 1_024 * 1_024;

/**
 * Opening what a change carries costs more than sending it, and every site of a tier asks for the same changes within moments.
 *
 * Two generations, so that nothing stays longer than two turns: what was erased leaves the memory, too.
 */
export class RecentPuts {
  readonly #charactersMax: number;
  #young = new Map<string, string>();
  #old: ReadonlyMap<string, string> = new Map();
  #characters = 0;
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(charactersMax: number = CHARACTERS_MAX) {
    this.#charactersMax = charactersMax;
  }

  get(key: string): string | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  set(key: string, line: string): void {
    if (this.#characters + line.length > this.#charactersMax / 2) this.turn();
    this.#young.set(key, line);
    this.#characters += line.length;
  }

  /** Forgets what was set before the last turn. */
  turn(): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#characters = 0;
  }

  /** Reads one after another under the same name: two that want the same would both open it. */
  inTurn<T>(name: string, read: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(name) ?? Promise.resolve();
    const turn = before.then(read);
    // Nothing of what was read stays behind.
    this.#turns.set(
      name,
      turn.then(
        () => undefined,
        () => undefined,
      ),
    );
    return turn;
  }
}

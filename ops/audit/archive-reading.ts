/** Opens the objects that an archive lists, to tell those that are not what their names say. */
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { SealedRecord } from "@kattegat/protocol/sealed-record.ts";
import type { Bucket } from "@kattegat/replication/archive/bucket.ts";
import { openObject } from "../archive/open-object.ts";

/** Objects that do not open are looked at again with the keyring of that moment; more of them are no erasure's doing. */
const SECOND_LOOKS_MAX = 100;
/** Where so many objects do not open, and none does, it is the keyring that is another's. */
const DAMAGED_MIN = 8;
const PROGRESS_MS = 2_000;

/** Opens what an archive holds, by the keyring of the moment when it was made. */
export interface Authenticator {
  /** False where the key was destroyed by an erasure; throws for what does not open as a whole. */
  authenticate(sealed: SealedRecord): boolean;
}

export interface ArchiveReadingOptions {
  readonly bucket: Pick<Bucket, "get" | "name">;
  readonly authenticator: () => Authenticator;
  readonly signal: AbortSignal;
  readonly progress: (objects: number) => void;
}

export interface ReadObject {
  /** Not one that was deleted since it was listed. */
  readonly opened: boolean;
  /** What is wrong with it; null when it is what its name says. */
  readonly damage: string | null;
}

type Outcome = "authentic" | "destroyed" | "damaged" | "gone";

export class ArchiveReading {
  readonly #options: ArchiveReadingOptions;
  /** The newest one that has opened an object which the one before did not. */
  #authenticator: Authenticator;
  readonly #counts: Record<Outcome, number> = { authentic: 0, destroyed: 0, damaged: 0, gone: 0 };
  #secondLooks = 0;
  #toldMs = performance.now();

  constructor(options: ArchiveReadingOptions) {
    this.#options = options;
    this.#authenticator = options.authenticator();
  }

  async read(key: string): Promise<ReadObject> {
    const first = this.#authenticator;
    let outcome = await this.#open(key, first);
    if (outcome === "damaged") outcome = await this.#lookAgain(key, first);
    this.#counts[outcome] += 1;
    this.#tell();
    return { opened: outcome !== "gone", damage: damageOf(outcome) };
  }

  /** An erasure meanwhile may have replaced the key that wraps this object's, too. */
  async #lookAgain(key: string, tried: Authenticator): Promise<Outcome> {
    const known = this.#authenticator;
    if (known !== tried) {
      // Another object that was read meanwhile has found the keyring replaced.
      const outcome = await this.#open(key, known);
      if (outcome !== "damaged") return outcome;
    }
    if (this.#secondLooks === SECOND_LOOKS_MAX) return "damaged";
    this.#secondLooks += 1;
    const newer = this.#options.authenticator();
    const outcome = await this.#open(key, newer);
    if (outcome === "authentic" || outcome === "destroyed") this.#authenticator = newer;
    return outcome;
  }

  /** @throws {KattegatError} when no object opened at all: then nothing is known of any. */
  assertKeyring(): void {
    const { authentic, damaged } = this.#counts;
    if (authentic > 0 || damaged < DAMAGED_MIN) return;
    throw new KattegatError(
      "forbidden",
      `None of the ${damaged} objects in the bucket ${this.#options.bucket.name} opens with this keyring: name the primary's with --keyring and --root-key.`,
    );
  }

  async #open(key: string, authenticator: Authenticator): Promise<Outcome> {
    return await openObject(key, {
      ...this.#options,
      open: (sealed) => (authenticator.authenticate(sealed) ? "authentic" : "destroyed"),
    });
  }

  #tell(): void {
    if (performance.now() - this.#toldMs < PROGRESS_MS) return;
    this.#toldMs = performance.now();
    const { authentic, destroyed, damaged } = this.#counts;
    this.#options.progress(authentic + destroyed + damaged);
  }
}

function damageOf(outcome: Outcome): string | null {
  switch (outcome) {
    case "authentic":
    case "gone":
      return null;
    case "destroyed":
      return "of which nobody has the key any more";
    case "damaged":
      return "that does not open as what its name says: it was altered, or its key is not in the keyring";
    default:
      return outcome satisfies never;
  }
}

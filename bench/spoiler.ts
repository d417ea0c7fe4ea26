/** A site whose copies are spoilt behind the network's back. */

/** So many of each kind, fifty in all. */
export const FAULTS = { missing: 13, extra: 12, stale: 12, corrupted: 13 } as const;
export type Kind = keyof typeof FAULTS;

export interface Spoiler {
  readonly site: string;
  /** Resolves with the document that a repair will name. `at` counts the faults. */
  spoil(kind: Kind, document: string, at: number): Promise<string>;
  /** What reading the store itself takes, where the site answers no audit. */
  storeBytes(): Promise<{ readonly names: number; readonly objects: number } | null>;
}

/** A record of a source with its place. */

/** `position` is from 0 to 1: how much of the source is read; null when its size is not known. */
export type SourceItem =
  | {
      readonly kind: "record";
      readonly line: number;
      readonly record: unknown;
      readonly position: number | null;
    }
  | {
      readonly kind: "bad";
      readonly line: number;
      readonly id: string | null;
      readonly code: "bad_json" | "bad_request";
      readonly detail: string;
      readonly position: number | null;
    };

export interface Source {
  /** For messages. */
  readonly name: string;
  /** Of the content; null when it cannot be read twice, so a broken run cannot continue. */
  readonly digest: string | null;
  items(): AsyncGenerator<SourceItem, void, undefined>;
}

/** The source cannot be read. */
export class SourceError extends Error {
  override readonly name = "SourceError";
}

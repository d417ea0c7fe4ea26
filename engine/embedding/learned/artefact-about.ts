import { ColdFormatError } from "../../cold/format-error.ts";

/** What an artefact says of itself. */
export interface ArtefactAbout {
  readonly model: string;
  readonly dimensions: number;
  readonly words: number;
  readonly resident_words: number;
  readonly grams: number;
  readonly page_rows: number;
  readonly rows_bytes: number;
  readonly unknown_length: number;
  readonly passages: number;
  readonly sampled: number;
  readonly seed: number;
  /** Residency classes of the documents that it was trained from; none for texts that are no network's. */
  readonly classes: readonly string[];
}

const COUNTS = [
  "dimensions",
  "words",
  "resident_words",
  "grams",
  "page_rows",
  "rows_bytes",
  "passages",
  "sampled",
  "seed",
] as const;

/** @throws {ColdFormatError} when the JSON says anything else than this version writes. */
export function parseAbout(json: string): ArtefactAbout {
  const value: unknown = JSON.parse(json);
  const fields = new Map<string, unknown>(
    typeof value === "object" && value !== null ? Object.entries(value) : [],
  );
  const count = (name: (typeof COUNTS)[number]): number => {
    const number = fields.get(name);
    if (typeof number !== "number" || !Number.isSafeInteger(number) || number < 0)
      throw new ColdFormatError(`expected ${name} of a learned embedding to be a whole number`);
    return number;
  };
  const model = fields.get("model");
  const classes: unknown = fields.get("classes");
  const unknownLength = fields.get("unknown_length");
  if (typeof model !== "string" || typeof unknownLength !== "number")
    throw new ColdFormatError("expected a learned embedding to give its model and unknown_length");
  // Where they are not said, nobody can say where it may be.
  if (!Array.isArray(classes) || !classes.every((name) => typeof name === "string"))
    throw new ColdFormatError("expected a learned embedding to give the classes that it was trained from");
  return {
    model,
    dimensions: count("dimensions"),
    words: count("words"),
    resident_words: count("resident_words"),
    grams: count("grams"),
    page_rows: count("page_rows"),
    rows_bytes: count("rows_bytes"),
    unknown_length: unknownLength,
    passages: count("passages"),
    sampled: count("sampled"),
    seed: count("seed"),
    classes,
  };
}

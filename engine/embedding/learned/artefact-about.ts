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
  const unknownLength = fields.get("unknown_length");
  if (typeof model !== "string" || typeof unknownLength !== "number")
    throw new ColdFormatError("expected a learned embedding to give its model and unknown_length");
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
  };
}

/** A column that is resident: few values, asked for by every search. */
import { type Bitmap, createBitmap } from "../../../index/bitmap.ts";
import { ColdFormatError } from "../../format-error.ts";
import { encodeText } from "../../utf8.ts";
import type { Probe } from "./column-probe.ts";
import { complement } from "./document-bitmap.ts";
import { bitsFor, packNumbers, unpackNumbers } from "./document-bits.ts";
import { parseJson } from "./document-frame.ts";
import { createGrowingNumbers } from "./document-numbers.ts";

export interface ResidentColumn {
  readonly residentBytes: number;
  readonly values: readonly string[];
  select(probe: Probe): Bitmap;
}

export interface ResidentColumnBuilder {
  set(document: number, value: string): void;
  /** Returns the values as JSON, then each document's place among them; no places when there is one value. */
  sections(documents: number): { readonly values: Uint8Array; readonly codes: Uint8Array };
}

/** Returns an empty column. */
export function createResidentColumnBuilder(): ResidentColumnBuilder {
  const numbers = new Map<string, number>();
  const codes = createGrowingNumbers();
  return {
    set(document, value) {
      const number = numbers.get(value) ?? numbers.size;
      numbers.set(value, number);
      codes.set(document, number);
    },
    sections: (documents) => ({
      values: encodeText(JSON.stringify([...numbers.keys()])),
      codes: packNumbers(codes.first(documents), bitsFor(Math.max(0, numbers.size - 1))),
    }),
  };
}

/** Reads the sections. @throws {ColdFormatError} when they do not fit the number of documents. */
export function decodeResidentColumn(
  json: Uint8Array,
  packed: Uint8Array,
  documents: number,
): ResidentColumn {
  const values = parseJson(json);
  if (!isTexts(values)) throw new ColdFormatError("expected a list of texts in a resident column");
  const codes = unpackNumbers(packed, documents, bitsFor(Math.max(0, values.length - 1)));
  return {
    residentBytes: codes.residentBytes + json.byteLength * 2,
    values,
    select(probe) {
      const flags = Uint8Array.from(values, (value) => (probe.testValue(value) ? 1 : 0));
      const set = createBitmap(documents);
      if (flags.every((flag) => flag === 0)) return set;
      if (flags.every((flag) => flag === 1)) return complement(set, documents);
      for (let document = 0; document < documents; document += 1) {
        const flag = flags[codes.at(document)] ?? 0;
        set.words[document >>> 5] = (set.words[document >>> 5] ?? 0) | (flag << (document & 31));
      }
      return set;
    },
  };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/** The values of one key of all documents while a base is being made. */
import { createGrowingNumbers } from "./document-numbers.ts";
import { ABSENT, compareTexts, rankOf } from "./column-value.ts";

export interface ColumnBuilder {
  /** Characters of all distinct values. */
  readonly characters: number;
  /** Documents without a call have no value. */
  set(document: number, text: string): void;
  /** The distinct values in the column's order, with the documents of each. */
  values(documents: number): ColumnValues;
}

export interface ColumnValues {
  readonly texts: readonly string[];
  /** Those with value i, ascending. */
  documentsOf(i: number): Uint32Array;
}

/** Returns an empty column. It holds each distinct value once until the column is written. */
export function createColumnBuilder(): ColumnBuilder {
  const texts: string[] = [ABSENT];
  const codes = new Map<string, number>([[ABSENT, 0]]);
  const codeOf = createGrowingNumbers();
  let characters = 0;
  return {
    get characters() {
      return characters;
    },
    set(document, text) {
      let code = codes.get(text);
      if (code === undefined) {
        code = texts.length;
        codes.set(text, code);
        texts.push(text);
        characters += text.length;
      }
      codeOf.set(document, code);
    },
    values: (documents) => grouped(texts, codeOf.first(documents)),
  };
}

/** Sorts the documents by value with one count (counting sort), so that it costs no list for each value. */
function grouped(texts: readonly string[], codeOf: Uint32Array): ColumnValues {
  const starts = new Uint32Array(texts.length + 1);
  for (let i = 0; i < codeOf.length; i += 1) {
    const next = (codeOf[i] ?? 0) + 1;
    starts[next] = (starts[next] ?? 0) + 1;
  }
  for (let code = 1; code < starts.length; code += 1)
    starts[code] = (starts[code] ?? 0) + (starts[code - 1] ?? 0);
  const places = starts.slice();
  const documents = new Uint32Array(codeOf.length);
  for (let i = 0; i < codeOf.length; i += 1) {
    const code = codeOf[i] ?? 0;
    const place = places[code] ?? 0;
    documents[place] = i;
    places[code] = place + 1;
  }
  const ranks = Uint8Array.from(texts, rankOf);
  const order = Uint32Array.from(texts.keys())
    .filter((code) => (starts[code + 1] ?? 0) > (starts[code] ?? 0))
    .sort((left, right) => {
      const rank = rankOf(texts[left] ?? ABSENT);
      return rank - (ranks[right] ?? 0) || compareTexts(rank, texts[left] ?? ABSENT, texts[right] ?? ABSENT);
    });
  return {
    texts: Array.from(order, (code) => texts[code] ?? ABSENT),
    documentsOf(i) {
      const code = order[i] ?? 0;
      return documents.subarray(starts[code], starts[code + 1]);
    },
  };
}

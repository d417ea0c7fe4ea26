/** The sample texts as the oracle's documents. */
import { splitPassages } from "@kattegat/engine/text/split.ts";
import { declarations } from "../samples/declarations.ts";
import { licences } from "../samples/licences.ts";
import type { OracleDocument } from "./exact-index.ts";

export function oracleDocuments(): OracleDocument[] {
  return [...declarations(), ...licences()].map(({ make }) => {
    const { id, text, passages, lang, residency, published_at, metadata } = make();
    const whole = text ?? "";
    return {
      id,
      passages:
        passages?.map((passage) => passage.text) ??
        splitPassages(whole).map(({ start, end }) => whole.slice(start, end)),
      lang: lang ?? null,
      residency,
      publishedAt: published_at ?? null,
      metadata: metadata ?? {},
    };
  });
}

import type { SparseVector } from "../../../lexical/bm25.ts";
import { LEXICAL_LIMITS, type LexicalAnswer, type LexicalLimits, LexicalSearch } from "./lexical-search.ts";
import { decodeLexicalSections } from "./lexical-sections.ts";
import type { LexicalIndex, RowSearchOptions } from "../parts.ts";
import type { Sections } from "../section-file.ts";

/** A lexical index that also says how many blocks it could have read. */
export interface BlockMaxIndex extends LexicalIndex {
  search(query: SparseVector, options: RowSearchOptions): Promise<LexicalAnswer>;
}

/** Opens the sections that `writeLexical` returned. @throws {ColdFormatError} when they are none. */
export function openLexical(root: Sections, limits: LexicalLimits = LEXICAL_LIMITS): BlockMaxIndex {
  const sections = decodeLexicalSections(root);
  return {
    residentBytes: sections.residentBytes,
    async search(query, options) {
      if (!query.values.every((weight) => weight >= 0 && weight < Number.POSITIVE_INFINITY))
        throw new RangeError("expected finite weights, none below 0");
      return new LexicalSearch(query, options, { sections, limits }).run();
    },
  };
}

/** The cold texts that this isolate read last. */
import type { PassageContent } from "@kattegat/protocol/site-search.ts";
import type { ColdPlace } from "./cold-candidates.ts";

/** About 4,000 passages of typical law text; in memory alone, gone with the next manifest. */
const TEXT_UNITS_MAX = 4_000_000;

export interface TextShelf {
  get(place: ColdPlace): PassageContent | undefined;
  set(place: ColdPlace, content: PassageContent): void;
  clear(): void;
}

export function createTextShelf(): TextShelf {
  const contents = new Map<string, PassageContent>();
  let units = 0;
  return {
    get: (place) => contents.get(keyOf(place)),
    set(place, content) {
      const key = keyOf(place);
      if (contents.has(key)) return;
      contents.set(key, content);
      units += content.text.length;
      for (const [oldest, { text }] of contents) {
        if (units <= TEXT_UNITS_MAX || oldest === key) break;
        contents.delete(oldest);
        units -= text.length;
      }
    },
    clear() {
      contents.clear();
      units = 0;
    },
  };
}

function keyOf({ segment, row }: ColdPlace): string {
  return `${segment} ${row}`;
}

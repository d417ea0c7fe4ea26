/** What is shown of passages, read from Postgres. */
import type { PassageContent } from "@kattegat/protocol/site-search.ts";
import type postgres from "postgres";

/** UTF-16 units of document texts kept: the hottest few hundred laws. */
const CACHED_CHARACTERS_MAX = 8_000_000;

export interface PassagePlace {
  readonly document_id: string;
  readonly ordinal: number;
}

export interface FoundPassage {
  readonly version: string;
  readonly residency: string;
  readonly content: PassageContent;
}

export class PassageContents {
  readonly #sql: postgres.Sql;
  /** By id and version, the least recently used first. */
  readonly #texts = new Map<string, string>();
  #characters = 0;

  constructor(sql: postgres.Sql) {
    this.#sql = sql;
  }

  /** Resolves in the order asked; null where the passage is gone. */
  async read(places: readonly PassagePlace[]): Promise<(FoundPassage | null)[]> {
    if (places.length === 0) return [];
    const rows = await this.#sql`
      select w.place, d.id, d.version, d.residency, d.title, d.lang, d.metadata, p.start_offset, p.end_offset, p.own_text
      from unnest(${places.map((place) => place.document_id)}::text[], ${places.map((place) => place.ordinal)}::int[]) with ordinality as w(id, ordinal, place)
      join documents d on d.id = w.id join passages p on p.document_id = w.id and p.ordinal = w.ordinal`;
    const missing = new Set(
      rows
        .filter((row) => row["own_text"] === null && !this.#texts.has(`${row["id"]}@${row["version"]}`))
        .map((row) => String(row["id"])),
    );
    const fetched = await this.#fetch([...missing]);
    const found: (FoundPassage | null)[] = places.map(() => null);
    for (const row of rows) {
      const key = `${row["id"]}@${row["version"]}`;
      const whole = this.#texts.get(key) ?? fetched.get(key);
      if (row["own_text"] === null && whole === undefined) continue;
      const text: string = row["own_text"] ?? whole?.slice(row["start_offset"], row["end_offset"]);
      found[Number(row["place"]) - 1] = {
        version: row["version"],
        residency: row["residency"],
        content: { title: row["title"], text, lang: row["lang"], metadata: row["metadata"] },
      };
    }
    return found;
  }

  async #fetch(ids: readonly string[]): Promise<Map<string, string>> {
    const fetched = new Map<string, string>();
    if (ids.length === 0) return fetched;
    for (const row of await this.#sql`select id, version, text from documents where id = any(${[...ids]})`) {
      const key = `${row["id"]}@${row["version"]}`;
      fetched.set(key, row["text"]);
      this.#keep(key, row["text"]);
    }
    return fetched;
  }

  #keep(key: string, text: string): void {
    if (text.length > CACHED_CHARACTERS_MAX / 8 || this.#texts.has(key)) return;
    this.#texts.set(key, text);
    this.#characters += text.length;
    for (const [oldest, value] of this.#texts) {
      if (this.#characters <= CACHED_CHARACTERS_MAX) break;
      this.#texts.delete(oldest);
      this.#characters -= value.length;
    }
  }
}

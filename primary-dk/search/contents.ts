/** What is shown of passages, read from Postgres. */
import type { PassageContent } from "@kattegat/protocol/site-search.ts";
import type postgres from "postgres";
import { passageText } from "../documents/passage-rows.ts";
import { sealedDocuments } from "../documents/state.ts";
import { KEY_COLUMNS, openHead, openText, type DocumentSeals } from "../sealing/document-seals.ts";

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
  readonly #seals: DocumentSeals;
  /** By id and version, the least recently used first. */
  readonly #texts = new Map<string, string>();
  #characters = 0;
  #forgets = 0;

  constructor(sql: postgres.Sql, seals: DocumentSeals) {
    this.#sql = sql;
    this.#seals = seals;
  }

  /** UTF-16 units in memory. */
  get characters(): number {
    return this.#characters;
  }

  /** Resolves in the order asked; null where the passage is gone. */
  async read(places: readonly PassagePlace[]): Promise<(FoundPassage | null)[]> {
    if (places.length === 0) return [];
    const rows = await this.#sql`
      select w.place, d.id, d.version, d.residency, d.head, d.lang, p.ordinal, p.start_offset, p.end_offset, p.own_text, ${this.#sql(KEY_COLUMNS)}
      from unnest(${places.map((place) => place.document_id)}::text[], ${places.map((place) => place.ordinal)}::int[]) with ordinality as w(id, ordinal, place)
      join ${sealedDocuments(this.#sql)} on d.id = w.id join passages p on p.document_id = w.id and p.ordinal = w.ordinal`;
    const missing = new Set(
      rows
        .filter((row) => row["own_text"] === null && !this.#texts.has(`${row["id"]}@${row["version"]}`))
        .map((row) => String(row["id"])),
    );
    const fetched = await this.#fetch([...missing]);
    const found: (FoundPassage | null)[] = places.map(() => null);
    for (const row of rows) {
      const name = `${row["id"]}@${row["version"]}`;
      const whole = this.#texts.get(name) ?? fetched.get(name);
      if (row["own_text"] === null && whole === undefined) continue;
      const key = this.#seals.keyOf(row);
      const { title, metadata } = openHead(key, row["head"]);
      const text = passageText(row, { key, text: whole ?? "" });
      found[Number(row["place"]) - 1] = {
        version: row["version"],
        residency: row["residency"],
        content: { title, text, lang: row["lang"], metadata: { ...metadata } },
      };
    }
    return found;
  }

  /** Leaves nothing in memory of contents that are no more. */
  forget(contents: readonly { readonly id: string; readonly version: string }[]): void {
    if (contents.length > 0) this.#forgets += 1;
    for (const { id, version } of contents) {
      const name = `${id}@${version}`;
      this.#characters -= this.#texts.get(name)?.length ?? 0;
      this.#texts.delete(name);
    }
  }

  async #fetch(ids: readonly string[]): Promise<Map<string, string>> {
    const fetched = new Map<string, string>();
    if (ids.length === 0) return fetched;
    const forgets = this.#forgets;
    const rows = await this.#sql`
      select d.id, d.version, d.body, ${this.#sql(KEY_COLUMNS)} from ${sealedDocuments(this.#sql)}
      where d.id = any(${[...ids]})`;
    for (const row of rows) {
      const name = `${row["id"]}@${row["version"]}`;
      const text = openText(this.#seals.keyOf(row), "body", row["body"]);
      fetched.set(name, text);
      // What was read may have been deleted since.
      if (forgets === this.#forgets) this.#keep(name, text);
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

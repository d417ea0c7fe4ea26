/** A corpus of cold documents that no edge may hold, and what a search of them gives. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Candidate, SiteSearchRequest } from "@kattegat/protocol/site-search.ts";
import { expect } from "vitest";
import { startPrimary, type Client } from "../primary.fixture.ts";

const SUBJECTS = "frist klage skat miljø nævn borger kommune ret undervisning vej bygning".split(" ");
const OBJECTS = "havn fiskeri landbrug energi vand skov jagt told politi fængsel skole boligstøtte arv".split(
  " ",
);
const VERBS = "ændres ophæves fastsættes udbetales tildeles afslås anmeldes".split(" ");

/** Texts that differ, so that few scores are equal. */
export function textOf(number: number, edition = 0): string {
  const word = (list: readonly string[], step: number): string =>
    list[Math.floor(number / step + edition) % list.length] ?? "";
  return `${word(SUBJECTS, 1)} ${word(OBJECTS, 3)} ${word(VERBS, 5)} efter sag${number} ${word(OBJECTS, 7)}`;
}

export function coldDocument(number: number, edition = 0): Record<string, unknown> {
  return {
    id: `dk-${number}`,
    title: `Sag ${number}`,
    residency: "dk-only",
    tier: "cold",
    collection: number % 9 === 0 ? "other" : "default",
    lang: number % 4 === 0 ? "en" : "da",
    published_at: `${2_000 + (number % 25)}-03-01`,
    metadata: {
      year: 2_000 + (number % 25),
      tags: number % 2 === 0 ? ["a", "b"] : [],
      court: { name: `c${number % 5}` },
    },
    passages: [{ text: textOf(number, edition) }, { text: `${textOf(number + 1_000, edition)} anden del` }],
  };
}

export async function putCold(client: Client, documents: readonly Record<string, unknown>[]): Promise<void> {
  const answers = await client.batch(documents);
  const failed = answers.find(
    (answer) => "error" in answer || (typeof answer["status"] === "number" && answer["status"] >= 400),
  );
  if (failed !== undefined) throw new Error(JSON.stringify(failed));
}

/** Every mode, grouping and kind of filter that a search may have. */
export const QUESTIONS: readonly Partial<SiteSearchRequest>[] = [
  {},
  { group_by: "passage" },
  { dense: null },
  { lexical: null, group_by: "passage" },
  { candidates: 7 },
  { collection: "other" },
  { tiers: ["cold"] },
  { tiers: ["hot", "warm"] },
  { classes: ["global"] },
  { filter: { must: [{ key: "lang", match: { value: "en" } }] } },
  { filter: { must: [{ key: "year", range: { gte: 2_010, lt: 2_015 } }] }, group_by: "passage" },
  { filter: { must: [{ key: "published_at", range: { lt: "2005-01-01T00:00:00Z" } }] } },
  { filter: { must_not: [{ key: "tags", match: { value: "a" } }] } },
  { filter: { must: [{ is_empty: { key: "tags" } }] } },
  {
    filter: {
      should: [{ key: "court.name", match: { any: ["c1", "c2"] } }, { has_id: ["dk-20", "dk-21#2"] }],
    },
  },
  { filter: { must: [{ has_id: ["dk-3", "dk-5#1", "dk-40"] }] }, group_by: "passage" },
  { filter: { must: [{ key: "tier", match: { value: "cold" } }] } },
  { filter: { must_not: [{ key: "tier", match: { value: "cold" } }] } },
  { filter: { must: [{ key: "nothing", match: { value: 1 } }] } },
];

const QUERIES = ["klage over havn udbetales sag17", "anden del af skole"];

/** Without the last of a full list: which of those with the same score are in it is anybody's choice. */
function aboveCut(list: readonly Candidate[], limit: number): readonly Candidate[] {
  const last = list.at(-1)?.score ?? 0;
  return list.length < limit ? list : list.filter(({ score }) => score > last + 1e-6);
}

async function answersOf(
  client: Client,
): Promise<{ readonly statuses: readonly string[]; readonly lists: readonly (readonly Candidate[])[] }> {
  const lists: (readonly Candidate[])[] = [];
  const statuses: string[] = [];
  for (const query of QUERIES) {
    for (const question of QUESTIONS) {
      const { dense, lexical, tiers } = await client.search(query, { hydrated: 3, ...question });
      const limit = question.candidates ?? 100;
      lists.push(aboveCut(dense, limit), aboveCut(lexical, limit));
      statuses.push(...tiers.map(({ status }) => status));
    }
  }
  return { statuses, lists };
}

/** Expects of the client what a primary that reads everything into memory answers. */
export async function expectAllInMemory(client: Client, databaseUrl: string): Promise<void> {
  const reference = await startPrimary(databaseUrl);
  try {
    const [found, wanted] = [await answersOf(client), await answersOf(reference.client)];
    expect(found.statuses).toEqual(wanted.statuses);
    expect(found.statuses.every((status) => status === "ok")).toBe(true);
    const ranking = (lists: readonly (readonly Candidate[])[]) =>
      lists.map((list) => list.map(({ score: _score, ...candidate }) => candidate));
    expect(ranking(found.lists)).toEqual(ranking(wanted.lists));
    const difference = found.lists.flatMap((list, at) =>
      list.map(({ score }, rank) => Math.abs(score - (wanted.lists[at]?.[rank]?.score ?? Infinity))),
    );
    expect(difference.length).toBeGreaterThan(500);
    expect(Math.max(...difference)).toBeLessThan(1e-5);
  } finally {
    await reference.close();
  }
}

export async function dataFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "kattegat-cold-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Questions with known answers: judged ones in English, known items in Danish law. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { seededRandom } from "@kattegat/engine/seeded-random.ts";

export interface JudgedPassage {
  readonly id: string;
  readonly group: string;
  readonly text: string;
}

export interface JudgedQuery {
  readonly text: string;
  /** Ids of passages, of groups where groups are ranked. */
  readonly relevant: ReadonlySet<string>;
  /** The passage that the query was taken from, when finding it would be no answer. */
  readonly source: string | null;
}

export interface JudgedTask {
  readonly name: string;
  readonly passages: readonly JudgedPassage[];
  readonly queries: readonly JudgedQuery[];
  readonly grouped: boolean;
}

export interface Act {
  readonly id: string;
  readonly title: string;
  readonly texts: readonly string[];
}

const policySchema = z.object({
  data: z.array(
    z.object({
      title: z.string(),
      paragraphs: z.array(
        z.object({ context: z.string(), qas: z.array(z.object({ question: z.string() })) }),
      ),
    }),
  ),
});

/** SQuAD's layout; one question is asked of many paragraphs, all of which answer it. */
export function policyTask(path: string): JudgedTask {
  const { data } = policySchema.parse(JSON.parse(readFileSync(path, "utf8")));
  const paragraphs = data.flatMap(({ title, paragraphs: own }) =>
    own.map((paragraph) => ({ title, paragraph })),
  );
  const relevant = new Map<string, Set<string>>();
  paragraphs.forEach(({ paragraph }, at) => {
    for (const { question } of paragraph.qas)
      relevant.set(question, (relevant.get(question) ?? new Set()).add(String(at)));
  });
  return {
    name: "PolicyQA, question → paragraphs",
    passages: paragraphs.map(({ title, paragraph }, at) => ({
      id: String(at),
      group: title,
      text: paragraph.context,
    })),
    queries: [...relevant].map(([text, ids]) => ({ text, relevant: ids, source: null })),
    grouped: false,
  };
}

/** Tasks that make their queries of titles, references, excerpts of the acts. */
export function lawTasks(acts: readonly Act[], queriesMax: number): JudgedTask[] {
  const passages = acts.flatMap(({ id, texts }) =>
    texts.map((text, at) => ({ id: `${id}#${at}`, group: id, text })),
  );
  const sameText = new Map<string, Set<string>>();
  for (const { id, text } of passages) sameText.set(text, (sameText.get(text) ?? new Set()).add(id));
  return [
    { name: "Danish law, title → act", passages, queries: titleQueries(acts, queriesMax), grouped: true },
    {
      name: "Danish law, words before “jf. §” → provision",
      passages,
      queries: referenceQueries(acts, sameText, queriesMax),
      grouped: false,
    },
    {
      name: "Danish law, eight words in a row → provision",
      passages,
      queries: excerptQueries(passages, sameText, queriesMax),
      grouped: false,
    },
  ];
}

/** Amending acts are called after what they amend: all acts of one title are right. */
function titleQueries(acts: readonly Act[], queriesMax: number): JudgedQuery[] {
  const byTitle = new Map<string, Set<string>>();
  for (const { id, title } of acts) byTitle.set(title, (byTitle.get(title) ?? new Set()).add(id));
  return spread([...byTitle], queriesMax).map(([text, relevant]) => ({ text, relevant, source: null }));
}

/** What stands before a reference says what it is about: up to twelve words, at least five. */
const REFERENCE = /((?:[^\s.;:]+\s+){5,12})\(?jf\. § (\d+(?: [a-z])?)(?=[,.;)])/u;

function referenceQueries(
  acts: readonly Act[],
  sameText: ReadonlyMap<string, ReadonlySet<string>>,
  queriesMax: number,
): JudgedQuery[] {
  const queries = acts.flatMap(({ id, texts }) =>
    texts.flatMap((text, at): JudgedQuery[] => {
      const [, words, section] = REFERENCE.exec(text) ?? [];
      if (words === undefined) return [];
      const target = texts.find((other) => other.startsWith(`§ ${section}.`));
      if (target === undefined || target === text) return [];
      return [{ text: words.trim(), relevant: sameText.get(target) ?? new Set(), source: `${id}#${at}` }];
    }),
  );
  return spread(queries, queriesMax);
}

function excerptQueries(
  passages: readonly JudgedPassage[],
  sameText: ReadonlyMap<string, ReadonlySet<string>>,
  queriesMax: number,
): JudgedQuery[] {
  const random = seededRandom(5);
  return spread(
    passages.filter(({ text }) => text.length > 120),
    queriesMax,
  ).map(({ text }) => {
    const words = text.split(/\s+/);
    const from = Math.floor(random() * Math.max(1, words.length - 8));
    return {
      text: words.slice(from, from + 8).join(" "),
      relevant: sameText.get(text) ?? new Set(),
      source: null,
    };
  });
}

function spread<Item>(items: readonly Item[], most: number): Item[] {
  const step = Math.max(1, items.length / most);
  return Array.from({ length: Math.min(most, items.length) }, (_, at) => items[Math.floor(at * step)]).filter(
    (item) => item !== undefined,
  );
}

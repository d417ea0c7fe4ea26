import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Article, readArticles } from "./declarations.fixture.ts";
import { createHashedEmbedder } from "./hashed.ts";

const embedder = createHashedEmbedder({ dimensions: 384 });
const articles = readArticles();
const vectors = articles.map(({ text }) => embedder.embedSync(text));

function dot(left: Float32Array, right: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < left.length; i += 1) sum += (left[i] ?? 0) * (right[i] ?? 0);
  return sum;
}

function nearest(query: string): Article | undefined {
  const vector = embedder.embedSync(query);
  const scores = vectors.map((other) => dot(vector, other));
  return articles[scores.indexOf(Math.max(...scores))];
}

/** Returns 1 / rank of the article for six words from its middle. */
function reciprocalRank(index: number): number {
  const words = articles[index]?.text.match(/\p{L}+/gu) ?? [];
  const from = Math.max(0, (words.length >> 1) - 3);
  const vector = embedder.embedSync(words.slice(from, from + 6).join(" "));
  const own = dot(vector, vectors[index] ?? vector);
  return 1 / (1 + vectors.filter((other) => dot(vector, other) > own + 1e-6).length);
}

describe("the hashed embedder", () => {
  it.each([
    ["enhver har ret til undervisning", "dan", 26],
    ["everyone has the right to education", "eng", 26],
    ["toute personne a droit à l'éducation", "fra", 26],
    ["ferie med løn", "dan", 24],
  ])("finds for %j the article %s %i among all declarations", (query, code, number) => {
    expect(articles.length).toBeGreaterThan(15_000);
    expect(nearest(query)).toMatchObject({ code, number });
  });

  it("finds most articles of the stemmed languages by six words in a row among all declarations", () => {
    const codes = new Set(["dan", "eng", "deu_1996", "swe", "fra"]);
    const ranks = articles.flatMap(({ code }, index) => (codes.has(code) ? [reciprocalRank(index)] : []));
    expect(ranks.length).toBe(150);
    expect(ranks.reduce((sum, rank) => sum + rank, 0) / ranks.length).toBeGreaterThan(0.8);
  });

  it("finds an inflected form nearer than another word", () => {
    const query = embedder.embedSync("klagefrist");
    expect(dot(query, embedder.embedSync("klagefristerne"))).toBeGreaterThan(0.4);
    expect(Math.abs(dot(query, embedder.embedSync("ægteskab")))).toBeLessThan(0.3);
  });

  it("lets words weigh more than grammar", () => {
    const passage = embedder.embedSync("Enhver har ret til undervisning");
    expect(dot(passage, embedder.embedSync("undervisning"))).toBeGreaterThan(
      2 * dot(passage, embedder.embedSync("enhver har til")),
    );
  });

  it("gives unit vectors of finite numbers for any text", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 200 }), async (text) => {
        const [vector] = await embedder.embed([text], "passage");
        if (vector === undefined) throw new Error("no vector");
        expect(vector).toHaveLength(384);
        expect(dot(vector, vector)).toBeCloseTo(1, 5);
      }),
    );
  });

  it("gives a text without words a direction of its own", () => {
    const empty = embedder.embedSync("");
    expect(embedder.embedSync(" .–! ")).toEqual(empty);
    expect(dot(empty, empty)).toBeCloseTo(1, 5);
    for (const vector of vectors.slice(0, 500)) expect(Math.abs(dot(empty, vector))).toBeLessThan(0.35);
  });

  it("keeps the numbers that stored vectors were made with: another result needs another model name", () => {
    expect(embedder.model).toBe("hashed-384-v1");
    const vector = createHashedEmbedder({ dimensions: 8 }).embedSync(
      "Enhver har ret til undervisning, § 26. 人权",
    );
    expect([...vector]).toMatchInlineSnapshot(`
      [
        -0.055966731160879135,
        0.8901873826980591,
        0.10249202698469162,
        -0.13182036578655243,
        0.08369547128677368,
        0.016048651188611984,
        0.39132046699523926,
        -0.1271171122789383,
      ]
    `);
  });

  it.each([0, 7, 1.5, 5000, Number.NaN])("refuses %d dimensions", (dimensions) => {
    expect(() => createHashedEmbedder({ dimensions })).toThrow(
      "dimensions: expected a whole number from 8 to 4096",
    );
  });
});

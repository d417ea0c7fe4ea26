import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { createHashedEmbedder } from "../hashed.ts";
import type { Artefact } from "./artefact.ts";
import {
  createLearnedEmbedder,
  createPagedEmbedder,
  createResidentLearnedEmbedder,
  EmbeddingIncompleteError,
  type LearnedEmbedder,
} from "./embedder.ts";
import { articlesIn, LEARN_MODULE, pagesOf, trainSmall } from "./learned.fixture.ts";

/** So little of a head that most words lie in pages. */
const HEAD_BYTES_MAX = 20_000;
const texts = articlesIn(["dan", "eng", "deu_1996", "swe", "fra", "nob"]).map(({ text }) => text);

let artefact: Artefact;
let resident: ReturnType<typeof createResidentLearnedEmbedder>;
beforeAll(async () => {
  artefact = await trainSmall(texts, { headBytesMax: HEAD_BYTES_MAX, gramsMax: 64 });
  resident = createResidentLearnedEmbedder({ ...artefact, module: LEARN_MODULE });
});

function dot(left: Float32Array, right: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < left.length; i += 1) sum += (left[i] ?? 0) * (right[i] ?? 0);
  return sum;
}

describe("the learned embedder", () => {
  it("gives bit for bit the same vectors from pages as from memory", async () => {
    const { readPages, rounds } = pagesOf(artefact);
    const paged = createLearnedEmbedder({ head: artefact.head, readPages });
    expect(paged.model).toBe(resident.model);
    const asked = [...texts, "menneskerettighedsdomstolsafgørelse 2016/679 人权", "", "ret ret ret"];
    expect(await paged.embed(asked, "passage")).toEqual(asked.map((text) => resident.embedSync(text)));
    expect(rounds).toHaveLength(1);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 60 }), async (text) => {
        expect(await paged.embed([text], "query")).toEqual([resident.embedSync(text)]);
      }),
    );
  });

  it("gives the same vector whatever it has embedded before", () => {
    const fresh = createResidentLearnedEmbedder({ ...artefact, module: LEARN_MODULE });
    for (const text of texts.toReversed()) fresh.embedSync(text);
    for (const text of texts) expect(fresh.embedSync(text)).toEqual(resident.embedSync(text));
  });

  it("gives the same bits at dimensions that fill no register", async () => {
    const odd = await trainSmall(texts, { dimensions: 20, headBytesMax: HEAD_BYTES_MAX, gramsMax: 64 });
    const memory = createResidentLearnedEmbedder({ ...odd, module: LEARN_MODULE });
    const paged = createLearnedEmbedder({ head: odd.head, readPages: pagesOf(odd).readPages });
    expect(await paged.embed(texts, "passage")).toEqual(texts.map((text) => memory.embedSync(text)));
  });

  it("reads each page once a call, none for words of the head", async () => {
    const { readPages, rounds } = pagesOf(artefact);
    const paged = createLearnedEmbedder({ head: artefact.head, readPages });
    await paged.embed(["og and the"], "query");
    expect(rounds).toEqual([]);
    await paged.embed(texts, "query");
    const offsets = rounds.flat().map(({ offset }) => offset);
    expect(offsets.length).toBeGreaterThan(5);
    expect(new Set(offsets).size).toBe(offsets.length);
  });

  it("says how many words lack their page, never gives such a vector for storing", async () => {
    const paged = (lost: (offset: number) => boolean): LearnedEmbedder =>
      createLearnedEmbedder({
        head: artefact.head,
        readPages: async (pages) => {
          const read = await pagesOf(artefact).readPages(pages);
          return read.map((bytes, at) => (lost(pages[at]?.offset ?? 0) ? null : bytes));
        },
      });
    const text = texts.find((other) => other.includes("undervisning")) ?? "";
    const [partial] = await paged(() => true).embedPartly([text]);
    if (partial === undefined) throw new Error("no vector");
    expect(partial.missingWords).toBeGreaterThan(0);
    expect(dot(partial.vector, partial.vector)).toBeCloseTo(1, 5);
    expect(partial.vector).not.toEqual(resident.embedSync(text));
    await expect(paged(() => true).embed([text], "passage")).rejects.toThrow(EmbeddingIncompleteError);
    const [whole] = await paged(() => false).embedPartly([text]);
    expect(whole).toMatchObject({ vector: resident.embedSync(text), missingWords: 0 });
  });

  it("gives the same vectors however few words it remembers", async () => {
    const { readPages } = pagesOf(artefact);
    const forgetful = createPagedEmbedder({ head: artefact.head, spellingsMax: 3 });
    for (const text of texts.slice(0, 20)) {
      const [made] = await forgetful.embedPartly([text], readPages);
      expect(made).toMatchObject({ vector: resident.embedSync(text), missingWords: 0 });
    }
  });

  it("counts a word that stands three times once plus the logarithm of three", () => {
    const [left, right] = [resident.embedSync("ret"), resident.embedSync("frihed")];
    const cosine = dot(left, right);
    // v = a·left + b·right: two equations from its products with both.
    const ratioOf = (text: string): number => {
      const vector = resident.embedSync(text);
      const [x, y] = [dot(vector, left), dot(vector, right)];
      return (x - cosine * y) / (y - cosine * x);
    };
    expect(ratioOf("ret ret frihed ret") / ratioOf("ret frihed")).toBeCloseTo(1 + Math.log(3), 2);
  });

  it("gives unit vectors of finite numbers for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (text) => {
        const vector = resident.embedSync(text);
        expect(vector).toHaveLength(64);
        expect(dot(vector, vector)).toBeCloseTo(1, 5);
      }),
    );
  });

  it("gives a text without words the same direction as the hashed embedder", () => {
    const empty = createHashedEmbedder({ dimensions: 64 }).embedSync("");
    expect(resident.embedSync("")).toEqual(empty);
    expect(resident.embedSync(" .–! ")).toEqual(empty);
  });

  it("puts an unknown compound near its parts, another unknown word far from them", () => {
    const compound = resident.embedSync("undervisningsfrihed");
    expect(dot(compound, resident.embedSync("undervisning"))).toBeGreaterThan(0.4);
    expect(dot(compound, resident.embedSync("frihed"))).toBeGreaterThan(0.4);
    expect(Math.abs(dot(compound, resident.embedSync("xyzzyplugh")))).toBeLessThan(0.3);
  });

  it("puts an unknown inflected form near its word", () => {
    expect(dot(resident.embedSync("undervisningernes"), resident.embedSync("undervisning"))).toBeGreaterThan(
      0.82,
    );
  });
});

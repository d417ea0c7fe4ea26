import { createHashedEmbedder } from "@kattegat/engine/embedding/hashed.ts";
import { afterAll, describe, expect, it } from "vitest";
import { makePassages, type PassageSource } from "./passages.ts";
import { PassagesInThread } from "./passages-in-thread.ts";

const dimensions = 64;
const thread = new PassagesInThread({ dimensions });
afterAll(() => thread.close());

const embedder = createHashedEmbedder({ dimensions });
const here = (source: PassageSource) =>
  makePassages(source, { embedder, next: null, pacer: { breathe: () => Promise.resolve() } });

const law: PassageSource = {
  lang: "da",
  passages: null,
  text: Array.from(
    { length: 90 },
    (_, at) =>
      `# Kapitel ${at}\n\n§ ${at}. En part skal høres, inden der træffes afgørelse ${at}, jf. stk. ${at}.`,
  ).join("\n\n"),
};

describe("the thread that makes passages", () => {
  it("makes what is made without it, to the last bit", async () => {
    const made = await here(law);
    expect(made.length).toBeGreaterThan(10);
    expect(made.some(({ heading }) => heading !== null)).toBe(true);
    expect(await thread.prepare(law)).toEqual(made);
  });

  it("takes a caller's passages with their vectors, wherever they stand", async () => {
    const given: PassageSource = {
      lang: "und",
      text: "Første stykke.\n\nAndet stykke.",
      passages: [
        { text: "Første stykke.", vector: null },
        { text: "Står ikke i teksten.", vector: embedder.embedSync("noget andet").slice() },
      ],
    };
    const made = await thread.prepare(given);
    expect(made).toEqual(await here(given));
    expect(made.map(({ ownText }) => ownText)).toEqual([null, "Står ikke i teksten."]);
  });

  it("gives each of several documents its own", async () => {
    const texts = ["Retten til liv.", "Frihed fra tortur.", ""];
    const sources = texts.map((text): PassageSource => ({ text, lang: "da", passages: null }));
    const made = await Promise.all(sources.map((source) => thread.prepare(source)));
    expect(made).toEqual(await Promise.all(sources.map(here)));
  });

  it("asks for the write again when it ends before it is done, and is there for the next", async () => {
    const lost = thread.prepare(law);
    const [refused] = await Promise.allSettled([lost, thread.close()]);
    expect(refused).toMatchObject({ status: "rejected", reason: { code: "unavailable" } });
    expect(await thread.prepare(law)).toEqual(await here(law));
  });
});

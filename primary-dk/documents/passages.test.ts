import { createHashedEmbedder } from "@kattegat/engine/embedding/hashed.ts";
import { afterAll, describe, expect, it } from "vitest";
import { makePassages, type PassageSource } from "./passages.ts";
import { ENDINGS } from "./endings.fixture.ts";
import { PassagesInThread, type PassagesInThreadOptions } from "./passages-in-thread.ts";

const dimensions = 64;
const report = (): void => {};
const thread = new PassagesInThread({ dimensions, report });
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

describe("the thread that makes passages, when a document ends it", () => {
  const module = new URL("./ending-thread.fixture.ts", import.meta.url);
  const source = (text: string): PassageSource => ({ text, lang: "da", passages: null });
  const bad = { code: "bad_document" };

  async function settledBy(
    options: Partial<PassagesInThreadOptions>,
    sources: readonly PassageSource[],
  ): Promise<{ readonly settled: unknown[]; readonly reported: readonly unknown[] }> {
    const reported: unknown[] = [];
    const ending = new PassagesInThread({ dimensions, report: (error) => reported.push(error), ...options });
    const made = sources.map((each) => ending.prepare(each).catch((error: unknown) => error));
    const settled = await Promise.all(made);
    await ending.close();
    return { settled, reported };
  }

  it("refuses that document alone; those before, beside and behind it are made", async () => {
    for (const how of [ENDINGS.exit, ENDINGS.error]) {
      const texts = ["Foran.", how, "Bagved.", how, "Sidst."];
      const { settled, reported } = await settledBy({ module }, texts.map(source));
      expect(settled[0]).toEqual(await here(source("Foran.")));
      expect(settled[1]).toMatchObject(bad);
      expect(settled[2]).toEqual(await here(source("Bagved.")));
      expect(settled[3]).toMatchObject(bad);
      expect(settled[4]).toEqual(await here(source("Sidst.")));
      // Two threads for each of the two: more would be a loop.
      expect(reported).toHaveLength(4);
    }
  });

  it("makes a document that a thread ended upon once, by what was there before", async () => {
    const { settled, reported } = await settledBy({ module }, [source("Foran."), source(ENDINGS.once)]);
    expect(settled[1]).toEqual(await here(source(ENDINGS.once)));
    expect(reported).toHaveLength(1);
  });

  it("fails with what failed in it, as without a thread, and goes on", async () => {
    const { settled, reported } = await settledBy({ module }, [ENDINGS.failure, "Bagved."].map(source));
    expect(settled[0]).toMatchObject({ message: "This text fails." });
    expect(settled[1]).toEqual(await here(source("Bagved.")));
    expect(reported).toEqual([]);
  });

  it("keeps an answer that came before the end, and makes what waited behind it", async () => {
    const sources = [ENDINGS.late, "Bagved.", ENDINGS.late, "Sidst."].map(source);
    const { settled, reported } = await settledBy({ module }, sources);
    expect(settled).toEqual(await Promise.all(sources.map(here)));
    expect(reported).toHaveLength(2);
  });

  it("says that a document needs too much memory", async () => {
    const words = Array.from({ length: 150_000 }, (_, at) => `ord${at.toString(36)}`).join(" ");
    const heapMib = { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 };
    const { settled } = await settledBy({ heapMib }, [source("Foran."), source(words), law]);
    expect(settled[1]).toMatchObject({ ...bad, message: expect.stringContaining("memory") });
    expect([settled[0], settled[2]]).toEqual([await here(source("Foran.")), await here(law)]);
  });

  it("blames no document when the thread does not start", async () => {
    const missing = new URL("./no-such-thread.ts", import.meta.url);
    const { settled, reported } = await settledBy({ module: missing }, [source("Et."), source("To.")]);
    expect(settled).toMatchObject([{ code: "unavailable" }, { code: "unavailable" }]);
    expect(reported).toHaveLength(1);
  });

  it("loses no document that comes while a former thread closes", async () => {
    const closing = new PassagesInThread({ dimensions, report });
    const lost = closing.prepare(law).catch((error: unknown) => error);
    const closed = closing.close();
    expect(await closing.prepare(law)).toEqual(await here(law));
    expect(await lost).toMatchObject({ code: "unavailable" });
    await Promise.all([closed, closing.close()]);
  });
});

import { createHmac } from "node:crypto";
import { createHashedEmbedder } from "@kattegat/engine/embedding/hashed.ts";
import { documentInputSchema, type DocumentInput } from "@kattegat/protocol/documents.ts";
import { describe, expect, it } from "vitest";
import { network } from "../primary.fixture.ts";
import { contentOf, type DocumentContent } from "./content.ts";
import { NO_PRECONDITION } from "./precondition.ts";
import { createPassageMaker } from "./passages.ts";
import { Writer } from "./writer.ts";

const { dimensions } = network.embedding;
const embedder = createHashedEmbedder({ dimensions });
const LONG = "En part skal høres, inden der træffes afgørelse. ".repeat(60);

const contentWith = (input: Pick<DocumentInput, "text" | "passages">, id = "a"): DocumentContent =>
  contentOf(id, documentInputSchema.parse({ title: "Lov", residency: "global", ...input }), {
    network,
    zone: "eu",
    seals: { digest: () => createHmac("sha256", "key") },
  });

describe("where passages are made", () => {
  /** Whether this thread had to breathe meanwhile. */
  async function isMadeHere(content: DocumentContent): Promise<boolean> {
    let breaths = 0;
    const breathe = (): Promise<void> => {
      breaths += 1;
      return Promise.resolve();
    };
    const maker = createPassageMaker({ network, embedder, next: null, pacer: { breathe }, report: () => {} });
    const made = await maker.prepare(content);
    await maker.close();
    expect(made).toHaveLength(content.passages?.length ?? made.length);
    return breaths > 0;
  }

  it("makes the passages of a short text where writes are committed, those of a long one in a thread", async () => {
    expect(await isMadeHere(contentWith({ text: "§ 1. Loven gælder." }))).toBe(true);
    expect(await isMadeHere(contentWith({ text: LONG.repeat(2) }))).toBe(false);
  });

  it("weighs a caller's own passages instead of the text they come with", async () => {
    const text = "§ 1. Loven gælder.";
    expect(await isMadeHere(contentWith({ text, passages: [{ text }] }))).toBe(true);
    expect(await isMadeHere(contentWith({ text, passages: [{ text: LONG }, { text: LONG }] }))).toBe(false);
    const many = Array.from({ length: 40 }, (_, at) => ({ text: `Nr. ${at}` }));
    expect(await isMadeHere(contentWith({ text, passages: many }))).toBe(false);
    expect(await isMadeHere(contentWith({ text: LONG.repeat(2), passages: [{ text }] }))).toBe(true);
  });
});

it("counts a caller's own passages for the size of a group of writes", async () => {
  const groups: number[] = [];
  const writer = new Writer({
    digests: () => Promise.resolve(new Map()),
    prepare: () => Promise.resolve([]),
    commit: (group) => {
      groups.push(group.length);
      const fates = group.map(() => ({ kind: "nothing", current: null }) as const);
      return Promise.resolve({ fates, effects: [], removed: [], loaded: new Map(), head: null });
    },
    apply: () => Promise.resolve(),
    recover: () => Promise.resolve(),
    report: () => {},
  });
  const passages = [{ text: LONG.repeat(200) }];
  await Promise.all(
    ["a", "b", "c", "d"].map((id) => {
      const content = contentWith({ text: "Kort.", passages }, id);
      return writer.submit({ kind: "put", id, content, zone: "eu", precondition: NO_PRECONDITION });
    }),
  );
  await writer.close();
  // 588,000 characters each, a million in a group.
  expect(groups).toEqual([1, 1, 1, 1]);
});

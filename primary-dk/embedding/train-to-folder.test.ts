import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { headName, rowsName } from "@kattegat/engine/embedding/learned/artefact-names.ts";
import { createLearnedEmbedder } from "@kattegat/engine/embedding/learned/embedder.ts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { filePages, openResidentEmbedder } from "./artefact-files.ts";
import { trainToFolder } from "./train-to-folder.ts";

const folder = mkdtempSync(join(tmpdir(), "kattegat-embedding-"));
afterAll(() => rmSync(folder, { recursive: true }));

const texts = Array.from(
  { length: 200 },
  (_, at) => `Klagen skal være indgivet inden ${at % 20} uger efter at afgørelse nr ${at % 60} er meddelt`,
);
let model = "";
beforeAll(async () => {
  const options = { texts: () => texts, dimensions: 32, seed: 1, gramsMax: 16, headBytesMax: 5_200 };
  ({ model } = await trainToFolder(folder, options));
});

it("writes head and rows under the model's name, nothing beside them", () => {
  expect(readdirSync(folder).toSorted()).toEqual([headName(model), rowsName(model)]);
});

it("gives one vector from memory and from the file's pages", async () => {
  const resident = await openResidentEmbedder(folder, model);
  const head = readFileSync(join(folder, headName(model)));
  const paged = createLearnedEmbedder({ head, readPages: filePages(join(folder, rowsName(model))) });
  expect(readFileSync(join(folder, rowsName(model))).byteLength).toBeGreaterThan(0);
  expect(await paged.embed(texts, "query")).toEqual(texts.map((text) => resident.embedSync(text)));
});

it("refuses files under another model's name", async () => {
  writeFileSync(join(folder, headName("learned-32-0")), readFileSync(join(folder, headName(model))));
  writeFileSync(join(folder, rowsName("learned-32-0")), readFileSync(join(folder, rowsName(model))));
  await expect(openResidentEmbedder(folder, "learned-32-0")).rejects.toThrow(
    `expected the embedding learned-32-0 in learned-32-0.head, got ${model}`,
  );
});

it("gives null for a page that the file no longer has", async () => {
  const path = join(folder, "short.rows");
  writeFileSync(path, readFileSync(join(folder, rowsName(model))));
  truncateSync(path, 10);
  const head = readFileSync(join(folder, headName(model)));
  const paged = createLearnedEmbedder({ head, readPages: filePages(path) });
  const made = await paged.embedPartly(texts);
  expect(made.some(({ missingWords }) => missingWords > 0)).toBe(true);
});

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Network } from "@kattegat/config/network.ts";
import { openHead } from "@kattegat/engine/embedding/learned/artefact.ts";
import { headName, rowsName } from "@kattegat/engine/embedding/learned/artefact-names.ts";
import type { TrainingProgress } from "@kattegat/engine/embedding/learned/train.ts";
import { wordKey } from "@kattegat/engine/embedding/learned/word-key.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { network, startPrimary, testKeyring } from "../primary.fixture.ts";
import { listTrained } from "./trained.ts";
import { trainInThread } from "./train-in-thread.ts";

const folder = mkdtempSync(join(tmpdir(), "kattegat-train-"));
let postgres: PostgresFixture;
let databaseUrl = "";

const open = Array.from({ length: 60 }, (_, number) => ({
  id: `open-${number}`,
  title: "Lov",
  text: `Klage over afgørelse ${number % 9} skal indgives inden fristen af ejeren`,
  residency: "global",
}));
const secret = Array.from({ length: 9 }, (_, number) => ({
  id: `secret-${number}`,
  title: "Dom",
  text: `Sagsøgeren hedder Xylander i sag ${number}`,
  residency: "dk-only",
}));
const own = Array.from({ length: 4 }, (_, number) => ({
  id: `own-${number}`,
  title: "Notat",
  text: "En helt anden tekst",
  passages: [{ text: "byggetilladelse" }],
  residency: "global",
}));

beforeAll(async () => {
  postgres = await startPostgres();
  databaseUrl = await postgres.database();
  const primary = await startPrimary(databaseUrl);
  await primary.client.batch([...open, ...secret, ...own]);
  await primary.close();
});
afterAll(async () => {
  await postgres.stop();
  rmSync(folder, { recursive: true });
});

const orderOf = (classes: readonly string[]) => ({
  databaseUrl,
  keyring: testKeyring(databaseUrl),
  classes,
  dimensions: 32,
  seed: 1,
  folder,
});

describe("training from the system of record", () => {
  it("learns from passages of the classes it is given, from no others (I5)", async () => {
    const seen: TrainingProgress[] = [];
    const outcome = await trainInThread(orderOf(["global"]), (progress) => seen.push(progress));
    if (outcome.kind !== "trained") throw new Error(outcome.kind);
    const { hashes, about } = openHead(readFileSync(join(folder, headName(outcome.model))));
    expect(about.passages).toBe(open.length + own.length);
    expect(about.classes).toEqual(["global"]);
    const knows = (word: string): boolean => hashes.includes(wordKey(word).hash);
    expect([knows("klage"), knows("fristen"), knows("byggetilladelse")]).toEqual([true, true, true]);
    expect([knows("xylander"), knows("sagsøgeren")]).toEqual([false, false]);
    expect(seen.map(({ step }) => step)).toEqual(["words", "pass", "pass", "pass", "pass", "rows"]);
    expect((await listTrained(folder)).map(({ model }) => model)).toEqual([outcome.model]);
  });

  it("writes nothing when no word stands in three passages", async () => {
    const before = readdirSync(folder);
    expect(await trainInThread(orderOf(["eu"]), () => undefined)).toEqual({
      kind: "nothing-to-learn",
      passages: 0,
    });
    expect(readdirSync(folder)).toEqual(before);
  });

  it("says that Postgres cannot be used", async () => {
    const order = { ...orderOf(["global"]), databaseUrl: "postgres://kattegat:x@127.0.0.1:1/none" };
    await expect(trainInThread(order, () => undefined)).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("a primary with a trained embedding", () => {
  const networkOf = (model: string): Network => ({
    ...network,
    embedding: { provider: "learned", model, dimensions: 32 },
  });

  it("embeds with the files of its folder, gives them to other sites, and nothing else of the folder", async () => {
    const model = (await listTrained(folder))[0]?.model ?? "";
    const primary = await startPrimary(await postgres.database(), {
      network: networkOf(model),
      embeddings: folder,
    });
    expect(primary.primary.embedder.model).toBe(model);
    expect((await primary.client.put("a", { title: "Lov", text: "Klage", residency: "global" })).status).toBe(
      201,
    );
    for (const name of [headName(model), rowsName(model)]) {
      const answer = await primary.client.send(`/internal/embeddings/${name}`);
      expect(new Uint8Array(await answer.arrayBuffer())).toEqual(
        new Uint8Array(readFileSync(join(folder, name))),
      );
    }
    for (const name of ["learned-32-0000000000000000.head", "..%2Fsecret", `${model}.other`])
      expect((await primary.client.send(`/internal/embeddings/${name}`)).status).toBe(404);
    await primary.close();
  });

  it("does not open with one trained from a class that has come to be barred from a site (I5)", async () => {
    const model = (await listTrained(folder))[0]?.model ?? "";
    const { global, ...others } = network.classes;
    if (global === undefined) throw new Error("expected the class global");
    const store = { ...global.store, zones: ["eu" as const] };
    const stricter = { ...networkOf(model), classes: { ...others, global: { ...global, store } } };
    await expect(
      startPrimary(await postgres.database(), { network: stricter, embeddings: folder }),
    ).rejects.toThrow(
      `${model} was trained from the class global, which may not rest at edge-global. Train another`,
    );
  });

  it("does not open without the files, and names them with the command that makes them", async () => {
    const model = "learned-32-0123456789abcdef";
    await expect(
      startPrimary(await postgres.database(), { network: networkOf(model), embeddings: folder }),
    ).rejects.toThrow(
      `The network file names ${model}; expected ${model}.head and ${model}.rows in ${folder}. Copy them there from where kattegat embedding train wrote them`,
    );
  });
});

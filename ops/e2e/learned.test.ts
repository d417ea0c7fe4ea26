import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exactDot } from "@kattegat/engine/vector/dot.ts";
import { toCanonical } from "@kattegat/engine/vector/canonical.ts";
import { openResidentEmbedder } from "@kattegat/primary-dk/embedding/artefact-files.ts";
import { searchResponseSchema, type SearchResponse } from "@kattegat/protocol/search.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { ROOT } from "../settings.ts";
import { makeDataFolder, runCommand, startTestNetwork, type TestNetwork } from "./network.fixture.ts";

/** Two starts on a busy machine; this only ends a hang. */
const ALL_MS_MAX = 600_000;
const SUBJECTS = ["Frist for klage", "Tilladelse til byggeri", "Skat af fast ejendom", "Værn om natur"];
const TIERS = ["hot", "warm", "cold"];
const LAWS = Array.from({ length: 120 }, (_, number) => ({
  id: `law-${number}`,
  title: `Lov ${number}`,
  text: `${SUBJECTS[number % 4] ?? ""}: ejeren kan indbringe afgørelsen for nævn${number % 13} i sag${number % 40}`,
  residency: number % 10 === 9 ? "dk-only" : "global",
  tier: TIERS[number % 3],
  lang: "da",
}));

const folders: string[] = [];
const folder = (): string => {
  const made = makeDataFolder();
  folders.push(made);
  return made;
};
let running: TestNetwork | null = null;
afterAll(async () => {
  await running?.stop();
  for (const made of folders) rmSync(made, { recursive: true, force: true });
}, ALL_MS_MAX);

async function ingest(network: TestNetwork): Promise<string> {
  const body = LAWS.map((law) => JSON.stringify(law)).join("\n");
  const answer = await network.post("/v1/documents:batch", body, {
    headers: { "content-type": "application/x-ndjson" },
  });
  const lines = (await answer.text()).trimEnd().split("\n");
  const results = lines.map((line) =>
    z.object({ status: z.int(), sequence: z.string() }).parse(JSON.parse(line)),
  );
  expect(results.every(({ status }) => status === 201)).toBe(true);
  return results.at(-1)?.sequence ?? "0";
}

async function search(network: TestNetwork, body: object): Promise<SearchResponse> {
  const answer = await network.post("/v1/search", JSON.stringify({ timeout_ms: 10_000, ...body }));
  expect(answer.status).toBe(200);
  return searchResponseSchema.parse(await answer.json());
}

const trainedSchema = z.object({
  model: z.string(),
  dimensions: z.int(),
  passages: z.int(),
  classes: z.array(z.string()),
  left_out: z.array(z.object({ class: z.string(), sites: z.array(z.string()) })),
  network_file: z.string(),
});

describe("an embedding learned from a running network", () => {
  const embeddings = join(folder(), "embeddings");
  const config = join(folder(), "network.yaml");
  const data = folder();
  let trained: z.infer<typeof trainedSchema>;

  beforeAll(async () => {
    running = await startTestNetwork({ samples: "none" });
    await ingest(running);
    const { code, stdout, stderr } = await runCommand(
      ["ops/kattegat.ts", "embedding", "train", "--dimensions", "32", "--folder", embeddings, "--json"],
      { KATTEGAT_DATA: running.data },
    );
    expect(code, stderr).toBe(0);
    trained = trainedSchema.parse(JSON.parse(stdout));
    await running.stop();
    running = null;
    const text = readFileSync(join(ROOT, "config", "network.yaml"), "utf8");
    writeFileSync(config, text.replace(/^embedding: .*$/m, trained.network_file));
    mkdirSync(join(data, "sites", "dk-cph"), { recursive: true });
    cpSync(embeddings, join(data, "sites", "dk-cph", "embeddings"), { recursive: true });
    running = await startTestNetwork({ samples: "none", data, environment: { KATTEGAT_CONFIG: config } });
  }, ALL_MS_MAX);

  it("is trained from the classes that every edge may hold, and says what was left out", async () => {
    expect(trained.classes).toEqual(["global"]);
    expect(trained.left_out.map((left) => left.class)).toEqual(["dk-only", "eu"]);
    expect(trained.passages).toBe(LAWS.filter(({ residency }) => residency === "global").length);
    const list = await runCommand(
      ["ops/kattegat.ts", "embedding", "list", "--folder", embeddings, "--json"],
      {
        KATTEGAT_CONFIG: config,
      },
    );
    expect(JSON.parse(list.stdout)).toMatchObject({
      used: trained.model,
      embeddings: [{ model: trained.model, dimensions: 32 }],
    });
  });

  it(
    "ranks the network's documents in every tier, each by the cosine of its vectors (I6)",
    async () => {
      if (running === null) throw new Error("no network runs");
      const sequence = await ingest(running);
      const query = "klage til nævn5 over afgørelsen";
      const body = { query, explain: true, limit: 100, min_sequence: sequence };
      const network = running;
      await expect
        .poll(async () => (await search(network, body)).partial, { timeout: 60_000, interval: 500 })
        .toBe(false);
      const { hits, tiers } = await search(network, body);
      expect(tiers.map(({ status }) => status)).not.toContain("unavailable");
      expect(new Set(hits.map(({ tier }) => tier))).toEqual(new Set(TIERS));
      expect(new Set(hits.map(({ explain }) => explain?.model))).toEqual(new Set([trained.model]));
      const embedder = await openResidentEmbedder(embeddings, trained.model);
      const asked = embedder.embedSync(query);
      for (const { document_id, dense_score } of hits) {
        const text = LAWS.find(({ id }) => id === document_id)?.text ?? "";
        expect(dense_score).toBeCloseTo(exactDot(asked, toCanonical(embedder.embedSync(text))), 5);
      }
    },
    ALL_MS_MAX,
  );

  it(
    "is not replaced on data that it embedded: npm start names both models and ends (I18)",
    async () => {
      const port = new URL(running?.url ?? "").port;
      await running?.stop();
      running = null;
      const { code, stderr } = await runCommand(["ops/start.ts"], {
        KATTEGAT_DATA: data,
        KATTEGAT_SAMPLE: "none",
        KATTEGAT_PORT: port,
      });
      expect(code).toBe(3);
      expect(stderr).toContain(
        `The data was embedded by ${trained.model}, the network file names hashed-384-v1.`,
      );
    },
    ALL_MS_MAX,
  );
});

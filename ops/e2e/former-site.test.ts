import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { ROOT } from "../settings.ts";
import { makeDataFolder, runCommand, startTestNetwork, type TestNetwork } from "./network.fixture.ts";

const WAIT_MS_MAX = 60_000;
const FORMER = "eu-arn";
const folder = makeDataFolder();
const config = join(folder, "network.yaml");
const text = readFileSync(join(ROOT, "config", "network.yaml"), "utf8");
/** The whole entry of the site in the list. */
const withoutFormer = text.replace(new RegExp(`  - id: ${FORMER}\n(?:    .*\n)+\n`), "");
let network: TestNetwork;

async function start(networkFile: string): Promise<void> {
  writeFileSync(config, networkFile);
  network = await startTestNetwork({
    samples: "none",
    data: folder,
    environment: { KATTEGAT_CONFIG: config },
  });
}

async function put(id: string, tier: string): Promise<void> {
  const body = JSON.stringify({ title: id, text: `Sag ${id}.`, residency: "eu", tier });
  const headers = { authorization: `Bearer ${network.key}`, "content-type": "application/json" };
  const answer = await fetch(`${network.url}/v1/documents/${id}`, { method: "PUT", headers, body });
  expect(answer.status).toBe(201);
}

const provenSchema = z.object({
  recorded: z.boolean(),
  former_site: z.boolean(),
  copy: z.looseObject({ applied: z.unknown(), jurisdiction: z.string() }).nullable(),
});

async function prove(document: string, site: string) {
  const out = join(folder, "proof.json");
  const args = ["--document", document, "--site", site, "--out", out, "--json"];
  const { code, stdout } = await network.kattegat("ledger", "prove", ...args);
  expect(code).toBe(0);
  const { stdout: key } = await network.kattegat("ledger", "checkpoint", "--verifier-key");
  const verified = await runCommand(["ops/verify-proof.ts", out, "--key", key.trim(), "--json"], {});
  expect(verified.code).toBe(0);
  const proven = provenSchema.parse(JSON.parse(stdout));
  expect(JSON.parse(verified.stdout)).toMatchObject({ accepted: true, site, recorded: proven.recorded });
  return proven;
}

beforeAll(() => start(text), 160_000);
afterAll(async () => {
  await network?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe("a site that has left the network file", () => {
  it(
    "is proven to have, or to have no, copy by what the ledger records (I21)",
    { timeout: 320_000 },
    async () => {
      await put("warm-1", "warm");
      await put("hot-1", "hot");
      await expect
        .poll(async () => (await prove("warm-1", FORMER)).copy?.applied ?? null, { timeout: WAIT_MS_MAX })
        .not.toBe(null);
      expect(await prove("warm-1", FORMER)).toMatchObject({ recorded: true, former_site: false });
      expect(withoutFormer.length).toBeLessThan(text.length);
      await network.stop();
      await start(withoutFormer);
      expect(await prove("warm-1", FORMER)).toMatchObject({
        recorded: true,
        former_site: true,
        copy: { jurisdiction: "SE" },
      });
      expect(await prove("hot-1", FORMER)).toMatchObject({ recorded: false, former_site: true, copy: null });
      expect(await prove("never-stored", FORMER)).toMatchObject({ recorded: false, former_site: true });
      expect(await prove("warm-1", "eu-fra")).toMatchObject({ recorded: true, former_site: false });
    },
  );

  it("is told from one that neither the file nor the ledger knows", async () => {
    const args = ["--document", "warm-1", "--site", "eu-arm", "--json"];
    const { code, stdout } = await network.kattegat("ledger", "prove", ...args);
    expect(code).toBe(2);
    const { problem } = z
      .object({ problem: z.object({ code: z.string(), detail: z.string() }) })
      .parse(JSON.parse(stdout));
    expect(problem.code).toBe("bad_usage");
    expect(problem.detail).toContain("There is no site eu-arm");
    expect(problem.detail).toContain(`former sites ${FORMER}`);
  });
});

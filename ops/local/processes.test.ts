import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseNetwork } from "@kattegat/config/load.ts";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { readSettings } from "../settings.ts";
import { dataFolder, prepareFolder } from "./folder.ts";
import { ensureKeys } from "./keys.ts";
import type { Plan } from "./plan.ts";
import { planProcesses, portNames } from "./processes.ts";

const data = mkdtempSync(join(tmpdir(), "kattegat-plan-"));
afterAll(() => rmSync(data, { recursive: true, force: true }));

async function planned(environment: Readonly<Record<string, string>>): Promise<Plan> {
  const settings = readSettings({ ...environment, KATTEGAT_DATA: data });
  const network = parseNetwork(readFileSync(settings.config, "utf8"));
  const folder = dataFolder(data);
  prepareFolder(folder);
  const { callers } = await ensureKeys(folder);
  const ports = new Map(portNames(network, settings).map((name, index) => [name, 20_000 + index]));
  return planProcesses({ network, settings, folder, callers, ports });
}

function environmentOf(plan: Plan, name: string): Readonly<Record<string, string>> {
  const found = plan.processes.find(({ spec }) => spec.name === name);
  if (found === undefined) throw new Error(`no process ${name} is planned`);
  return found.spec.environment;
}

describe("the plan of the local network's processes", () => {
  it("gives the key of an embedding endpoint to the primary and to both edges, to nobody else", async () => {
    const plan = await planned({ KATTEGAT_EMBEDDING_KEY: "secret" });
    expect(environmentOf(plan, "dk-cph")).toMatchObject({ KATTEGAT_EMBEDDING_KEY: "secret" });
    const edges = z
      .array(z.object({ site: z.string(), bindings: z.record(z.string(), z.string()) }))
      .parse(JSON.parse(environmentOf(plan, "edge")["KATTEGAT_EDGE_WORKERS"] ?? ""));
    expect(edges.map(({ site, bindings }) => [site, bindings["KATTEGAT_EMBEDDING_KEY"]])).toEqual([
      ["edge-eu", "secret"],
      ["edge-global", "secret"],
    ]);
    for (const name of ["eu-fra", "replication", "qdrant-eu-fra", "postgres"])
      expect(JSON.stringify(environmentOf(plan, name))).not.toContain("secret");
  });

  it("gives the key of Qdrant to the regionals whose cluster was named, not to those with an embedded server", async () => {
    const plan = await planned({ QDRANT_API_KEY: "secret", QDRANT_URL_EU_FRA: "http://10.0.0.5:6333" });
    expect(environmentOf(plan, "eu-fra")).toMatchObject({ QDRANT_API_KEY: "secret" });
    expect(environmentOf(plan, "eu-arn")).not.toHaveProperty("QDRANT_API_KEY");
  });

  it("names an address of readiness for every process that has one", async () => {
    const { processes } = await planned({});
    const silent = processes.filter(({ readiness }) => readiness.length === 0).map(({ spec }) => spec.name);
    expect(silent).toEqual(["postgres"]);
  });
});

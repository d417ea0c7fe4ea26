import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseNetwork } from "@kattegat/config/load.ts";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { archiveVariable, readSettings } from "../settings.ts";
import { dataFolder, prepareFolder } from "./folder.ts";
import { ensureKeys } from "./keys.ts";
import type { Plan } from "./plan.ts";
import { processNames } from "./process-names.ts";
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

  it("runs no S3 server for an archive whose own is named in the variable that messages name", async () => {
    const key = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };
    const { external, processes } = await planned({
      ...key,
      [archiveVariable("archive-dk")]: "https://s3.example.dk",
    });
    expect(external).toMatchObject([{ site: "archive-dk", url: "https://s3.example.dk" }]);
    expect(processes.map(({ spec }) => spec.name)).not.toContain("s3-archive-dk");
  });

  it("has a process for each name of the list, and no other, whichever engines somebody else runs", async () => {
    for (const environment of [
      {},
      { DATABASE_URL: "postgres://u:p@10.0.0.5/kattegat", QDRANT_URL_EU_FRA: "http://10.0.0.5:6333" },
      {
        [archiveVariable("archive-dk")]: "https://s3.example.dk",
        AWS_ACCESS_KEY_ID: "a",
        AWS_SECRET_ACCESS_KEY: "b",
      },
    ]) {
      const settings = readSettings({ ...environment, KATTEGAT_DATA: data });
      const network = parseNetwork(readFileSync(settings.config, "utf8"));
      const { processes } = await planned(environment);
      const names = processNames(network, settings);
      expect(processes.map(({ spec }) => spec.name).toSorted()).toEqual(names.toSorted());
      expect(new Set(names).size).toBe(names.length);
    }
  });

  it("names an address of readiness for every process that has one", async () => {
    const { processes } = await planned({});
    const silent = processes.filter(({ readiness }) => readiness.length === 0).map(({ spec }) => spec.name);
    expect(silent).toEqual(["postgres"]);
  });
});

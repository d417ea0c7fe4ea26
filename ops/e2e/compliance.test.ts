import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { searchResponseSchema } from "@kattegat/protocol/search.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { ROOT } from "../settings.ts";
import { startTestNetwork, type TestNetwork } from "./network.fixture.ts";

const WAIT_MS_MAX = 60_000;
let network: TestNetwork;
beforeAll(async () => {
  network = await startTestNetwork({ samples: "none" });
}, 160_000);
afterAll(() => network?.stop());

const CLASSES = ["dk-only", "eu", "global"] as const;
const TIERS = ["ultra-hot", "hot", "warm", "cold"] as const;

const run = promisify(execFile);
interface Outcome {
  readonly code: number;
  readonly output: string;
}

async function node(script: string, ...args: readonly string[]): Promise<Outcome> {
  // oxlint-disable-next-line node/no-process-env -- the child needs the path and home of this process
  const env = { ...process.env, KATTEGAT_DATA: network.data, NO_COLOR: "1" };
  try {
    const { stdout } = await run(process.execPath, ["--no-warnings", join(ROOT, script), ...args], {
      env,
      cwd: ROOT,
    });
    return { code: 0, output: stdout };
  } catch (error) {
    const { code, stdout } = z.looseObject({ code: z.int(), stdout: z.string() }).parse(error);
    return { code, output: stdout };
  }
}
const kattegat = (...args: readonly string[]): Promise<Outcome> => node("ops/kattegat.ts", ...args);

interface Canary {
  readonly id: string;
  readonly residency: string;
  readonly tier: string;
  readonly words: readonly string[];
}

/** Strings of 14 random letters that stand nowhere else: in the title, the text, the metadata. */
function canaryOf(residency: string, tier: string, kind: string): Canary {
  const word = (): string => `kanarie${randomBytes(14).toString("hex").replaceAll(/\d/g, "x")}`;
  return { id: `${kind}-${residency}-${tier}`, residency, tier, words: [word(), word(), word()] };
}

async function put({ id, residency, tier, words: [title, text, note] }: Canary): Promise<void> {
  const body = { title: `Sag ${title}`, text: `Ordet er ${text}.`, metadata: { note }, residency, tier };
  const answer = await fetch(`${network.url}/v1/documents/${id}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${network.key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(201);
}

async function isFound({ id, words }: Canary): Promise<boolean> {
  const body = JSON.stringify({ query: words[1], mode: "lexical" });
  const { hits } = searchResponseSchema.parse(await (await network.post("/v1/search", body)).json());
  return hits.some(({ document_id }) => document_id === id);
}

/** Folders of the data folder, or files of it, that have one of the words anywhere in their bytes. */
function placesOf({ words }: Canary): string[] {
  const places = new Set<string>();
  for (const name of readdirSync(network.data, { recursive: true, encoding: "utf8" })) {
    const path = join(network.data, name);
    const bytes = statSync(path, { throwIfNoEntry: false })?.isFile() === true ? readIfThere(path) : null;
    if (bytes === null || !words.some((word) => bytes.includes(word))) continue;
    places.add(relative(network.data, path).split("/").slice(0, 2).join("/"));
  }
  return [...places].toSorted();
}

/** Files of a running network come and go. */
function readIfThere(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}

/** The folders of the data folder in which a class may rest in clear. */
const ALLOWED: Readonly<Record<string, RegExp>> = {
  "dk-only": /^(postgres|sites\/dk-cph)/,
  eu: /^(postgres|sites\/(dk-cph|eu-fra|eu-arn|qdrant-eu-fra|qdrant-eu-arn)|r2\/kattegat-cold-eu$)/,
  global: /^(postgres|sites\/|r2\/)/,
};

describe("documents with unique words in each class and tier", () => {
  const canaries = CLASSES.flatMap((residency) => TIERS.map((tier) => canaryOf(residency, tier, "kept")));

  it("rest on no disk where their class may not be, and in no log (I5, I17, I20)", async () => {
    for (const canary of canaries) await put(canary);
    for (const canary of canaries)
      await expect.poll(() => isFound(canary), { timeout: WAIT_MS_MAX }).toBe(true);
    // Searched at both edges, so that results and caches have had them.
    for (const canary of canaries) await isFound(canary);
    await sleep(1_000);
    const seen = new Set<string>();
    for (const canary of canaries) {
      const places = placesOf(canary);
      for (const place of places) {
        expect(place, canary.id).toMatch(ALLOWED[canary.residency] ?? /^$/);
        expect(place, canary.id).not.toMatch(/^(logs|postgres|keys)/);
        seen.add(place);
      }
      if (canary.tier === "warm" && canary.residency !== "dk-only")
        expect(places).toContain("sites/qdrant-eu-fra");
      if (canary.tier === "cold" && canary.residency !== "dk-only")
        expect(places).toContain(`r2/kattegat-cold-${canary.residency}`);
    }
    // The search sees bytes where they may be.
    expect(seen.size).toBeGreaterThan(1);
  });

  it("are erased by a filter from the command line, with receipts, and proven gone (I21)", async () => {
    const gone = ["dk-only", "eu"].map((residency) => canaryOf(residency, "hot", "gone"));
    for (const canary of gone) await put(canary);
    const filter = JSON.stringify({ must: [{ has_id: gone.map(({ id }) => id) }] });
    const dry = await kattegat("erase", "--filter", filter, "--dry-run", "--json");
    expect(dry.code).toBe(0);
    expect(JSON.parse(dry.output)).toMatchObject({ erased: 0, would_erase: 2 });
    expect((await kattegat("erase", "--filter", filter)).code).toBe(2);
    for (const canary of gone) expect(await isFound(canary)).toBe(true);
    const erased = await kattegat("erase", "--filter", filter, "--yes", "--wait", "60", "--json");
    expect(erased.code).toBe(0);
    expect(JSON.parse(erased.output)).toMatchObject({ erased: 2, unfinished: [] });
    for (const canary of gone) {
      expect(await isFound(canary)).toBe(false);
      expect(placesOf(canary)).toEqual([]);
    }
    await expect
      .poll(async () => (await kattegat("ledger", "list", "--document", gone[0]?.id ?? "")).output, {
        timeout: WAIT_MS_MAX,
      })
      .toContain("key destroyed");
    const { output: key } = await kattegat("ledger", "checkpoint", "--verifier-key");
    const proof = join(network.data, "proof.json");
    expect(
      (await kattegat("ledger", "prove", "--document", gone[0]?.id ?? "", "--site", "dk-cph", "--out", proof))
        .code,
    ).toBe(0);
    const verified = await node("ops/verify-proof.ts", proof, "--key", key.trim(), "--json");
    expect(verified.code).toBe(0);
    expect(JSON.parse(verified.output)).toMatchObject({ accepted: true, recorded: false, site: "dk-cph" });
    expect((await kattegat("ledger", "verify")).code).toBe(0);
  });
});

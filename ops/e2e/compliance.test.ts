import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { searchResponseSchema } from "@kattegat/protocol/search.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { ROOT } from "../settings.ts";
import { makeDataFolder, runCommand, startTestNetwork, type TestNetwork } from "./network.fixture.ts";

const WAIT_MS_MAX = 60_000;
/** Objects that no generation names are kept for a minute, and may be reserved for another. */
const REMOVED_SECONDS_MAX = 240;
let network: TestNetwork;
let folder: string;
beforeAll(async () => {
  folder = makeDataFolder();
  const text = readFileSync(join(ROOT, "config", "network.yaml"), "utf8");
  const config = join(folder, "network.yaml");
  // What is hidden leaves the disks in seconds instead of hours.
  writeFileSync(
    config,
    text.replace("limits:\n", "limits:\n  dead_seconds_max: 3\n  cache_seconds_max: 2\n"),
  );
  network = await startTestNetwork({
    samples: "none",
    environment: { KATTEGAT_CONFIG: config, KATTEGAT_BASE_PASSAGES_MIN: "20" },
  });
  await fill();
}, 200_000);
afterAll(async () => {
  await network?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const CLASSES = ["dk-only", "eu", "global"] as const;
const TIERS = ["ultra-hot", "hot", "warm", "cold"] as const;

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

/** Other documents: Qdrant vacuums no segment of fewer than a hundred points, and twenty cold passages make a base. */
async function fill(): Promise<void> {
  const documents = CLASSES.flatMap((residency) =>
    [...Array.from({ length: 120 }, () => "warm"), ...Array.from({ length: 25 }, () => "cold")].map(
      (tier, number) => ({
        id: `other-${residency}-${number}`,
        title: `Sag ${number}`,
        text: `Frist ${number} for klage.`,
        residency,
        tier,
      }),
    ),
  );
  const answer = await network.post(
    "/v1/documents:batch",
    documents.map((document) => `${JSON.stringify(document)}\n`).join(""),
    { headers: { "content-type": "application/x-ndjson" } },
  );
  expect(answer.status).toBe(200);
  await answer.text();
}

async function put(
  { id, residency, tier, words: [title, text, note] }: Canary,
  status: 200 | 201 = 201,
): Promise<void> {
  const body = { title: `Sag ${title}`, text: `Ordet er ${text}.`, metadata: { note }, residency, tier };
  const answer = await fetch(`${network.url}/v1/documents/${id}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${network.key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(status);
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
  // The archive's objects are sealed, whatever the class.
  global: /^(postgres|sites\/(?!s3-)|r2\/)/,
};

/** Objects of the archive that are of the document, as files. */
function objectsOf({ id }: Canary): readonly string[] {
  const folder = join(network.data, "sites", "s3-archive-dk", "buckets");
  const name = createHash("sha256").update(id).digest("hex");
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (path) =>
      path.includes(name) && statSync(join(folder, path), { throwIfNoEntry: false })?.isFile() === true,
  );
}

describe("documents with unique words in each class and tier", () => {
  const canaries = CLASSES.flatMap((residency) => TIERS.map((tier) => canaryOf(residency, tier, "kept")));

  it("rest on no disk where their class may not be, and in no log (I5, I17, I20)", async () => {
    for (const canary of canaries) await put(canary);
    for (const canary of canaries)
      await expect.poll(() => isFound(canary), { timeout: WAIT_MS_MAX }).toBe(true);
    // Searched at both edges, so that results and caches have had them.
    for (const canary of canaries) await isFound(canary);
    await sleep(1_000);
    // No search waits for the archive.
    for (const canary of canaries)
      await expect.poll(() => objectsOf(canary).length, { timeout: WAIT_MS_MAX }).toBe(1);
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

  it(
    "are nowhere once their receipt is complete, or outside Denmark once they are withdrawn for a stricter class (I21, I24)",
    { timeout: 400_000 },
    async () => {
      const gone = CLASSES.flatMap((residency) => TIERS.map((tier) => canaryOf(residency, tier, "gone")));
      const moved = ["warm", "cold"].map((tier) => canaryOf("global", tier, "moved"));
      for (const canary of [...gone, ...moved]) await put(canary);
      for (const canary of [...gone, ...moved])
        await expect.poll(() => isFound(canary), { timeout: WAIT_MS_MAX }).toBe(true);
      const atEdge = gone.find(({ residency, tier }) => residency === "eu" && tier === "cold");
      await expect
        .poll(() => (atEdge === undefined ? [] : placesOf(atEdge)), { timeout: WAIT_MS_MAX })
        .not.toEqual([]);
      for (const canary of moved) await put({ ...canary, residency: "dk-only" }, 200);
      const filter = JSON.stringify({ must: [{ has_id: gone.map(({ id }) => id) }] });
      const dry = await network.kattegat("erase", "--filter", filter, "--dry-run", "--json");
      expect(dry.code).toBe(0);
      expect(JSON.parse(dry.stdout)).toMatchObject({ erased: 0, would_erase: gone.length });
      expect((await network.kattegat("erase", "--filter", filter)).code).toBe(2);
      for (const canary of gone) expect(await isFound(canary)).toBe(true);
      const wait = ["--wait", String(REMOVED_SECONDS_MAX), "--json"];
      const erased = await network.kattegat("erase", "--filter", filter, "--yes", ...wait);
      expect(JSON.parse(erased.stdout)).toMatchObject({ erased: gone.length, unfinished: [] });
      expect(erased.code).toBe(0);
      for (const canary of gone) {
        expect(await isFound(canary)).toBe(false);
        expect(placesOf(canary), canary.id).toEqual([]);
        expect(objectsOf(canary), canary.id).toEqual([]);
      }
      for (const canary of moved) {
        expect(objectsOf(canary).map((path) => path.split(".").at(-2))).toEqual(["dk-only"]);
        const sites = canary.tier === "warm" ? ["eu-arn", "eu-fra"] : ["edge-global"];
        await expect
          .poll(() => withdrawnFrom(canary), { timeout: REMOVED_SECONDS_MAX * 1_000, interval: 1_000 })
          .toEqual(sites);
        for (const place of placesOf(canary)) expect(place, canary.id).toMatch(ALLOWED["dk-only"] ?? /^$/);
        expect(await isFound(canary)).toBe(true);
      }
    },
  );

  it("are erased by a list in the versions that were listed alone, and the others are named", async () => {
    const [same, other, named] = ["same", "other", "named"].map((kind) => canaryOf("eu", "hot", kind));
    if (same === undefined || other === undefined || named === undefined) throw new Error("expected three");
    for (const canary of [same, other, named]) await put(canary);
    const filter = JSON.stringify({ must: [{ has_id: [same.id, other.id] }] });
    const { stdout } = await network.kattegat("erase", "--filter", filter, "--dry-run", "--json");
    const list = join(network.data, "listed.json");
    writeFileSync(list, stdout);
    const edited = [other, named].map((canary) => ({ ...canary, words: canaryOf("eu", "hot", "").words }));
    for (const canary of edited) await put(canary, 200);
    const erased = await network.kattegat("erase", "--listed", list, "--yes", "--json");
    expect(erased.code).toBe(1);
    const { documents } = listedSchema.parse(JSON.parse(stdout));
    const version = documents.find(({ id }) => id === other.id)?.version;
    const result = erasedSchema.parse(JSON.parse(erased.stdout));
    expect(result).toMatchObject({ erased: 1, gone_before: 0, changed: [{ id: other.id, version }] });
    expect(result.receipts.map(({ id }) => id)).toEqual([same.id]);
    const now = result.changed[0]?.now ?? "";
    expect(now).not.toBe(version);
    const erase = async (...args: readonly string[]) => (await network.kattegat("erase", ...args)).code;
    expect(await erase(other.id, "--if-version", version ?? "", "--yes")).toBe(1);
    for (const canary of edited) expect(await isFound(canary)).toBe(true);
    expect(await erase(other.id, "--if-version", now, "--yes")).toBe(0);
    expect(await erase(named.id, "--yes")).toBe(0);
    for (const canary of [same, ...edited]) expect(await isFound(canary)).toBe(false);
  });

  it("are proven gone (I21)", async () => {
    const document = "gone-eu-hot";
    const { stdout: listed } = await network.kattegat("ledger", "list", "--document", document);
    expect(listed).toContain("key destroyed");
    const { stdout: key } = await network.kattegat("ledger", "checkpoint", "--verifier-key");
    const proof = join(network.data, "proof.json");
    const prove = ["--document", document, "--site", "dk-cph", "--out", proof];
    expect((await network.kattegat("ledger", "prove", ...prove)).code).toBe(0);
    const verified = await runCommand(["ops/verify-proof.ts", proof, "--key", key.trim(), "--json"], {});
    expect(verified.code).toBe(0);
    expect(JSON.parse(verified.stdout)).toMatchObject({ accepted: true, recorded: false, site: "dk-cph" });
    expect((await network.kattegat("ledger", "verify")).code).toBe(0);
  });
});

const listedSchema = z.object({ documents: z.array(z.object({ id: z.string(), version: z.string() })) });
const erasedSchema = z.object({
  erased: z.int(),
  gone_before: z.int(),
  changed: z.array(z.object({ id: z.string(), version: z.string(), now: z.string().nullable() })),
  receipts: z.array(z.object({ id: z.string() })),
});

/** The sites of which the ledger says that they are rid of the document's former copy. */
async function withdrawnFrom({ id }: Canary): Promise<readonly string[]> {
  const { stdout } = await network.kattegat("ledger", "list", "--document", id, "--json");
  const entries = z
    .array(z.looseObject({ kind: z.string(), site: z.string().optional() }))
    .parse(JSON.parse(stdout));
  return entries
    .flatMap(({ kind, site }) => (kind === "withdrawn" && site !== undefined ? [site] : []))
    .toSorted();
}

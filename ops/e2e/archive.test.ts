import { hashedId } from "@kattegat/engine/digests/hashed-id.ts";
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Site } from "@kattegat/config/network.ts";
import { keyringFolder } from "@kattegat/primary-dk/sealing/keyring.ts";
import { prefixOf } from "@kattegat/replication/archive/object-name.ts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { archiveBuckets } from "../commands/connection.ts";
import { readNetwork } from "../configured-network.ts";
import { dataFolder } from "../local/folder.ts";
import { readSettings } from "../settings.ts";
import { makeDataFolder, startTestNetwork, type TestNetwork } from "./network.fixture.ts";
import { connectStores } from "./stores.fixture.ts";

const WAIT_MS_MAX = 60_000;
const folder = makeDataFolder();
const out = join(folder, "documents.ndjson");
let network: TestNetwork;
beforeAll(async () => {
  // What is put into its bucket behind its back stays there.
  const environment = { KATTEGAT_REPAIRS_PER_MINUTE: "0" };
  network = await startTestNetwork({ samples: "none", environment });
}, 200_000);
afterAll(async () => {
  await network?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const site = readNetwork(readSettings({})).network.sites.find(({ kind }): boolean => kind === "archive");
const signal = new AbortController().signal;

function bucketOf({ data }: TestNetwork, archive: Site | undefined = site) {
  const bucket = archive && archiveBuckets(readSettings({ KATTEGAT_DATA: data }))(archive);
  if (bucket === undefined || bucket === null) throw new Error("expected the bucket of the archive");
  return bucket;
}

const DOCUMENTS = [
  { id: "plain", title: "Lov", text: "§ 1. Loven gælder.\n\n§ 2. Straf.", residency: "eu", tier: "warm" },
  {
    id: "secret",
    title: "Dom",
    text: "Hemmelig.",
    residency: "dk-only",
    metadata: { nr: 7 },
    importance: 0.9,
  },
  {
    id: "parts",
    title: "Udlæg",
    passages: [{ text: "Første." }, { text: "Andet." }],
    residency: "global",
    lang: "da",
  },
  { id: "gone", title: "Slettet", text: "Navnet på en person.", residency: "eu", tier: "hot" },
] as const;

async function put(at: TestNetwork, { id, ...body }: (typeof DOCUMENTS)[number]): Promise<void> {
  const answer = await fetch(`${at.url}/v1/documents/${id}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${at.key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(201);
}

async function digestsOf(at: TestNetwork): Promise<ReadonlyMap<string, string>> {
  const { records } = await (await connectStores(at, {})).read("dk-cph");
  return new Map(records.map(({ document_id: id, digest, class: name }) => [id, `${name} ${digest}`]));
}

it(
  "is written out as records that bring the same documents into an empty network, but for those that were erased (I20, I24)",
  { timeout: 400_000 },
  async () => {
    for (const document of DOCUMENTS) await put(network, document);
    const bucket = bucketOf(network);
    const objectOf = async (id: string) =>
      (await Array.fromAsync(bucket.versions(prefixOf(hashedId(id)), signal)))[0]?.key ?? null;
    await expect.poll(() => objectOf("gone"), { timeout: WAIT_MS_MAX }).not.toBeNull();
    // A copy of the bucket from before the erasure, as a provider may keep one.
    const key = (await objectOf("gone")) ?? "";
    const backup = await bucket.get(key, signal);
    expect((await network.kattegat("erase", "gone", "--yes", "--wait", "60")).code).toBe(0);
    expect(await objectOf("gone")).toBeNull();
    await bucket.put(key, backup?.bytes ?? new Uint8Array(), { signal });
    await bucket.put(key.replace(/1\.\d+\./, "1.999."), Buffer.from("{}"), { signal });

    const elsewhere = join(folder, "elsewhere");
    writeFileSync(elsewhere, "before", { mode: 0o644 });
    symlinkSync(elsewhere, `${out}.part`);
    const exported = await network.kattegat("archive", "export", "--out", out, "--json");
    // The object under another name hides the one that cannot be opened.
    expect(JSON.parse(exported.stdout)).toMatchObject({ documents: 3, destroyed: 0, damaged: 1 });
    expect(exported.code).toBe(1);
    expect(readFileSync(elsewhere, "utf8")).toBe("before");
    expect(lstatSync(out).isFile()).toBe(true);
    writeFileSync(`${out}.part`, "before", { mode: 0o644 });
    await bucket.remove([{ key: key.replace(/1\.\d+\./, "1.999."), version: null }], signal);
    const again = await network.kattegat("archive", "export", "--out", out, "--json");
    expect(JSON.parse(again.stdout)).toMatchObject({ documents: 3, destroyed: 1, damaged: 0 });
    expect(again.code).toBe(0);
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(readFileSync(out, "utf8")).toContain("Hemmelig.");
    expect(readFileSync(out, "utf8")).not.toContain("Navnet på en person.");
    const wrong = await network.kattegat("archive", "export", "--out", out, "--keyring", "/nowhere");
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("no keyring")]);

    const erasures = join(keyringFolder(dataFolder(network.data).site("dk-cph")), "erasures");
    renameSync(erasures, `${erasures}.away`);
    const unexplained = await network.kattegat("archive", "export", "--out", out, "--json");
    renameSync(`${erasures}.away`, erasures);
    expect(JSON.parse(unexplained.stdout)).toMatchObject({ destroyed: 0, damaged: 1, damaged_keys: [key] });
    expect(unexplained.code).toBe(1);
    const failed = join(folder, "failed");
    mkdirSync(join(failed, "within"), { recursive: true });
    expect((await network.kattegat("archive", "export", "--out", failed)).code).not.toBe(0);
    expect(existsSync(`${failed}.part`)).toBe(false);

    const before = await digestsOf(network);
    const rootKey = dataFolder(network.data).rootKey;
    const data = join(folder, "second");
    mkdirSync(data, { mode: 0o755 });
    // Digests are made with the root key: the same one makes the same of the same content.
    mkdirSync(dirname(dataFolder(data).rootKey), { recursive: true, mode: 0o700 });
    copyFileSync(rootKey, dataFolder(data).rootKey);
    await network.stop();
    network = await startTestNetwork({ samples: "none", data });
    const ingested = await network.kattegat("ingest", out, "--json");
    expect(ingested.code).toBe(0);
    const after = await digestsOf(network);
    expect([...after.keys()].toSorted()).toEqual(["parts", "plain", "secret"]);
    expect(new Map([...after].toSorted())).toEqual(new Map([...before].toSorted()));
  },
);

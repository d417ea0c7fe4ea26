import { generateKeyPairSync } from "node:crypto";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import postgresOf from "postgres";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { coldDocument, expectAllInMemory, putCold } from "./cold/partition.fixture.ts";
import { startPostgres, type PostgresFixture } from "./postgres.fixture.ts";
import {
  SITE,
  createClient,
  networkFile,
  streamed,
  testKeys,
  testKeyring,
  type Client,
  type TestKeys,
} from "./primary.fixture.ts";

let postgres: PostgresFixture;
let folder: string;
let keys: TestKeys;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  postgres = await startPostgres();
  folder = await mkdtemp(join(tmpdir(), "kattegat-primary-"));
  keys = await testKeys();
  await writeFile(join(folder, "jwks.json"), JSON.stringify(keys.jwks));
  const { privateKey } = generateKeyPairSync("ed25519");
  await writeFile(join(folder, "ledger.pem"), privateKey.export({ type: "pkcs8", format: "pem" }));
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
});
afterAll(async () => {
  await postgres.stop();
  await rm(folder, { recursive: true });
});

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
  readonly client: Client;
  readonly output: () => string;
}

async function start(databaseUrl: string, settings: Readonly<Record<string, string>> = {}): Promise<Running> {
  const environment = {
    KATTEGAT_CONFIG: fileURLToPath(networkFile),
    KATTEGAT_SITE: SITE,
    KATTEGAT_JWKS: join(folder, "jwks.json"),
    DATABASE_URL: databaseUrl,
    KATTEGAT_LEDGER_KEY: join(folder, "ledger.pem"),
    KATTEGAT_KEYRING: testKeyring(databaseUrl).folder,
    KATTEGAT_ROOT_KEY: testKeyring(databaseUrl).rootKeyFile,
    PORT: "0",
    ...settings,
  };
  const child = spawn(process.execPath, [fileURLToPath(new URL("main.ts", import.meta.url))], {
    env: { PATH: "", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  let output = "";
  child.stdout.on("data", (part: Buffer) => (output += part.toString()));
  child.stderr.on("data", (part: Buffer) => (output += part.toString()));
  for (let attempt = 0; attempt < 1_000; attempt += 1) {
    const port = /"port":(\d+),"msg":"listening"/.exec(output)?.[1];
    const url = `http://127.0.0.1:${port}`;
    if (port !== undefined)
      return {
        child,
        url,
        client: createClient(keys, (path, init) => fetch(`${url}${path}`, init)),
        output: () => output,
      };
    if (child.exitCode !== null) break;
    await sleep(10);
  }
  throw new Error(`the primary did not start: ${output}`);
}

async function untilReady({ url }: Running): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    if ((await fetch(`${url}/readyz`)).status === 200) return;
    await sleep(20);
  }
  throw new Error("the primary did not become ready");
}

async function kill({ child }: Running, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal);
  await once(child, "exit");
}

const law = (text: string) => ({ title: "Lov", text, residency: "global", importance: 0.8 });

describe("a primary killed in the middle of writes", () => {
  it("has every write that it acknowledged, in a log without gaps, searchable before it says that it is ready (I1, I11)", async () => {
    const url = await postgres.database();
    let running = await start(url);
    await untilReady(running);
    const acknowledged = new Map<string, string>();
    for (let round = 0; round < 3; round += 1) {
      const { client } = running;
      let isStopped = false;
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let index = 0; !isStopped; index += 1) {
          const id = `r${round}-w${writer}-${index}`;
          const response = await client
            .put(id, law(`Ordet ${id.replaceAll("-", "")} står her.`))
            .catch(() => null);
          if (response === null) return;
          if (response.ok)
            acknowledged.set(id, String((await response.json().catch(() => ({ sequence: "?" }))).sequence));
        }
      });
      while (acknowledged.size < 40 * (round + 1)) await sleep(5 + round);
      await kill(running, "SIGKILL");
      isStopped = true;
      await Promise.all(writers);
      running = await start(url);
      await untilReady(running);
    }
    expect(acknowledged.size).toBeGreaterThanOrEqual(120);
    const { head } = await running.client.feed("eu-fra", "0");
    const sql = postgresOf(url, { max: 1, onnotice: () => {} });
    const rows = await sql`select sequence from changes order by sequence`;
    await sql.end();
    const sequences = rows.map((row): string => row["sequence"]);
    expect(sequences).toEqual(Array.from({ length: Number(head.sequence) }, (_, index) => String(index + 1)));
    for (const [id, sequence] of acknowledged) {
      const response = await running.client.send(`/internal/documents/${id}`);
      const document = await response.json();
      expect([id, document.version]).toEqual([id, sequence === "?" ? document.version : sequence]);
    }
    const [last] = [...acknowledged.keys()].slice(-1);
    expect(
      (await running.client.search((last ?? "").replaceAll("-", ""), { candidates: 1 })).lexical[0]
        ?.document_id,
    ).toBe(last);
    await kill(running, "SIGTERM");
    expect(running.child.exitCode).toBe(0);
  }, 60_000);
});

describe("a primary killed while it embeds for a model to come", () => {
  it("goes on where it was, and is ready with every document of the log", async () => {
    const url = await postgres.database();
    const config = join(folder, "next.yaml");
    const next = "next: { provider: hashed, model: hashed-256-v1, dimensions: 256 } }";
    const text = await readFile(networkFile, "utf8");
    await writeFile(config, text.replace("dimensions: 384 }", `dimensions: 384, ${next}`));
    let running = await start(url);
    await untilReady(running);
    const lines = Array.from({ length: 1_500 }, (_, index) => ({
      id: `d${index}`,
      ...law(`Lov nummer${index}`),
    }));
    expect(await running.client.batch(lines)).toHaveLength(1_500);
    await kill(running, "SIGTERM");
    const sql = postgresOf(url, { max: 1, onnotice: () => {} });
    const lacking = async (): Promise<number> =>
      (await sql`select count(*)::int as count from passages where dense_next is null`)[0]?.["count"];
    const seen: number[] = [];
    for (let kills = 0; kills < 3; kills += 1) {
      running = await start(url, { KATTEGAT_CONFIG: config });
      await untilReady(running);
      const before = await lacking();
      while ((await lacking()) > before - 200) await sleep(5);
      await kill(running, "SIGKILL");
      await running.client.put(`lost${kills}`, law("x")).catch(() => null);
      seen.push(await lacking());
    }
    expect(seen.every((count, index) => count > 0 && count < (seen[index - 1] ?? 1_500))).toBe(true);
    running = await start(url, { KATTEGAT_CONFIG: config });
    await untilReady(running);
    const { client } = running;
    await expect
      .poll(async () => (await client.search("nummer7")).ready, { timeout: 30_000 })
      .toEqual(["hashed-384-v1", "hashed-256-v1"]);
    expect(await lacking()).toBe(0);
    const copied: string[] = [];
    for (let after = "0"; ;) {
      const { changes } = await client.feed("eu-fra", after, { model: "hashed-256-v1" });
      copied.push(...changes.map(({ sequence }) => sequence));
      if (changes.length === 0) break;
      after = changes.at(-1)?.sequence ?? after;
    }
    expect(copied.at(-1)).toBe("1500");
    await sql.end();
    await kill(running, "SIGTERM");
  }, 120_000);
});

describe("a primary killed while it makes a base", () => {
  it("finds all after each restart, with the base that was published last or none (I6, I11)", async () => {
    const url = await postgres.database();
    const data = join(folder, "data");
    const cold = join(data, "cold");
    const settings = { KATTEGAT_DATA: data, KATTEGAT_BASE_PASSAGES_MIN: "200" };
    const filesOf = async (): Promise<string[]> => readdir(cold).catch(() => []);
    let running = await start(url, settings);
    await untilReady(running);
    const documents = (edition: number) => Array.from({ length: 200 }, (_, at) => coldDocument(at, edition));
    await putCold(running.client, documents(0));
    for (let attempt = 0; attempt < 5; attempt += 1) {
      // Every change makes another base due; it dies a little later each time, at last when one is published.
      const before = await filesOf();
      const isReached = async (): Promise<boolean> =>
        (await filesOf()).some((name) => (attempt < 4 ? !before.includes(name) : name === "base.json"));
      for (let waited = 0; waited < 4_000 && !(await isReached()); waited += 1) await sleep(5);
      expect(await isReached()).toBe(true);
      await sleep(attempt < 4 ? attempt * 25 : 0);
      await kill(running, "SIGKILL");
      running = await start(url, settings);
      await untilReady(running);
      await expectAllInMemory(running.client, url);
      // Also where the base was published before it died: else none would be due.
      await putCold(running.client, documents(attempt + 1));
    }
    await kill(running, "SIGKILL");
  }, 240_000);
});

describe("a primary without Postgres", () => {
  it("is alive but not ready, says why, and logs no password", async () => {
    const running = await start("postgres://postgres:geheim@127.0.0.1:1/none");
    expect((await fetch(`${running.url}/healthz`)).status).toBe(200);
    await sleep(200);
    const response = await fetch(`${running.url}/readyz`);
    expect(response.status).toBe(503);
    expect((await response.json()).reason).toContain("ECONNREFUSED");
    const write = await running.client.put("x", law("x"));
    expect([write.status, (await write.json()).code]).toEqual([503, "not_ready"]);
    await kill(running, "SIGTERM");
    expect(running.output()).not.toContain("geheim");
  });

  it("that goes away while it runs refuses writes with a stable code, recovers when it is back, and loses nothing", async () => {
    const own = await startPostgres();
    const running = await start(await own.database());
    await untilReady(running);
    expect((await running.client.put("before", law("Før afbrydelsen."))).status).toBe(201);
    await own.pause();
    const refused = await running.client.put("during", law("Under afbrydelsen."));
    expect([refused.status, (await refused.json()).code]).toEqual([503, "unavailable"]);
    expect((await fetch(`${running.url}/readyz`)).status).toBe(503);
    expect((await running.client.search("afbrydelsen", { hydrated: 0 })).lexical).toHaveLength(1);
    await own.resume();
    await untilReady(running);
    expect((await running.client.put("during", law("Under afbrydelsen."))).status).toBe(201);
    expect((await running.client.search("afbrydelsen")).lexical).toHaveLength(2);
    await kill(running, "SIGTERM");
    await own.stop();
  }, 60_000);
});

describe("a sender that breaks off in the middle of a batch", () => {
  it("leaves a primary that goes on, with whole documents only", async () => {
    const running = await start(await postgres.database());
    await untilReady(running);
    const abort = new AbortController();
    const lines = Array.from(
      { length: 200 },
      (_, index) => `${JSON.stringify({ id: `half${index}`, ...law(`Nummer ${index}.`) })}\n`,
    );
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const line = lines.shift();
        controller.enqueue(new TextEncoder().encode(line ?? `{"id":"never`));
        await sleep(1);
      },
    });
    setTimeout(() => abort.abort(), 150);
    const broken = running.client.send("/internal/documents:batch", streamed(body, abort.signal));
    await expect(broken.then((response) => response.text())).rejects.toThrow();
    expect((await running.client.put("after", law("Efter."))).status).toBe(201);
    const { head } = await running.client.feed("eu-fra", "0");
    expect(Number(head.sequence)).toBeGreaterThan(1);
    expect(running.child.exitCode).toBeNull();
    await kill(running, "SIGTERM");
    expect(running.child.exitCode).toBe(0);
  });
});

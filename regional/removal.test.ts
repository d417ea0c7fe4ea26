import { readdirSync, readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { startQdrant, temporaryFolder, type Folder, type Running } from "./process.fixture.ts";
import { batch, NETWORK_FILE, put, startSite, withdraw, type SiteProcess } from "./site.fixture.ts";

const CANARY = "kanariefuglen";
const WAIT = { timeout: 30_000, interval: 200 };
let folder: Folder;
let qdrant: Running;
let site: SiteProcess;
afterEach(async () => {
  await site?.kill("SIGTERM");
  await qdrant?.kill("SIGKILL");
  await folder?.remove();
});

const onDisk = (): readonly string[] =>
  readdirSync(join(folder.path, "qdrant")).filter((name) =>
    readFileSync(join(folder.path, "qdrant", name)).includes(CANARY),
  );
async function removed(): Promise<string | null> {
  return (await site.get("/internal/watermark")).body.removed?.sequence ?? null;
}

it("says that a withdrawn document is removed once Qdrant has vacuumed it, and its log and snapshot do not hold it (I24)", async () => {
  folder = await temporaryFolder();
  qdrant = await startQdrant(`${folder.path}/qdrant`);
  const file = join(folder.path, "network.yaml");
  const text = await readFile(NETWORK_FILE, "utf8");
  await writeFile(file, text.replace("limits:\n", "limits:\n  dead_seconds_max: 3\n"));
  site = await startSite(folder.path, [qdrant.url], 1, file);
  const kept = Array.from({ length: 120 }, (_, number) => put({ id: `d${number}`, sequence: number + 2 }));
  const gone = put({ id: "gone", sequence: 1, texts: [CANARY] });
  await site.post("/internal/apply", batch([gone, ...kept], { watermark: 121 }));
  await expect.poll(removed, WAIT).toBe("121");
  expect(onDisk()).not.toEqual([]);
  await site.post("/internal/apply", batch([withdraw("gone", 122)], { watermark: 122 }));
  // A restart neither forgets what is to go, nor takes it for gone.
  await qdrant.kill("SIGKILL");
  qdrant = await startQdrant(`${folder.path}/qdrant`, { PORT: String(qdrant.port) });
  const seen: { readonly at: string | null; readonly isOnDisk: boolean }[] = [];
  await expect
    .poll(async () => {
      const at = await removed();
      seen.push({ at, isOnDisk: onDisk().length > 0 });
      return at;
    }, WAIT)
    .toBe("122");
  expect(seen.some(({ at, isOnDisk }) => at === "121" && isOnDisk)).toBe(true);
  expect(seen.at(-1)).toEqual({ at: "122", isOnDisk: false });
  expect(onDisk()).toEqual([]);
});

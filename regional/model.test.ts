import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startQdrant, temporaryFolder, type Folder, type Running } from "./process.fixture.ts";
import { NETWORK_FILE, batch, put, search, startSite, type SiteProcess } from "./site.fixture.ts";

let folder: Folder;
let qdrant: Running;
const sites: SiteProcess[] = [];
beforeAll(async () => {
  folder = await temporaryFolder();
  qdrant = await startQdrant(join(folder.path, "qdrant"));
});
afterAll(async () => {
  for (const site of sites) await site.kill("SIGTERM");
  await qdrant.kill("SIGTERM");
  await folder.remove();
});

async function start(networkFile = NETWORK_FILE): Promise<SiteProcess> {
  const site = await startSite(folder.path, [qdrant.url], 1, networkFile);
  sites.push(site);
  return site;
}

/** Another model of as many dimensions, so that nothing but its name tells them apart. */
async function otherNetworkFile(): Promise<string> {
  const path = join(folder.path, "other.yaml");
  const text = await readFile(NETWORK_FILE, "utf8");
  const model = "provider: learned, model: learned-384-0123456789abcdef";
  await writeFile(path, text.replace("provider: hashed, model: hashed-384-v1", model));
  return path;
}

describe("a regional site", () => {
  it("takes no change of another model than its network file names (I18)", async () => {
    const site = await start();
    const other = batch([put({ id: "a", sequence: 1 })], {
      watermark: 1,
      model: "learned-384-0123456789abcdef",
    });
    const refused = await site.post("/internal/apply", other);
    expect([refused.status, refused.body.code]).toEqual([503, "not_ready"]);
    expect((await site.get("/internal/watermark")).body.watermark.sequence).toBe("0");
    expect(
      (await site.post("/internal/apply", batch([put({ id: "a", sequence: 1 })], { watermark: 1 }))).status,
    ).toBe(200);
    await site.kill("SIGTERM");
  });

  it("answers nothing from vectors that another model made, and names both (I18)", async () => {
    const site = await start(await otherNetworkFile());
    const ready = await site.get("/readyz");
    expect(ready.status).toBe(503);
    expect(JSON.stringify(ready.body)).toContain(
      "Expected vectors of learned-384-0123456789abcdef as the network file says, found those of hashed-384-v1",
    );
    const asked = await site.post("/internal/search", search({ model: "learned-384-0123456789abcdef" }));
    expect([asked.status, asked.body.code]).toEqual([503, "not_ready"]);
    await site.kill("SIGTERM");
    const again = await start();
    const { status, body } = await again.post("/internal/search", search());
    expect(status).toBe(200);
    expect(body.dense.map(({ document_id }: { document_id: string }) => document_id)).toEqual(["a"]);
  });
});

import { afterEach, expect, it } from "vitest";
import { startQdrant, temporaryFolder, type Running } from "./process.fixture.ts";
import { batch, put, search, startSite, type SiteProcess } from "./site.fixture.ts";

const running: Running[] = [];
afterEach(async () => {
  for (const process of running.splice(0)) await process.kill("SIGKILL");
});

/** Some dozen batches. */
const FILE_KIB_MAX = 2_048;
const BATCH = 20;
const BATCHES_MAX = 200;

const documentOf = (sequence: number) => put({ id: `d${sequence}`, sequence, residency: "global" });

async function apply(site: SiteProcess, number: number) {
  const first = number * BATCH + 1;
  const changes = Array.from({ length: BATCH }, (_, at) => documentOf(first + at));
  return await site.post(
    "/internal/apply",
    batch(changes, { watermark: first + BATCH - 1, ...(number === 0 ? {} : { after: first - 1 }) }),
  );
}

it("takes nothing for stored on a full disk, says so, and goes on where it was once there is room (I8, I11)", async () => {
  const folder = await temporaryFolder();
  try {
    const full = await startQdrant(folder.path, {}, { fileKibMax: FILE_KIB_MAX });
    running.push(full);
    const site = await startSite(folder.path, [full.url]);
    running.push(site);
    let stored = 0;
    let refused = await apply(site, stored);
    while (refused.status === 200 && stored < BATCHES_MAX) {
      stored += 1;
      refused = await apply(site, stored);
    }
    expect(stored).toBeGreaterThan(2);
    // Something that passes: a code about the change itself would park it.
    expect(refused).toMatchObject({ status: 503, body: { code: "unavailable" } });
    // The server ends rather than show what its disk does not have; whoever supervises it starts it again.
    expect(full.lines.at(-1)).toContain("stopped: the state cannot be kept");
    expect(await apply(site, stored)).toMatchObject({ status: 503, body: { code: "unavailable" } });

    for (const process of running.splice(0)) await process.kill("SIGKILL");
    const roomy = await startQdrant(folder.path);
    running.push(roomy);
    const again = await startSite(folder.path, [roomy.url]);
    running.push(again);
    const { watermark } = (await again.get("/internal/watermark")).body;
    expect(watermark).toEqual({ epoch: 1, sequence: String(stored * BATCH) });
    for (let next = stored; next < stored + 3; next += 1) expect((await apply(again, next)).status).toBe(200);
    const ids = new Set(
      (await again.post("/internal/search", search({ candidates: 1_000 }))).body.dense.map(
        (hit: { document_id: string }) => hit.document_id,
      ),
    );
    expect(ids.size).toBe(Math.min(1_000, (stored + 3) * BATCH));
  } finally {
    await folder.remove();
  }
});

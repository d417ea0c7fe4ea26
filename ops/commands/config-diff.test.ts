import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../settings.ts";
import { hostCommands, type CommandHost } from "./command.fixture.ts";

const RUN_MS_MAX = 60_000;
const SHIPPED = readFileSync(join(ROOT, "config", "network.yaml"), "utf8");
const WIDER = SHIPPED.replace("    serve:\n      countries: [DK]", "    serve:\n      countries: [DK, SE]");
const MOVED = SHIPPED.replace(/(id: edge-global[^]*?running: )true/, "$1false");

let host: CommandHost;
beforeAll(async () => {
  host = await hostCommands();
  writeFileSync(join(host.data, "old.yaml"), SHIPPED);
  writeFileSync(join(host.data, "wider.yaml"), WIDER);
  writeFileSync(join(host.data, "moved.yaml"), MOVED);
});
afterEach(() => {
  host.census = null;
  host.document = null;
});
afterAll(() => host.close());

describe("config diff", () => {
  it(
    "exits with 1 for what is newly permitted, with 0 when that is accepted, forbidden, or nothing",
    async () => {
      const code = async (...args: string[]): Promise<number | null> =>
        (await host.run(["config", "diff", ...args])).code;
      const { stdout, code: widened } = await host.run(["config", "diff", "old.yaml", "wider.yaml"]);
      expect([widened, stdout]).toEqual([1, expect.stringContaining("dk-only  serve: SE")]);
      expect(stdout).toContain("newly permitted: a widening");
      expect(await code("old.yaml", "wider.yaml", "--accept-widening")).toBe(0);
      expect(await code("wider.yaml", "old.yaml")).toBe(0);
      expect(await code("old.yaml", "old.yaml")).toBe(0);
    },
    RUN_MS_MAX,
  );

  it(
    "tells documents, bytes and hours of a running network, and says when there is none",
    async () => {
      const args = ["config", "diff", "old.yaml", "moved.yaml", "--changes-per-second", "100", "--json"];
      const alone = JSON.parse((await host.run(args)).stdout);
      expect(alone).toMatchObject({ counted: false, totals: null, copies: [{ documents: null }] });
      expect(alone.not_counted_because).toContain("primary");
      host.census = {
        sequence: "9",
        groups: [
          { residency: "global", tier: "cold", documents: 720_000, passages: 900_000, bytes: 2_000_000_000 },
          { residency: "eu", tier: "cold", documents: 5, passages: 5, bytes: 10 },
        ],
      };
      const { code, stdout } = await host.run(args);
      expect([code, JSON.parse(stdout)]).toMatchObject([
        0,
        {
          counted: true,
          copies: [
            {
              change: "move",
              residency: "global",
              tier: "cold",
              from: ["edge-global"],
              to: ["edge-eu"],
              documents: 720_000,
            },
          ],
          totals: { copied: 720_000, deleted: 720_000, bytes: 2_000_000_000, hours: 2 },
        },
      ]);
      const text = await host.run(args.slice(0, -1));
      expect(text.stdout).toContain(
        "720,000 copies are made, 720,000 deleted, about 2,000,000,000 bytes in 2.00 hours",
      );
    },
    RUN_MS_MAX,
  );

  it(
    "refuses a file that is not there or has faults",
    async () => {
      expect((await host.run(["config", "diff", "old.yaml", "nowhere.yaml"])).code).toBe(2);
      writeFileSync(join(host.data, "bad.yaml"), SHIPPED.replace("version: 1", "version: 2"));
      expect((await host.run(["config", "diff", "old.yaml", "bad.yaml"])).code).toBe(1);
    },
    RUN_MS_MAX,
  );
});

describe("config explain --document", () => {
  it(
    "says of a document of the running network why a copy may or may not be at each site, with reason and reference",
    async () => {
      host.document = {
        id: "dom-1",
        version: "1",
        sequence: "1",
        title: "Dom",
        text: "§ 1.",
        collection: "default",
        lang: "da",
        residency: "dk-only",
        metadata: {},
        importance: 0.5,
        published_at: null,
        tier: "warm",
        pinned_tier: null,
        passages: 1,
        planned_sites: ["dk-cph"],
        created_at: "2026-11-01T00:00:00.000Z",
        updated_at: "2026-11-01T00:00:00.000Z",
      };
      const { code, stdout } = await host.run(["config", "explain", "--document", "dom-1"]);
      expect(code).toBe(0);
      expect(stdout).toContain("class dk-only, tier warm");
      expect(stdout).toMatch(/eu-fra +none: .*DE is not in DK/);
      expect(stdout).toContain("refuses  classes.dk-only.stays_in: every copy stays in DK; this is DE");
      expect(stdout).toContain("(databeskyttelsesloven § 3, stk. 9)");
      expect((await host.run(["config", "explain", "--document", "dom-2"])).code).toBe(3);
    },
    RUN_MS_MAX,
  );
});

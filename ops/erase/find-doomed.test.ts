import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { operatorClient } from "../client/operator-client.ts";
import { UsageError } from "../output/exit.ts";
import { findDoomed, type Meant } from "./find-doomed.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kattegat-erase-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rest = { collection: "default", residency: "eu", tier: "hot" } as const;
const PAGES = [
  { documents: [{ id: "a", version: "3", ...rest }], after: "a", scanned: 1 },
  { documents: [{ id: "b", version: "7", ...rest }], after: null, scanned: 1 },
];

function find(meant: Meant) {
  const pages = PAGES.values();
  const primary = operatorClient({
    site: "dk-cph",
    request: (_path, _request, use) => use(Response.json(pages.next().value)),
  });
  return findDoomed(meant, { primary: () => Promise.resolve(primary), progress() {} });
}

function listed(text: string): string {
  const path = join(folder, "listed.json");
  writeFileSync(path, text);
  return path;
}

describe("what an erasure means", () => {
  it("is every document that the filter found, in the version that it found", async () => {
    const found = await find({ ids: [], filter: { must: [{ has_id: ["a", "b"] }] } });
    expect(found).toEqual(PAGES.flatMap(({ documents }) => documents));
  });

  it("is a document that is named in whichever version, or in the one that is given", async () => {
    expect(await find({ ids: ["a", "b", "a"] })).toEqual([{ id: "a" }, { id: "b" }]);
    expect(await find({ ids: ["a"], ifVersion: "9" })).toEqual([{ id: "a", version: "9" }]);
  });

  it("is what a dry run listed, in the versions that it listed", async () => {
    const found = await find({ ids: [], filter: { must: [{ has_id: ["a", "b"] }] } });
    const path = listed(JSON.stringify({ erased: 0, would_erase: 2, documents: found }));
    expect(await find({ ids: [], listed: path })).toEqual([
      { id: "a", version: "3" },
      { id: "b", version: "7" },
    ]);
  });

  it("is refused when it is said in no way, in two, or by a file that is no list", async () => {
    const filter = { must: [{ has_id: ["a"] }] };
    for (const meant of [
      { ids: [] },
      { ids: ["a"], filter },
      { ids: [], filter, listed: listed('{"documents":[]}') },
      { ids: ["a"], collection: "c" },
      { ids: ["a", "b"], ifVersion: "3" },
      { ids: [], filter, ifVersion: "3" },
      { ids: ["a b"] },
      { ids: [], listed: join(folder, "nothing") },
    ])
      await expect(find(meant)).rejects.toThrow(UsageError);
    for (const text of ["{", "{}", '{"documents":[{"id":"a b"}]}', '{"documents":[{"id":"a","version":3}]}'])
      await expect(find({ ids: [], listed: listed(text) })).rejects.toThrow(UsageError);
  });
});

import type { Network } from "@kattegat/config/network.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ledgerEntrySchema } from "../ledger/entry.ts";
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { network, startPrimary, type TestPrimary } from "../primary.fixture.ts";

let postgres: PostgresFixture;
let url: string;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  url = await postgres.database();
});

/** The network with another rule of where the class may rest. */
function storing(countries: readonly string[], className = "eu"): Network {
  const { eu } = network.classes;
  if (eu === undefined) throw new Error("expected the class eu");
  const changed = { ...eu, store: { ...eu.store, countries: [...countries] } };
  return { ...network, classes: { ...network.classes, [className]: changed } };
}

async function put(test: TestPrimary, id: string, body: object = {}): Promise<void> {
  const answer = await test.client.put(id, {
    title: id,
    text: `Tekst ${id}.`,
    residency: "eu",
    tier: "warm",
    ...body,
  });
  expect(answer.status).toBeLessThan(300);
}

async function placeAll({ primary }: TestPrimary): Promise<number> {
  let placed = 0;
  do placed += await primary.placing.round();
  while (primary.placing.status.checked !== null);
  return placed;
}

/** What the log tells a site after a sequence: kind and document of each change but the skipped. */
async function told(test: TestPrimary, site: string, after: string): Promise<readonly string[]> {
  const { changes } = await test.client.feed(site, after);
  return changes.flatMap((change) =>
    change.kind === "skip" ? [] : [`${change.kind} ${change.document_id}`],
  );
}

describe("an archive that begins to run", () => {
  it("is brought every document of a class that it may hold, sealed, whatever its tier; one that it may not hold leaves it (I5, I9)", async () => {
    const stopped = network.sites.map((site) => ({
      ...site,
      running: site.running && site.kind !== "archive",
    }));
    const before = await startPrimary(url, { network: { ...network, sites: stopped } });
    for (const tier of ["hot", "warm", "cold"]) await put(before, tier, { tier });
    await placeAll(before);
    await before.close();
    const test = await startPrimary(url);
    const { sequence } = test.primary.applied.head.fence;
    expect(await placeAll(test)).toBe(3);
    const brought = await told(test, "archive-dk", sequence);
    expect(brought.toSorted()).toEqual(["put-sealed cold", "put-sealed hot", "put-sealed warm"]);
    await test.close();
    // DE alone: neither the primary's record nor the archive may stay, and the archive is told.
    const sites = network.sites.map((site) => (site.id === "archive-dk" ? { ...site, country: "NO" } : site));
    const moved = await startPrimary(url, { network: { ...network, sites } });
    const { sequence: then } = moved.primary.applied.head.fence;
    expect(await placeAll(moved)).toBe(3);
    expect((await told(moved, "archive-dk", then)).toSorted()).toEqual([
      "withdraw cold",
      "withdraw hot",
      "withdraw warm",
    ]);
    await moved.close();
  });
});

describe("a policy", () => {
  it("that forbids the primary's country takes no document, since the record of each rests there (I5)", async () => {
    const test = await startPrimary(url, { network: storing(["DE"]) });
    const answer = await test.client.put("a", { title: "a", text: "Tekst.", residency: "eu", tier: "warm" });
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ code: "no_legal_site" });
    await test.close();
  });

  it("that changed withdraws copies from where it forbids them, and brings them to where it allows them now (I5, I9)", async () => {
    const before = await startPrimary(url, { network: storing(["DK", "DE"]) });
    for (const id of ["a", "b"]) await put(before, id);
    await put(before, "c", { residency: "global" });
    expect(await placeAll(before)).toBe(0);
    await before.close();
    const test = await startPrimary(url, { network: storing(["DK", "SE"]) });
    const { sequence } = test.primary.applied.head.fence;
    expect(await placeAll(test)).toBe(2);
    expect(await told(test, "eu-fra", sequence)).toEqual(["withdraw a", "withdraw b"]);
    expect(await told(test, "eu-arn", sequence)).toEqual(["put a", "put b"]);
    expect(await test.primary.placing.round()).toBe(0);
    expect(await (await test.client.send("/internal/network")).json()).toMatchObject({
      policy: { checked: null, placed: 2 },
    });
    const entries = await test.primary.ledger.entries({ from: 0, limit: 100, document: "a" });
    expect(ledgerEntrySchema.parse(JSON.parse(entries.at(-1) ?? ""))).toMatchObject({
      kind: "planned",
      reason: "policy changed",
      copies: [{ site: "archive-dk" }, { site: "dk-cph" }, { site: "eu-arn", jurisdiction: "SE" }],
    });
    await test.close();
  });

  it("that changed brings a site its copies by changes that name it, so that a withdrawal knows of each, from the beginning of the log too (I5, I9)", async () => {
    const before = await startPrimary(url, { network: storing(["DK", "DE"]) });
    await put(before, "a");
    await placeAll(before);
    await before.close();
    const test = await startPrimary(url, { network: storing(["DK", "DE", "SE"]) });
    await put(test, "new");
    expect(await told(test, "eu-arn", "0")).toEqual(["put new"]);
    expect((await test.client.send("/internal/documents/new", { method: "DELETE" })).status).toBe(202);
    expect(await told(test, "eu-arn", "0")).toEqual(["withdraw new"]);
    expect(await placeAll(test)).toBe(1);
    expect(await told(test, "eu-arn", "0")).toEqual(["withdraw new", "put a"]);
    expect(await told(test, "eu-fra", test.primary.applied.head.fence.sequence)).toEqual([]);
    await test.close();
  });

  it("that is taken back before every document was compared with it is taken back for all of them (I5)", async () => {
    const before = await startPrimary(url, { network: storing(["DK", "DE"]) });
    for (const id of ["a", "b"]) await put(before, id);
    await placeAll(before);
    await before.close();
    const half = await startPrimary(url, { network: storing(["DK", "DE", "SE"]) });
    await half.primary.writer.submit({ kind: "place", id: "a" });
    await put(half, "c");
    await half.close();
    const test = await startPrimary(url, { network: storing(["DK", "DE"]) });
    const { sequence } = test.primary.applied.head.fence;
    expect(await placeAll(test)).toBe(2);
    expect(await told(test, "eu-arn", sequence)).toEqual(["withdraw a", "withdraw c"]);
    await test.close();
  });

  it("that changed empties a site that is retiring, and refuses it nothing that it is told (I9)", async () => {
    const before = await startPrimary(url);
    for (const id of ["a", "b"]) await put(before, id);
    await placeAll(before);
    await before.close();
    const sites = network.sites.map((site) => (site.id === "eu-fra" ? { ...site, retiring: true } : site));
    const test = await startPrimary(url, { network: { ...network, sites } });
    const { sequence } = test.primary.applied.head.fence;
    expect(await placeAll(test)).toBe(2);
    expect(await told(test, "eu-fra", sequence)).toEqual(["withdraw a", "withdraw b"]);
    expect(await told(test, "eu-arn", "0")).toEqual(["put a", "put b"]);
    await test.close();
  });

  it("that changed withdraws documents of a class that it no longer has from everywhere, and answers none of them (I4, I5)", async () => {
    const before = await startPrimary(url, { network: storing(["DK", "DE"], "project") });
    await put(before, "a", { residency: "project" });
    await put(before, "b");
    await placeAll(before);
    await before.close();
    const test = await startPrimary(url);
    const { sequence } = test.primary.applied.head.fence;
    expect(await placeAll(test)).toBe(1);
    expect(await told(test, "eu-fra", sequence)).toEqual(["withdraw a"]);
    expect((await test.client.search("tekst")).lexical).toEqual([]);
    await test.close();
  });

  it("that changed is carried out to the end after a start in the middle, by documents that were moving too", async () => {
    const before = await startPrimary(url, { network: storing(["DK", "DE"]) });
    for (let number = 0; number < 30; number += 1) await put(before, `d${number}`);
    // On its way from hot to warm: the new site has not confirmed yet.
    await put(before, "moving", { tier: "hot" });
    await put(before, "moving", { tier: "warm" });
    await placeAll(before);
    await before.close();
    const half = await startPrimary(url, { network: storing(["DK", "SE"]) });
    await half.primary.writer.submit({ kind: "place", id: "d3" });
    await half.primary.writer.submit({ kind: "place", id: "d4" });
    await half.close();
    const test = await startPrimary(url, { network: storing(["DK", "SE"]) });
    expect(await placeAll(test)).toBe(29);
    const copies = new Set(await told(test, "eu-arn", "0"));
    for (let number = 0; number < 30; number += 1) expect(copies).toContain(`put d${number}`);
    expect(copies).toContain("put moving");
    expect(
      (await test.primary.database.sql`select held from documents where id = 'moving'`)[0]?.["held"],
    ).toEqual(["eu-arn", "dk-cph", "archive-dk"]);
    await test.close();
  });
});

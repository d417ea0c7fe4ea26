import { receiptSchema, type Receipt } from "@kattegat/protocol/documents.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { startPrimary, type TestPrimary } from "../primary.fixture.ts";

let postgres: PostgresFixture;
let test: TestPrimary;
beforeAll(async () => {
  postgres = await startPostgres();
  test = await startPrimary(await postgres.database());
});
afterAll(async () => {
  await test.close();
  await postgres.stop();
});

const base = { title: "Lov", text: "§ 1. Loven gælder.", residency: "eu" };
const put = async (id: string, body: object) =>
  await (await test.client.put(id, { ...base, ...body })).json();
const confirm = (
  site: string,
  sequence: string,
  {
    removed,
    epoch = 1,
    refused = [],
    refusedEpoch = epoch,
  }: {
    readonly removed?: string;
    readonly epoch?: number;
    readonly refused?: readonly string[];
    readonly refusedEpoch?: number;
  } = {},
) =>
  test.client.send("/internal/confirm", {
    method: "POST",
    body: JSON.stringify({
      site,
      watermark: { epoch, sequence },
      ...(removed === undefined ? {} : { removed: { epoch, sequence: removed } }),
      ...(refused.length === 0
        ? {}
        : {
            refused: refused.map((at) => ({ epoch: refusedEpoch, sequence: at, code: "residency_refused" })),
          }),
      lag_ms: 0,
      lag_changes: 0,
      parked: 0,
      healthy: true,
    }),
  });
const after = async (target: string, sequence: string) => (await test.client.feed(target, sequence)).changes;
const before = (sequence: string): string => String(BigInt(sequence) - 1n);

describe("a change", () => {
  it("is put, with its passages, only to the targets that policy names, and tells the others no id (I5)", async () => {
    const { sequence } = await put("warm-eu", {
      tier: "warm",
      metadata: { source: "eurlex" },
      published_at: "2016-04-27",
    });
    for (const target of ["eu-fra", "eu-arn"]) {
      const [change] = await after(target, before(sequence));
      expect(change).toMatchObject({
        kind: "put",
        document: {
          id: "warm-eu",
          version: sequence,
          tier: "warm",
          residency: "eu",
          metadata: { source: "eurlex" },
          published_at: "2016-04-27T00:00:00.000Z",
        },
      });
      expect(change?.kind === "put" && change.document.passages[0]?.text).toBe(base.text);
    }
    for (const target of ["edge-eu", "edge-global"]) {
      const [change] = await after(target, before(sequence));
      expect(change?.kind).toBe("skip");
      expect(JSON.stringify(change)).not.toContain("warm-eu");
    }
  });

  it("that a later one supersedes is skipped, but its withdraw is never lost (I9)", async () => {
    await put("chain", { tier: "warm" });
    const reclassified = await put("chain", { tier: "warm", residency: "dk-only" });
    const last = await put("chain", { tier: "warm", residency: "dk-only", title: "Ny" });
    const changes = await after("eu-fra", before(reclassified.sequence));
    expect(changes.map(({ kind }) => kind)).toEqual(["withdraw", "skip"]);
    expect(changes[0]).toMatchObject({ reason: "reclassified", document_id: "chain" });
    const back = await put("chain", { tier: "warm" });
    expect((await after("eu-fra", last.sequence)).map(({ kind }) => kind)).toEqual(["put"]);
    expect((await after("eu-fra", before(back.sequence)))[0]?.kind).toBe("put");
  });

  it("that deletes is a withdraw for the sites that held the document and a skip for the others (I9)", async () => {
    await put("dead", { tier: "cold" });
    const { sequence } = await (
      await test.client.send("/internal/documents/dead", { method: "DELETE" })
    ).json();
    expect((await after("edge-eu", before(sequence)))[0]).toMatchObject({
      kind: "withdraw",
      reason: "deleted",
      document_id: "dead",
    });
    expect((await after("edge-global", before(sequence)))[0]?.kind).toBe("skip");
  });
});

describe("a move", () => {
  it("keeps the old copies until every site of the new tier has confirmed (I10)", async () => {
    await put("mover", { tier: "cold" });
    const { sequence } = await put("mover", { tier: "warm" });
    expect((await after("edge-eu", before(sequence)))[0]?.kind).toBe("put");
    expect((await after("eu-fra", before(sequence)))[0]?.kind).toBe("put");
    await confirm("eu-fra", sequence);
    expect(await test.primary.confirmations.settle(test.primary.writer)).toBe(0);
    await confirm("eu-arn", before(sequence));
    expect(await test.primary.confirmations.settle(test.primary.writer)).toBe(0);
    await confirm("eu-arn", sequence);
    expect(await test.primary.confirmations.settle(test.primary.writer)).toBe(1);
    const [settled] = await after("edge-eu", sequence);
    expect(settled).toMatchObject({ kind: "withdraw", reason: "re-tiered", document_id: "mover" });
    expect((await after("eu-fra", sequence))[0]?.kind).toBe("skip");
    const document = await (await test.client.send("/internal/documents/mover")).json();
    expect(document.version).toBe(sequence);
    expect(document.planned_sites).toEqual(["eu-fra", "eu-arn"]);
  });

  it("into the hot tiers is answered by the primary before any regional withdraws", async () => {
    await put("riser", { tier: "warm", text: "Opstigning." });
    expect((await test.client.search("opstigning")).lexical).toEqual([]);
    const { sequence } = await put("riser", { tier: "hot", text: "Opstigning." });
    expect((await test.client.search("opstigning")).lexical[0]).toMatchObject({
      document_id: "riser",
      tier: "hot",
    });
    expect((await after("eu-fra", before(sequence)))[0]?.kind).toBe("put");
    await test.primary.confirmations.settle(test.primary.writer);
    expect((await after("eu-fra", sequence)).at(-1)?.kind).toBe("withdraw");
  });

  it("out of the hot tiers stays in the primary's index until it is settled", async () => {
    await put("faller", { tier: "hot", text: "Nedstigning." });
    const { sequence } = await put("faller", { tier: "warm", text: "Nedstigning." });
    expect((await test.client.search("nedstigning")).lexical[0]).toMatchObject({
      document_id: "faller",
      tier: "warm",
    });
    await confirm("eu-fra", sequence);
    await confirm("eu-arn", sequence);
    await test.primary.confirmations.settle(test.primary.writer);
    expect((await test.client.search("nedstigning")).lexical).toEqual([]);
  });
});

describe("a receipt", () => {
  const read = async (receipt: string): Promise<Receipt> =>
    receiptSchema.parse(await (await test.client.send(receipt.replace("/v1/", "/internal/"))).json());

  it("is hidden when every site that ever held the document has confirmed its deletion, complete when each has removed it, and names no other (I24)", async () => {
    await put("erased", { tier: "cold" });
    await put("erased", { tier: "warm" });
    const { receipt, sequence } = await (
      await test.client.send("/internal/documents/erased", { method: "DELETE" })
    ).json();
    const sites = ["archive-dk", "dk-cph", "edge-eu", "eu-arn", "eu-fra"];
    expect((await read(receipt)).sites.map(({ site }) => site)).toEqual(sites);
    await confirm("eu-fra", sequence);
    await confirm("eu-arn", sequence, { removed: sequence });
    await confirm("edge-eu", before(sequence));
    expect(await read(receipt)).toMatchObject({ hidden_at: null, completed_at: null });
    await confirm("edge-eu", sequence, { removed: before(sequence) });
    expect((await read(receipt)).hidden_at).toBeNull();
    await confirm("archive-dk", sequence, { removed: sequence });
    const hidden = await read(receipt);
    expect(hidden.hidden_at).not.toBeNull();
    expect(hidden.completed_at).toBeNull();
    expect(hidden.sites.map(({ site, means }) => [site, means])).toEqual([
      ["archive-dk", "objects deleted with all versions"],
      ["dk-cph", null],
      ["edge-eu", null],
      ["eu-arn", "vacuumed by Qdrant"],
      ["eu-fra", null],
    ]);
    await confirm("edge-eu", sequence, { removed: sequence });
    await confirm("eu-fra", sequence, { removed: sequence });
    // Its key can still open what is left on the disk.
    expect(await test.primary.ownRemoval.round()).toBe(0);
    expect((await read(receipt)).completed_at).toBeNull();
    await test.primary.keyRotation.round();
    expect(await test.primary.ownRemoval.round()).toBeGreaterThan(0);
    const done = await read(receipt);
    expect(done.completed_at).not.toBeNull();
    for (const { confirmed_at, removed_at, means } of done.sites)
      expect([confirmed_at, removed_at, means]).not.toContain(null);
  });

  it("of a document that was at the archive alone beside the primary is hidden once that has confirmed", async () => {
    await put("alone", { residency: "dk-only", tier: "hot" });
    const { receipt, sequence } = await (
      await test.client.send("/internal/documents/alone", { method: "DELETE" })
    ).json();
    const sites = [{ site: "archive-dk", removed_at: null }, { site: "dk-cph" }];
    expect(await read(receipt)).toMatchObject({ hidden_at: null, completed_at: null, sites });
    await confirm("archive-dk", sequence);
    expect((await read(receipt)).hidden_at).not.toBeNull();
  });

  it("takes what a site says of removal as it was, where it says nothing", async () => {
    await put("told", { tier: "warm" });
    const { receipt, sequence } = await (
      await test.client.send("/internal/documents/told", { method: "DELETE" })
    ).json();
    await confirm("eu-fra", sequence, { removed: sequence });
    const [at] = (await read(receipt)).sites.filter(({ site }) => site === "eu-fra");
    await confirm("eu-fra", sequence);
    expect((await read(receipt)).sites).toContainEqual(at);
    expect(test.primary.confirmations.of("eu-fra")?.removed).toEqual({ epoch: 1, sequence });
  });
});

describe("a site that is at a place which this log does not have (I26)", () => {
  const stored = async (id: string) => {
    const { sequence } = await put(id, { tier: "warm" });
    const { receipt } = await (
      await test.client.send(`/internal/documents/${id}`, { method: "DELETE" })
    ).json();
    return { sequence, receipt: receipt.replace("/v1/", "/internal/") };
  };
  const siteOf = async (receipt: string, site: string) =>
    receiptSchema
      .parse(await (await test.client.send(receipt)).json())
      .sites.find((known) => known.site === site);
  const recorded = async (site: string): Promise<number> => {
    const [row] = await test.primary.database
      .sql`select count(*)::int as entries from ledger_entries where entry like ${`%"site":"${site}"%`}`;
    return row?.["entries"];
  };

  it.each([
    ["of a reign that ended", { epoch: 0, more: 0 }],
    ["of a later reign", { epoch: 2, more: 0 }],
    ["beyond the head", { epoch: 1, more: 3 }],
  ])("%s: completes no receipt, gets no entry, ends no move", async (_name, { epoch, more }) => {
    const id = `elsewhere-${epoch}-${more}`;
    const { receipt } = await stored(id);
    await put(`${id}-moving`, { tier: "hot" });
    await put(`${id}-moving`, { tier: "warm" });
    const head = test.primary.applied.head.fence.sequence;
    const told = String(BigInt(head) + BigInt(more));
    const entries = await recorded("eu-fra");
    for (const site of ["eu-fra", "eu-arn"]) await confirm(site, told, { epoch, removed: told });
    expect(await siteOf(receipt, "eu-fra")).toMatchObject({ confirmed_at: null, removed_at: null });
    expect(await recorded("eu-fra")).toBe(entries);
    expect(await test.primary.confirmations.settle(test.primary.writer)).toBe(0);
    for (const site of ["eu-fra", "eu-arn"]) await confirm(site, head, { removed: head });
    expect(await siteOf(receipt, "eu-fra")).not.toMatchObject({ removed_at: null });
    expect(await recorded("eu-fra")).toBeGreaterThan(entries);
    expect(await test.primary.confirmations.settle(test.primary.writer)).toBe(1);
  });
});

describe("a copy that a site refused", () => {
  const appliedAt = async (sequence: string): Promise<readonly string[]> => {
    const rows = await test.primary.database.sql`
      select entry from ledger_entries where entry like ${`%"kind":"applied"%"sequence":"${sequence}"%`}`;
    return rows.map((row) => JSON.parse(row["entry"]).site);
  };

  it("is recorded nowhere as applied, and ends no move, until the document is written again (I10, I21)", async () => {
    await put("refused", { tier: "hot" });
    const { sequence } = await put("refused", { tier: "warm" });
    await confirm("eu-fra", sequence, { refused: [sequence] });
    await confirm("eu-arn", sequence);
    await confirm("eu-fra", sequence);
    expect(await appliedAt(sequence)).toEqual(["dk-cph", "eu-arn"]);
    expect(await test.primary.confirmations.settle(test.primary.writer)).toBe(0);
    const again = await put("refused", { tier: "warm", text: "§ 1. Loven gælder nu." });
    for (const site of ["eu-fra", "eu-arn"]) await confirm(site, again.sequence);
    expect((await appliedAt(again.sequence)).toSorted()).toEqual(["dk-cph", "eu-arn", "eu-fra"]);
    expect(await test.primary.confirmations.settle(test.primary.writer)).toBe(1);
  });

  it("is not the one that has the sequence of what was refused in a reign that was lost (I2, I10, I21)", async () => {
    await put("reissued", { tier: "hot" });
    const { sequence } = await put("reissued", { tier: "warm" });
    await confirm("eu-fra", sequence, { refused: [sequence], refusedEpoch: 0 });
    await confirm("eu-arn", sequence);
    expect((await appliedAt(sequence)).toSorted()).toEqual(["dk-cph", "eu-arn", "eu-fra"]);
    expect(await test.primary.confirmations.settle(test.primary.writer)).toBe(1);
  });

  it("is counted and logged when the log has no such change, by whether its reign is over (I2, I21)", async () => {
    const metrics = async () => (await test.client.send("/metrics")).text();
    const { sequence } = await put("unmatched", { tier: "warm" });
    const unknown = String(BigInt(sequence) + 1_000n);
    test.errors.length = 0;
    await confirm("eu-arn", sequence, { refused: [sequence] });
    expect(test.errors).toEqual([]);
    await confirm("eu-arn", sequence, { refused: [sequence, unknown] });
    await confirm("eu-arn", sequence, { refused: [sequence], refusedEpoch: 0 });
    await confirm("eu-arn", sequence, { refused: [sequence], refusedEpoch: 7 });
    const logged = { code: "unmatched_refusal", site: "eu-arn", count: 1 };
    expect(test.errors).toMatchObject([
      { ...logged, named: [{ epoch: 1, sequence: unknown }] },
      { ...logged, named: [{ epoch: 0, sequence }] },
      { ...logged, named: [{ epoch: 7, sequence }] },
    ]);
    for (const reign of ["current", "former", "later"])
      for (const text of [await metrics(), await metrics()])
        expect(text).toContain(`kattegat_primary_unmatched_refusals_total{site="eu-arn",reign="${reign}"} 1`);
    test.errors.length = 0;
  });

  it("may be taken by a site that went back, and gets it again", async () => {
    await put("taken", { tier: "hot" });
    const { sequence } = await put("taken", { tier: "warm" });
    for (const site of ["eu-fra", "eu-arn"]) await confirm(site, sequence, { refused: [sequence] });
    for (const site of ["eu-fra", "eu-arn"]) await confirm(site, before(sequence));
    for (const site of ["eu-fra", "eu-arn"]) await confirm(site, sequence);
    expect(await test.primary.confirmations.settle(test.primary.writer)).toBe(1);
  });
});

describe("the feed", () => {
  it("wakes a waiting reader when a write commits", async () => {
    const { head } = await test.client.feed("eu-fra", "0");
    const waiting = test.client.feed("eu-fra", head.sequence, { waitMs: 10_000 });
    const { sequence } = await put("woken", { tier: "warm" });
    const answer = await waiting;
    expect(answer.changes.map((change) => change.sequence)).toEqual([sequence]);
    expect(answer.head).toMatchObject({ epoch: 1, sequence });
  });

  it("answers an idle reader with the head alone", async () => {
    const { head } = await test.client.feed("eu-fra", "0");
    expect((await test.client.feed("eu-fra", head.sequence, { waitMs: 30 })).changes).toEqual([]);
  });

  it("gives no more changes than asked, and goes on after them", async () => {
    const all = await after("eu-fra", "0");
    const pages: string[] = [];
    for (let from = "0"; ;) {
      const { changes } = await test.client.feed("eu-fra", from, { limit: 3 });
      if (changes.length === 0) break;
      expect(changes.length).toBeLessThanOrEqual(3);
      pages.push(...changes.map(({ sequence }) => sequence));
      from = changes.at(-1)?.sequence ?? from;
    }
    expect(pages).toEqual(all.map(({ sequence }) => sequence));
  });

  it("is a page of bounded bytes for an archive, too, whose passages may have vectors", async () => {
    const passages = Array.from({ length: 1_000 }, (_, number) => ({ text: `stk. ${number}` }));
    const first = await put("long-1", { text: undefined, passages });
    for (const id of ["long-2", "long-3"]) await put(id, { text: undefined, passages });
    const page = await after("archive-dk", before(first.sequence));
    expect(page.map(({ kind }) => kind)).toEqual(["put-sealed", "put-sealed"]);
    const [last] = await after("archive-dk", page[1]?.sequence ?? "");
    expect(last).toMatchObject({ kind: "put-sealed", document_id: "long-3" });
  });

  it("passes over what says nothing to the target, and ends with it where nothing follows", async () => {
    const { head } = await test.client.feed("eu-fra", "0");
    const written: string[] = [];
    for (const tier of ["hot", "hot", "warm", "hot", "warm", "hot", "hot"])
      written.push((await put(`over-${written.length}`, { tier })).sequence);
    const { changes } = await test.client.feed("eu-fra", head.sequence);
    expect(changes.map(({ kind, sequence }) => [kind, written.indexOf(sequence)])).toEqual([
      ["put", 2],
      ["put", 4],
      ["skip", 6],
    ]);
    const first = await test.client.feed("eu-fra", head.sequence, { limit: 1 });
    expect(first.changes.map(({ sequence }) => written.indexOf(sequence))).toEqual([2]);
  });

  it("tells a target that is ahead of the log that they diverge", async () => {
    const response = await test.client.send("/internal/changes?target=eu-fra&after=999999999");
    expect((await response.json()).code).toBe("divergence");
  });

  it("tells a target that is at a change of a lost reign that they diverge, one at a change that it has nothing (I2)", async () => {
    const { sequence } = await put("heir", { tier: "warm" });
    const ask = async (epoch: number) =>
      await test.client.send(`/internal/changes?target=eu-fra&after=${sequence}&epoch=${epoch}`);
    expect((await ask(1)).status).toBe(200);
    const lost = await ask(0);
    expect(lost.status).toBe(409);
    expect((await lost.json()).code).toBe("divergence");
    const later = await ask(2);
    expect((await later.json()).code).toBe("stale_epoch");
    expect((await test.client.send("/internal/changes?target=eu-fra&after=0&epoch=0")).status).toBe(200);
  });

  it("refuses a target that the network file does not list, and a sequence that is none", async () => {
    expect((await test.client.send("/internal/changes?target=us-east&after=0")).status).toBe(400);
    expect((await test.client.send("/internal/changes?target=eu-fra&after=-1")).status).toBe(400);
    expect((await test.client.send("/internal/changes?target=eu-fra&after=0&limit=100000")).status).toBe(400);
  });
});

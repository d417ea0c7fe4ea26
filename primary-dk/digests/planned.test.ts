import { keyOf } from "@kattegat/engine/digests/copy-digest.ts";
import { rangeOf } from "@kattegat/engine/digests/digest-tree.ts";
import { encodeKey, repairListSchema } from "@kattegat/protocol/digests.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { network, startPrimary, type TestPrimary } from "../primary.fixture.ts";
import { plannedCopies } from "./planned-answers.ts";
import { PlannedDigests } from "./planned-digests.ts";
import { Recount } from "./recount.ts";
import { writeRepairs } from "./repairs.ts";

let postgres: PostgresFixture;
let test: TestPrimary;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  test = await startPrimary(await postgres.database());
  return () => test.close();
});

const TARGETS = ["eu-fra", "eu-arn", "edge-eu", "edge-global", "archive-dk"] as const;

async function put(id: string, residency: string, tier: string, text = ""): Promise<void> {
  const answer = await test.client.put(id, { title: id, text: `Tekst ${id}. ${text}`, residency, tier });
  expect(answer.ok).toBe(true);
}

/** Counts everything from Postgres, by a recount of its own. */
async function countedAnew(): Promise<readonly string[]> {
  const { applied, database } = test.primary;
  const planned = new PlannedDigests(network);
  const pacer = { breathe: () => Promise.resolve() };
  const index = () => test.primary.memory().index;
  const recount = new Recount({
    sql: database.sql,
    planned,
    index,
    own: { compare: () => {} },
    applied,
    pacer,
  });
  while (!planned.isWhole) await recount.round();
  return sumsOf(planned);
}

function sumsOf(planned: PlannedDigests): readonly string[] {
  return TARGETS.map((site) => {
    const root = planned.treeOf(site)?.at(0, 0);
    return `${site} ${root?.documents ?? 0} ${root?.sum ?? 0n}`;
  });
}

it("follows writes, moves and deletions as a count of Postgres finds them, whenever the counting began (I25)", async () => {
  const { planned, recount } = test.primary;
  const counting = (async () => {
    while (!planned.isWhole) await recount.round();
  })();
  for (let number = 0; number < 30; number += 1) {
    await put(`eu-${number}`, "eu", number % 2 === 0 ? "warm" : "cold");
    await put(`global-${number}`, "global", number % 2 === 0 ? "cold" : "warm");
  }
  await counting;
  for (let number = 0; number < 10; number += 1) {
    await put(`eu-${number}`, "eu", number % 3 === 0 ? "cold" : "warm", "Ny udgave.");
    await test.client.send(`/internal/documents/global-${number}`, { method: "DELETE" });
  }
  await put("eu-1", "dk-only", "hot");
  const sums = sumsOf(planned);
  expect(sums).toEqual(await countedAnew());
  expect(sums.map((line) => line.split(" ")[1])).not.toContain("0");
});

it("counts anew what a repair may have made wrong, tells the repairs, and withdraws what must not be there (I25)", async () => {
  const { planned, recount, writer, now, database } = test.primary;
  await put("warm", "eu", "warm");
  while (!planned.isWhole) await recount.round();
  const faults = [
    { document_id: "warm", class: "eu", kind: "missing", detail: "no copy" },
    { document_id: "never-was", class: "eu", kind: "extra", detail: "unknown" },
    // Named as a holder, which it never was.
    { document_id: "warm", class: "eu", kind: "leak", detail: "elsewhere" },
  ] as const;
  await writeRepairs({ site: "eu-fra", faults: faults.slice(0, 2) }, { sql: database.sql, writer, now });
  await writeRepairs({ site: "edge-eu", faults: faults.slice(2) }, { sql: database.sql, writer, now });
  while (planned.doubted.size > 0) await recount.round();
  expect(sumsOf(planned)).toEqual(await countedAnew());
  const { changes } = await test.client.feed("eu-fra", "1");
  expect(
    changes.map((change) => (change.kind === "skip" ? "skip" : `${change.kind} ${change.document_id}`)),
  ).toEqual(expect.arrayContaining(["withdraw never-was", "put warm"]));
  const answer = await test.client.operate("/internal/digests/repairs?limit=2");
  const { repairs } = repairListSchema.parse(await answer.json());
  expect(repairs.map(({ site, kind }) => `${site} ${kind}`)[0]).toBe("edge-eu leak");
  expect(repairs).toHaveLength(2);
  for (const bad of ["?limit=0", "?limit=x", "?other=1"])
    expect((await test.client.operate(`/internal/digests/repairs${bad}`)).status).toBe(400);
});

it("keeps the reason of each repair that was written, when another could not be, and says which (I25)", async () => {
  const { writer, now, database } = test.primary;
  for (const id of ["good", "bad"]) await put(id, "eu", "warm");
  const failing: Parameters<typeof writeRepairs>[1] = {
    sql: database.sql,
    now,
    writer: {
      submit: (operation) =>
        "id" in operation && operation.id === "bad"
          ? Promise.reject(new KattegatError("unavailable", "no room"))
          : writer.submit(operation),
    },
  };
  const fault = (document_id: string) =>
    ({ document_id, class: "eu", kind: "missing", detail: `why ${document_id}` }) as const;
  const told = await writeRepairs({ site: "eu-arn", faults: [fault("bad"), fault("good")] }, failing);
  expect(told.failed).toEqual([{ document_id: "bad", code: "unavailable" }]);
  expect(told.repairs.map(({ document_id: id }) => id)).toEqual(["good"]);
  const answer = await test.client.operate("/internal/digests/repairs?site=eu-arn");
  const { repairs } = repairListSchema.parse(await answer.json());
  expect(repairs.map(({ document_id: id, detail }) => `${id}: ${detail}`)).toEqual(["good: why good"]);
  await expect(writeRepairs({ site: "eu-arn", faults: [fault("bad")] }, failing)).rejects.toThrow("no room");
  for (const bad of ["?site=a%00b", "?site=", `?site=${"x".repeat(40)}`])
    expect((await test.client.operate(`/internal/digests/repairs${bad}`)).status).toBe(400);
});

it("counts a doubted range once where its turn has come anyway (I25)", async () => {
  const { planned, recount, writer, now, database } = test.primary;
  const id = Array.from({ length: 1_000 }, (_, at) => `d${at}`).find(
    (each) => rangeOf(keyOf(each), 16) < 1_024,
  );
  if (id === undefined) throw new Error("expected an id of the first ranges");
  await put(id, "eu", "warm");
  const faults = [{ document_id: id, class: "eu", kind: "missing", detail: "no copy" } as const];
  await writeRepairs({ site: "eu-fra", faults }, { sql: database.sql, writer, now });
  expect(planned.doubted.size).toBe(1);
  while (!planned.isWhole) await recount.round();
  expect(planned.doubted.size).toBe(0);
  expect(sumsOf(planned)).toEqual(await countedAnew());
});

it("tells which documents a key has that are not planned at a target, deleted ones too (I25)", async () => {
  await put("hot-one", "dk-only", "hot");
  await put("warm-one", "eu", "warm");
  await put("gone-one", "eu", "warm");
  await test.client.send("/internal/documents/gone-one", { method: "DELETE" });
  const ids = ["hot-one", "warm-one", "gone-one", "never-one"];
  const keys = ids.map((id) => encodeKey(keyOf(id)));
  const told = async (target: string) => {
    const { copies, others } = await plannedCopies(test.primary, { target, keys, others: true });
    const idsOf = (all: readonly { readonly document_id: string }[]): readonly string[] =>
      all.map(({ document_id: id }) => id).toSorted();
    return [idsOf(copies), idsOf(others)];
  };
  expect(await told("eu-fra")).toEqual([["warm-one"], ["gone-one", "hot-one"]]);
  expect(await told("archive-dk")).toEqual([["hot-one", "warm-one"], ["gone-one"]]);
  await put("gone-one", "eu", "warm");
  expect(await told("eu-fra")).toEqual([["gone-one", "warm-one"], ["hot-one"]]);
});

it("plans at an archive what rests there without passages, too, and nowhere else (I25)", async () => {
  const { planned, recount } = test.primary;
  const answer = await test.client.put("empty", { title: "Tom", text: "", residency: "eu", tier: "warm" });
  expect(answer.ok).toBe(true);
  while (!planned.isWhole) await recount.round();
  const documents = TARGETS.map((site) => planned.treeOf(site)?.documents);
  expect(documents).toEqual([0, 0, 0, 0, 1]);
});

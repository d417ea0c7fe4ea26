import { setTimeout as sleep } from "node:timers/promises";
import { changeSchema } from "@kattegat/protocol/changes.ts";
import fc from "fast-check";
import postgresJs from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { contentOf } from "../documents/content.ts";
import { putDocument } from "../documents/documents.ts";
import { NO_PRECONDITION } from "../documents/precondition.ts";
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { startPrimary, type TestPrimary } from "../primary.fixture.ts";
import { readFeed } from "./feed.ts";

let postgres: PostgresFixture;
let url: string;
let left: TestPrimary;
let right: TestPrimary;

beforeAll(async () => {
  postgres = await startPostgres();
  url = await postgres.database();
  [left, right] = await Promise.all([startPrimary(url), startPrimary(url)]);
});
afterAll(async () => {
  await Promise.all([left.close(), right.close()]);
  await postgres.stop();
});

function put({ primary }: TestPrimary, id: string, text: string) {
  const content = contentOf(
    id,
    { title: id, text, residency: "global", collection: "default", metadata: {} },
    { ...primary, zone: "eu" },
  );
  return putDocument(primary, { content, zone: "eu", precondition: NO_PRECONDITION });
}

/** Everything after `after` that is committed now, whoever wrote it. */
async function tail(after: string): Promise<string[]> {
  const changes = await readFeed(
    left.primary.database.sql,
    { target: "eu-fra", after, upTo: "9000000000000000000", limit: 512, vectors: "dense", sealedFor: null },
    left.primary,
  );
  return changes.map((line) => changeSchema.parse(JSON.parse(line)).sequence);
}

it("gives a transaction that began first but commits last the later sequence, so a tailer misses nothing (I1)", async () => {
  await put(left, "early", "Den første udgave.");
  const [before] = (await tail("0")).slice(-1);
  const blocker = postgresJs(url, { max: 1 });
  const release = Promise.withResolvers<void>();
  const blocked = Promise.withResolvers<void>();
  const holding = blocker.begin(async (tx) => {
    await tx`select from passages where document_id = 'early' for update`;
    blocked.resolve();
    await release.promise;
  });
  await blocked.promise;
  // Begins now, has written nothing that others see, waits for the passages of its document.
  const first = put(left, "early", "Den anden udgave.");
  await waitUntilBlocked();
  const second = await put(right, "late", "Begyndte sidst.");
  const seen = await tail(before ?? "0");
  expect(seen).toEqual([second.result.sequence]);
  release.resolve();
  await holding;
  const last = await first;
  expect(await tail(second.result.sequence)).toEqual([last.result.sequence]);
  expect(BigInt(last.result.sequence)).toBeGreaterThan(BigInt(second.result.sequence));
  await blocker.end();
});

async function waitUntilBlocked(): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const [row] = await right.primary.database
      .sql`select count(*)::int as waiting from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
    if (row?.["waiting"] > 0) return;
    await sleep(10);
  }
  throw new Error("expected the first transaction to wait");
}

it("shows a tailer every sequence once, in order, while two processes write, but for those that a later one has replaced (I1)", async () => {
  const writes = fc.array(
    fc.record({ id: fc.nat({ max: 40 }), side: fc.boolean(), text: fc.nat({ max: 1_000 }) }),
    { minLength: 20, maxLength: 80 },
  );
  await fc.assert(
    fc.asyncProperty(writes, async (plan) => {
      const [start] = (await tailAll("0")).slice(-1);
      const writing = Promise.all(
        plan.map(({ id, side, text }, index) =>
          put(
            side ? left : right,
            `${side ? "left" : "right"}-${id}`,
            `Tekst ${text} ${index} ${start ?? ""}.`,
          ),
        ),
      );
      const seen: string[] = [];
      let isOver = false;
      const over = writing.finally(() => {
        isOver = true;
      });
      for (let isDone = false; !isDone;) {
        const wasOver = isOver;
        const page = await tail(seen.at(-1) ?? start ?? "0");
        seen.push(...page);
        isDone = wasOver && page.length === 0;
      }
      await over;
      const log = await logAfter(start ?? "0");
      const first = BigInt(start ?? "0") + 1n;
      expect(log.map(({ sequence }) => sequence)).toEqual(
        Array.from({ length: plan.length }, (_, index) => String(first + BigInt(index))),
      );
      const isSeen = new Set(seen);
      const lastOf = new Map(log.map(({ document_id: id, sequence }) => [id, sequence]));
      const missed = log.filter(({ sequence }) => !isSeen.has(sequence));
      expect(missed.filter(({ document_id: id, sequence }) => lastOf.get(id) === sequence)).toEqual([]);
      expect(seen).toEqual([...isSeen].toSorted((a, b) => Number(BigInt(a) - BigInt(b))));
    }),
    { numRuns: 8, endOnFailure: true },
  );
});

async function logAfter(after: string): Promise<{ document_id: string; sequence: string }[]> {
  const rows = await left.primary.database.sql`
    select document_id, sequence from changes where sequence > ${after} order by sequence`;
  return rows.map(({ document_id, sequence }) => ({ document_id, sequence }));
}

async function tailAll(after: string): Promise<string[]> {
  const all: string[] = [];
  for (let page = await tail(after); page.length > 0; page = await tail(all.at(-1) ?? after))
    all.push(...page);
  return all;
}

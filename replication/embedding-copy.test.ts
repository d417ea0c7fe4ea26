import { createHash } from "node:crypto";
import type { Network } from "@kattegat/config/network.ts";
import type { Artefact } from "@kattegat/engine/embedding/learned/artefact.ts";
import { embeddingKeys, headName, rowsName } from "@kattegat/engine/embedding/learned/artefact-names.ts";
import { trainSmall } from "@kattegat/engine/embedding/learned/learned.fixture.ts";
import { formatDigest } from "@kattegat/protocol/content-digest.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { batchOf, never, pair, targetOf } from "./edge-target.fixture.ts";
import { put, type FakePrimary } from "./fakes.fixture.ts";
import { closeAll, started } from "./running.fixture.ts";

afterEach(closeAll);

const texts = Array.from({ length: 60 }, (_, number) => `frist for klage nævn${number % 9}`);
const options = { dimensions: 8, gramsMax: 4, headBytesMax: 4_000 };
let artefact: Artefact;
let embedding: Network["embedding"];
let keys: { readonly head: string; readonly rows: string };
beforeAll(async () => {
  artefact = await trainSmall(texts, { ...options, classes: ["global"] });
  embedding = { provider: "learned", model: artefact.model, dimensions: 8 };
  const named = embeddingKeys(artefact.model);
  if (named === null) throw new Error("expected a trained embedding");
  keys = named;
});

function give(primary: FakePrimary, { head, rows }: Pick<Artefact, "head" | "rows">): void {
  primary.embedding.set(headName(artefact.model), head);
  primary.embedding.set(rowsName(artefact.model), rows);
}

const digestOf = (bytes: Uint8Array): string => formatDigest(createHash("sha256").update(bytes).digest());

describe("a zone's copy of the trained embedding", () => {
  it("is there whole before anything of its model is published (I18)", async () => {
    const { primary, edge } = await pair();
    give(primary, artefact);
    const seen: boolean[] = [];
    edge.before = ({ model }) => {
      expect(model).toBe(artefact.model);
      seen.push(edge.objects.has(keys.head) && edge.objects.has(keys.rows));
    };
    await targetOf(primary, edge, Date, { embedding }).apply(batchOf([put(1)], embedding), never);
    expect(seen.length).toBeGreaterThan(0);
    expect(seen).not.toContain(false);
    expect(edge.objects.get(keys.head)).toEqual(new Uint8Array(artefact.head));
    expect(edge.objects.get(keys.rows)).toEqual(new Uint8Array(artefact.rows));
    expect([edge.digests.get(keys.head), edge.digests.get(keys.rows)]).toEqual([
      digestOf(artefact.head),
      digestOf(artefact.rows),
    ]);
  });

  it("comes to an edge before the first change", async () => {
    const { primary, edge } = await pair();
    give(primary, artefact);
    primary.model = artefact.model;
    started(primary, targetOf(primary, edge, Date, { embedding }));
    await expect.poll(() => edge.objects.has(keys.head), { timeout: 5_000 }).toBe(true);
  });

  it("is not sent again by a replication that was started anew", async () => {
    const { primary, edge } = await pair();
    give(primary, artefact);
    await targetOf(primary, edge, Date, { embedding }).apply(batchOf([put(1)], embedding), never);
    primary.embedding.clear();
    await targetOf(primary, edge, Date, { embedding }).apply(batchOf([put(2)], embedding), never);
    expect(edge.manifest().watermark.sequence).toBe("2");
  });

  it("comes to no zone that may not hold what it was trained from, and parks no change for it (I5)", async () => {
    const { primary, edge } = await pair();
    const secret = await trainSmall(texts, { ...options, classes: ["eu"] });
    primary.embedding.set(headName(secret.model), secret.head);
    primary.embedding.set(rowsName(secret.model), secret.rows);
    const named = { ...embedding, model: secret.model };
    const target = targetOf(primary, edge, Date, { embedding: named });
    await expect(target.apply(batchOf([put(1)], named), never)).rejects.toMatchObject({
      code: "not_ready",
      message: `${secret.model} was trained from eu, which may not rest at edge-global.`,
    });
    expect([edge.objects.size, edge.published.length]).toEqual([0, 0]);
  });

  it("comes to no zone whose log is of another model, nor does a change of it (I18)", async () => {
    const { primary, edge } = await pair();
    give(primary, artefact);
    const target = targetOf(primary, edge, Date, { embedding });
    const other = target.apply(batchOf([put(1)], { model: "hashed-8-v1" }), never);
    await expect(other).rejects.toMatchObject({ code: "not_ready" });
    expect([edge.objects.size, edge.published.length]).toEqual([0, 0]);
  });

  it("is sent whole after a kill between its two objects", async () => {
    const { primary, edge } = await pair();
    give(primary, artefact);
    edge.uploaded = () => Promise.reject(new KattegatError("unavailable", "killed"));
    const first = targetOf(primary, edge, Date, { embedding });
    await expect(first.apply(batchOf([put(1)], embedding), never)).rejects.toMatchObject({
      code: "unavailable",
    });
    expect([edge.objects.has(keys.rows), edge.objects.has(keys.head)]).toEqual([true, false]);
    expect(edge.published).toEqual([]);
    edge.uploaded = () => Promise.resolve();
    await targetOf(primary, edge, Date, { embedding }).apply(batchOf([put(1)], embedding), never);
    expect(edge.objects.get(keys.head)).toEqual(new Uint8Array(artefact.head));
  });

  it.each([
    ["rows that were damaged", () => ({ ...artefact, rows: artefact.rows.slice().fill(7) })],
    ["a head that was cut off", () => ({ ...artefact, head: artefact.head.slice(0, 100) })],
  ])("is not made from %s, and nothing of the model is published (I13)", async (_, damaged) => {
    const { primary, edge } = await pair();
    give(primary, damaged());
    const target = targetOf(primary, edge, Date, { embedding });
    await expect(target.apply(batchOf([put(1)], embedding), never)).rejects.toMatchObject({
      code: "unavailable",
    });
    expect([edge.objects.size, edge.published.length]).toEqual([0, 0]);
    give(primary, artefact);
    await target.apply(batchOf([put(1)], embedding), never);
    expect(edge.manifest().watermark.sequence).toBe("1");
  });
});

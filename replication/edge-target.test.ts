import { KattegatError } from "@kattegat/protocol/errors.ts";
import { afterEach, describe, expect, it } from "vitest";
import { batchOf, expected, never, pair, targetOf } from "./edge-target.fixture.ts";
import { put, skip, withdraw } from "./fakes.fixture.ts";
import { closeAll, closeLater, started } from "./running.fixture.ts";
import { sleep } from "./sleep.ts";

afterEach(closeAll);

describe("the cold tier as a target", () => {
  it(
    "shows each document's last version and no withdrawn one, merged or not (I3, I8, I9)",
    { timeout: 60_000 },
    async () => {
      const { primary, edge } = await pair();
      const target = targetOf(primary, edge);
      started(primary, target);
      for (let sequence = 1; sequence <= 3_000; sequence += 1) {
        const id = `d${(sequence * 7) % 400}`;
        primary.log.push(
          sequence % 11 === 0
            ? withdraw(sequence, id)
            : sequence % 5 === 0
              ? skip(sequence)
              : put(sequence, { id }),
        );
        if (sequence % 150 === 0) await sleep(20, never);
      }
      await expect.poll(() => edge.manifest().watermark.sequence, { timeout: 15_000 }).toBe("3000");
      expect(await edge.visible()).toEqual(expected(primary.log));
      await expect.poll(() => edge.manifest().segments.length, { timeout: 30_000 }).toBeLessThan(4);
      expect(await edge.visible()).toEqual(expected(primary.log));
    },
  );

  it(
    "loses and doubles nothing however often it is killed or an answer is lost (I3, I12)",
    { timeout: 30_000 },
    async () => {
      const { primary, edge } = await pair();
      let manifests = 0;
      edge.after = () => {
        manifests += 1;
        if (manifests % 4 === 0) throw new KattegatError("unavailable", "the answer is lost");
      };
      for (let sequence = 1; sequence <= 4_000; sequence += 1) {
        primary.log.push(
          sequence % 9 === 0
            ? withdraw(sequence, `d${sequence - 4}`)
            : put(sequence, { id: `d${sequence % 700}` }),
        );
      }
      for (let life = 0; life < 8; life += 1) {
        const { kill } = started(primary, targetOf(primary, edge));
        await sleep(20 + life * 25, never);
        await kill();
        if (edge.published.length > 0) {
          const at = Number(edge.manifest().watermark.sequence);
          expect(await edge.visible()).toEqual(expected(primary.log.slice(0, at)));
        }
      }
      started(primary, targetOf(primary, edge));
      await expect.poll(() => edge.manifest().watermark.sequence, { timeout: 15_000 }).toBe("4000");
      expect(await edge.visible()).toEqual(expected(primary.log));
    },
  );

  it("takes no batch that follows changes which a restored bucket does not have, and hides again what it shows again (I8, I9)", async () => {
    const { primary, edge } = await pair();
    const target = targetOf(primary, edge);
    const [first, second, third] = [put(1, { id: "a" }), put(2, { id: "b" }), withdraw(3, "a")];
    await target.apply(batchOf([first, second]), never);
    const backup = edge.manifest();
    await target.apply({ ...batchOf([third]), after: { epoch: 1, sequence: "2" } }, never);
    expect(await edge.visible()).toEqual(new Map([["b", "2"]]));
    edge.interfere(() => backup);
    expect(await target.watermark(never)).toEqual({ epoch: 1, sequence: "2" });
    const gap = target.apply(
      { ...batchOf([put(4, { id: "c" })]), after: { epoch: 1, sequence: "3" } },
      never,
    );
    await expect(gap).rejects.toMatchObject({ code: "conflict" });
    await target.apply({ ...batchOf([third]), after: { epoch: 1, sequence: "2" } }, never);
    expect(await edge.visible()).toEqual(new Map([["b", "2"]]));
  });

  it("takes no batch that begins a reign from an earlier place than where its bucket is (I2)", async () => {
    const { primary, edge } = await pair();
    const target = targetOf(primary, edge);
    await target.apply(batchOf([put(1, { id: "a" }), put(2, { id: "b" })]), never);
    const next = { ...put(3, { id: "b" }), epoch: 2 };
    const early = { ...batchOf([next]), position: { epoch: 2, sequence: "3" } };
    const tooEarly = target.apply({ ...early, after: { epoch: 1, sequence: "1" } }, never);
    await expect(tooEarly).rejects.toMatchObject({ code: "conflict" });
    expect(await edge.visible()).toEqual(
      new Map([
        ["a", "1"],
        ["b", "2"],
      ]),
    );
    await target.apply({ ...early, after: { epoch: 1, sequence: "2" } }, never);
    expect(await target.watermark(never)).toEqual({ epoch: 2, sequence: "3" });
  });

  it("goes on where it is after a late batch that another replication had overtaken (I8)", async () => {
    const { primary, edge } = await pair();
    const target = targetOf(primary, edge);
    await target.apply(batchOf([put(1, { id: "a" }), skip(2), skip(3)]), never);
    await target.apply(batchOf([skip(2)]), never);
    await target.apply({ ...batchOf([put(4, { id: "b" })]), after: { epoch: 1, sequence: "3" } }, never);
    expect(await edge.visible()).toEqual(
      new Map([
        ["a", "1"],
        ["b", "4"],
      ]),
    );
  });

  it("leaves each object that a crash orphaned on the garbage list, deletes it after the grace (I16)", async () => {
    const { primary, edge } = await pair();
    const clock = { ms: 1_800_000_000_000, now: () => clock.ms };
    const target = targetOf(primary, edge, clock);
    await target.apply(batchOf([put(1)]), never);
    edge.before = () => {
      throw new KattegatError("unavailable", "the crash");
    };
    await expect(target.apply(batchOf([put(2)]), never)).rejects.toMatchObject({ code: "unavailable" });
    edge.before = () => undefined;
    const orphan = [...edge.objects.keys()].find((key) =>
      edge.manifest().segments.every((segment) => segment.key !== key),
    );
    expect(edge.manifest().garbage.map(({ key }) => key)).toContain(orphan);
    const other = targetOf(primary, edge, clock);
    await other.apply(batchOf([put(2)]), never);
    clock.ms += 59_000;
    const stopping = new AbortController();
    closeLater(() => Promise.resolve(stopping.abort()));
    void other.upkeep?.run(stopping.signal);
    await sleep(100, never);
    expect(edge.objects.has(String(orphan))).toBe(true);
    clock.ms += 2_000;
    await expect.poll(() => edge.objects.has(String(orphan)), { timeout: 5_000 }).toBe(false);
    expect(await edge.visible()).toEqual(
      new Map([
        ["d1", "1"],
        ["d2", "2"],
      ]),
    );
  });

  it("keeps what batches say of documents while they are being merged (I3, I9)", async () => {
    const { primary, edge } = await pair();
    const target = targetOf(primary, edge);
    for (const sequence of [1, 2, 3, 4]) await target.apply(batchOf([put(sequence)]), never);
    let isFirst = true;
    // The merged object is up, the manifest that names it is not: the batch comes between.
    edge.uploaded = async () => {
      if (!isFirst) return;
      isFirst = false;
      await target.apply(batchOf([withdraw(5, "d1"), put(6, { id: "d2" }), put(7)]), never);
    };
    const stopping = new AbortController();
    const running = target.upkeep?.run(stopping.signal);
    await expect.poll(() => edge.manifest().segments.length, { timeout: 5_000 }).toBe(2);
    stopping.abort();
    await running;
    expect(isFirst).toBe(false);
    const copies = { d2: "6", d3: "3", d4: "4", d7: "7" };
    expect(await edge.visible()).toEqual(new Map(Object.entries(copies)));
    await target.apply(batchOf([withdraw(8, "d3")]), never);
    expect([...(await edge.visible()).keys()].toSorted()).toEqual(["d2", "d4", "d7"]);
  });

  it("redoes its edit on the newer manifest when another one was published meanwhile", async () => {
    const { primary, edge } = await pair();
    const target = targetOf(primary, edge);
    await target.apply(batchOf([put(1), put(2)]), never);
    edge.interfere((manifest) => ({
      ...manifest,
      generation: manifest.generation + 1,
      garbage: [...manifest.garbage, { key: "x", since: manifest.watermark_at }],
    }));
    await target.apply(batchOf([put(3, { id: "d1" })]), never);
    expect(edge.manifest().garbage.map(({ key }) => key)).toContain("x");
    expect(await edge.visible()).toEqual(
      new Map([
        ["d2", "2"],
        ["d1", "3"],
      ]),
    );
  });

  it("gives way when another replication has moved the watermark (I2)", async () => {
    const { primary, edge } = await pair();
    const [slow, fast] = [targetOf(primary, edge), targetOf(primary, edge)];
    await slow.apply(batchOf([put(1)]), never);
    await fast.watermark(never);
    await fast.apply(batchOf([put(2), put(3)]), never);
    await expect(slow.apply(batchOf([put(2)]), never)).rejects.toMatchObject({ code: "conflict" });
    expect(await slow.watermark(never)).toEqual({ epoch: 1, sequence: "3" });
    await slow.apply(batchOf([put(2), put(3), put(4)]), never);
    expect(await edge.visible()).toEqual(
      new Map([
        ["d1", "1"],
        ["d2", "2"],
        ["d3", "3"],
        ["d4", "4"],
      ]),
    );
  });

  it("refuses a class that the zone may not hold, takes what it may, hides the old copy (I5)", async () => {
    const { primary, edge } = await pair();
    const target = targetOf(primary, edge);
    await target.apply(batchOf([put(1), put(2)]), never);
    const secret = put(3, { id: "d1" });
    const change =
      secret.kind === "put" ? { ...secret, document: { ...secret.document, residency: "dk-only" } } : secret;
    const short = put(4, { dimensions: 4 });
    const answer = await target.apply(batchOf([change, short, put(5)]), never);
    expect(answer.refused.map(({ sequence, code }) => [sequence, code])).toEqual([
      ["3", "residency_refused"],
      ["4", "bad_vector"],
    ]);
    expect(await edge.visible()).toEqual(
      new Map([
        ["d2", "2"],
        ["d5", "5"],
      ]),
    );
    for (const object of edge.objects.values()) expect(Buffer.from(object).includes("text 3")).toBe(false);
  });

  it("stores a watermark that nothing else moves once a second", async () => {
    const { primary, edge } = await pair();
    primary.log.push(put(1));
    const { replication } = started(primary, targetOf(primary, edge));
    await expect.poll(() => edge.published.at(-1)?.watermark.sequence, { timeout: 5_000 }).toBe("1");
    const before = edge.published.length;
    for (let sequence = 2; sequence <= 60; sequence += 1) {
      primary.log.push(skip(sequence));
      await sleep(20, never);
    }
    await expect.poll(() => edge.manifest().watermark.sequence, { timeout: 5_000 }).toBe("60");
    expect(edge.published.length - before).toBeLessThanOrEqual(4);
    expect(replication.status()[0]).toMatchObject({ parked: 0, retries: 0 });
  });

  it("publishes the statistics that the head names, in a log that is idle", async () => {
    const { primary, edge } = await pair();
    primary.log.push(put(1));
    started(primary, targetOf(primary, edge));
    await expect.poll(() => edge.published.length, { timeout: 5_000 }).toBeGreaterThan(0);
    primary.statistics = { version: "7", bytes: new Uint8Array([1, 2, 3]) };
    primary.log.push(skip(2));
    await expect
      .poll(() => edge.manifest().statistics, { timeout: 5_000 })
      .toMatchObject({ version: "7", key: expect.stringMatching(/^statistics\/7\.hashed-384-v1\..+\.bin$/) });
    expect(edge.objects.get(edge.manifest().statistics?.key ?? "")).toEqual(new Uint8Array([1, 2, 3]));
  });
});

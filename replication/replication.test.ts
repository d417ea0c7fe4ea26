import { afterEach, describe, expect, it } from "vitest";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { createRegionalTarget } from "./regional-target.ts";
import type { Replication } from "./replication.ts";
import { clientOf, closeAll, closeLater, silent, started } from "./running.fixture.ts";
import type { Target } from "./target.ts";
import { network } from "./edge-target.fixture.ts";
import { sleep } from "./sleep.ts";
import { put, servePrimary, serveRegional, skip, withdraw, type Loopback } from "./fakes.fixture.ts";

afterEach(closeAll);

async function opened<T extends Loopback>(server: Promise<T>): Promise<T> {
  const loopback = await server;
  closeLater(loopback.close);
  return loopback;
}

function targetsAt(sites: Readonly<Record<string, { readonly url: string }>>): readonly Target[] {
  return Object.entries(sites).map(([site, server]) =>
    createRegionalTarget({
      client: clientOf(site, server),
      network,
      model: network.embedding.model,
      now: Date.now,
      sleep,
      log: silent,
    }),
  );
}

const statusOf = (replication: Replication, site: string) => {
  const status = replication.status().find((stream) => stream.site === site);
  if (status === undefined) throw new Error(`expected a stream for ${site}`);
  return status;
};

describe("replication", () => {
  it("brings every target to the head and tells the primary how far each is (I8)", async () => {
    const primary = await opened(servePrimary());
    const fra = await opened(serveRegional("eu-fra"));
    const arn = await opened(serveRegional("eu-arn"));
    for (let sequence = 1; sequence <= 1_300; sequence += 1)
      primary.log.push(sequence % 3 === 0 ? skip(sequence) : put(sequence));
    const { replication } = started(primary, ...targetsAt({ "eu-fra": fra, "eu-arn": arn }));
    await expect
      .poll(() => [fra.watermark.sequence, arn.watermark.sequence], { timeout: 5_000 })
      .toEqual(["1300", "1300"]);
    expect(fra.documents.size).toBe(867);
    primary.log.push(withdraw(1_301, "d1"));
    await expect.poll(() => fra.documents.has("d1"), { timeout: 5_000 }).toBe(false);
    await expect
      .poll(() => primary.confirmed.findLast(({ site }) => site === "eu-fra"), { timeout: 5_000 })
      .toMatchObject({
        watermark: { epoch: 1, sequence: "1301" },
        lag_changes: 0,
        lag_ms: 0,
        parked: 0,
        healthy: true,
      });
    // It may rest until a moment after the other.
    await expect
      .poll(() => statusOf(replication, "eu-arn"), { timeout: 5_000 })
      .toMatchObject({ lag_changes: 0, lag_ms: 0 });
  });

  it("goes on where the target is, whoever kills it and whenever (I3, I8)", async () => {
    const primary = await opened(servePrimary());
    const fra = await opened(serveRegional("eu-fra"));
    for (let sequence = 1; sequence <= 2_000; sequence += 1) {
      primary.log.push(sequence % 5 === 0 ? withdraw(sequence, `d${sequence - 2}`) : put(sequence));
    }
    for (let life = 0; life < 6; life += 1) {
      const { kill } = started(primary, ...targetsAt({ "eu-fra": fra }));
      await sleep(15 + life * 7, new AbortController().signal);
      await kill();
    }
    started(primary, ...targetsAt({ "eu-fra": fra }));
    await expect.poll(() => fra.watermark.sequence, { timeout: 10_000 }).toBe("2000");
    expect(fra.documents.size).toBe(1_600 - 400);
  });

  it("applies again without harm what was stored when the answer was lost (I3)", async () => {
    const primary = await opened(servePrimary());
    const fra = await opened(serveRegional("eu-fra"));
    let losses = 3;
    fra.after = () => {
      losses -= 1;
      if (losses >= 0) throw new KattegatError("unavailable", "the answer is lost");
    };
    for (let sequence = 1; sequence <= 20; sequence += 1) primary.log.push(put(sequence));
    const { replication } = started(primary, ...targetsAt({ "eu-fra": fra }));
    await expect
      .poll(() => statusOf(replication, "eu-fra").watermark?.sequence, { timeout: 5_000 })
      .toBe("20");
    expect(fra.documents.size).toBe(20);
  });

  it("lets a dead target stop its own stream only, with a lag that grows (I14)", async () => {
    const primary = await opened(servePrimary());
    const fra = await opened(serveRegional("eu-fra"));
    const arn = await opened(serveRegional("eu-arn"));
    primary.log.push(put(1));
    const { replication } = started(primary, ...targetsAt({ "eu-fra": fra, "eu-arn": arn }));
    await expect.poll(() => arn.watermark.sequence, { timeout: 5_000 }).toBe("1");
    arn.before = () => {
      throw new KattegatError("unavailable", "down");
    };
    for (let sequence = 2; sequence <= 40; sequence += 1) primary.log.push(put(sequence));
    await expect.poll(() => fra.watermark.sequence, { timeout: 5_000 }).toBe("40");
    await expect.poll(() => statusOf(replication, "eu-arn").retries, { timeout: 5_000 }).toBeGreaterThan(2);
    expect(statusOf(replication, "eu-arn").lag_changes).toBe(39);
    await expect
      .poll(() => primary.confirmed.findLast(({ site }) => site === "eu-arn")?.healthy, { timeout: 5_000 })
      .toBe(false);
    arn.before = () => undefined;
    await expect.poll(() => arn.watermark.sequence, { timeout: 20_000 }).toBe("40");
  });

  it("reports a target that falls silent although nothing is written, until it answers again (I7)", async () => {
    const primary = await opened(servePrimary());
    const fra = await opened(serveRegional("eu-fra"));
    const arn = await opened(serveRegional("eu-arn"));
    primary.log.push(put(1));
    const { replication } = started(primary, ...targetsAt({ "eu-fra": fra, "eu-arn": arn }));
    await expect.poll(() => fra.watermark.sequence, { timeout: 5_000 }).toBe("1");
    const lastOf = (site: string): boolean | undefined =>
      primary.confirmed.findLast((report) => report.site === site)?.healthy;
    fra.silent = true;
    await expect.poll(() => lastOf("eu-fra"), { timeout: 60_000 }).toBe(false);
    expect(statusOf(replication, "eu-fra")).toMatchObject({ answers: false, lag_changes: 0 });
    expect(lastOf("eu-arn")).toBe(true);
    fra.silent = false;
    await expect.poll(() => lastOf("eu-fra"), { timeout: 60_000 }).toBe(true);
  }, 150_000);

  it("parks the one change that a target cannot take, withdraws its old copy, goes on (I15)", async () => {
    const primary = await opened(servePrimary());
    const fra = await opened(serveRegional("eu-fra"));
    fra.before = (changes) => {
      if (changes.some((change) => change.kind === "put" && change.sequence === "73"))
        throw new KattegatError("bad_vector", "poison");
    };
    for (let sequence = 1; sequence <= 100; sequence += 1)
      primary.log.push(put(sequence, sequence === 73 ? { id: "d5" } : {}));
    const { replication } = started(primary, ...targetsAt({ "eu-fra": fra }));
    await expect.poll(() => fra.watermark.sequence, { timeout: 5_000 }).toBe("100");
    expect(fra.documents.size).toBe(98);
    expect(fra.documents.has("d5")).toBe(false);
    expect(statusOf(replication, "eu-fra")).toMatchObject({
      parked: 1,
      parked_newest: [{ sequence: "73", code: "bad_vector" }],
    });
    await expect.poll(() => primary.confirmed.at(-1)?.parked, { timeout: 5_000 }).toBe(1);
    // Told once, no later than the watermark that passes it.
    const named = primary.confirmed.filter(({ refused }) => refused !== undefined);
    expect(named.map(({ refused }) => refused)).toEqual([[{ epoch: 1, sequence: "73", code: "bad_vector" }]]);
    const before = primary.confirmed.slice(
      0,
      primary.confirmed.findIndex(({ refused }) => refused !== undefined),
    );
    expect(before.filter(({ watermark }) => Number(watermark.sequence) >= 73)).toEqual([]);
  });

  it("reports a change that the target names as refused (I15)", async () => {
    const primary = await opened(servePrimary());
    const fra = await opened(serveRegional("eu-fra"));
    fra.refuses = (change) => change.sequence === "2";
    for (let sequence = 1; sequence <= 3; sequence += 1) primary.log.push(put(sequence));
    const { replication } = started(primary, ...targetsAt({ "eu-fra": fra }));
    await expect.poll(() => statusOf(replication, "eu-fra").parked, { timeout: 5_000 }).toBe(1);
    expect([...fra.documents.keys()]).toEqual(["d1", "d3"]);
  });

  it.each([
    ["that was sent before", "1"],
    ["that no log has", "9"],
    ["that says nothing to it", "3"],
  ])(
    "halts at an answer that refuses a change %s, and guesses no reign for it (I2, I10, I21)",
    async (_, at) => {
      const primary = await opened(servePrimary());
      const fra = await opened(serveRegional("eu-fra"));
      primary.log.push(put(1));
      const { replication } = started(primary, ...targetsAt({ "eu-fra": fra }));
      await expect.poll(() => fra.watermark.sequence, { timeout: 5_000 }).toBe("1");
      fra.refusesToo = [at];
      fra.refuses = ({ sequence }) => sequence === "2";
      primary.log.push(put(2), skip(3));
      await expect
        .poll(() => statusOf(replication, "eu-fra"), { timeout: 5_000 })
        .toMatchObject({ state: "halted", code: "divergence", wrong_refusals: 1, parked: 1 });
      expect(statusOf(replication, "eu-fra").detail).toContain(`eu-fra refused ${at}`);
      // What was sent and refused is told all the same, before the watermark that passes it.
      await expect
        .poll(() => primary.confirmed.flatMap(({ refused }) => refused ?? []), { timeout: 5_000 })
        .toEqual([{ epoch: 1, sequence: "2", code: "residency_refused" }]);
      expect(primary.confirmed.filter(({ watermark }) => Number(watermark.sequence) > 1)).toEqual([]);
    },
  );

  it("never passes over a withdraw that a target refuses (I9)", async () => {
    const primary = await opened(servePrimary());
    const fra = await opened(serveRegional("eu-fra"));
    fra.before = (changes) => {
      if (changes.some(({ kind }) => kind === "withdraw")) throw new KattegatError("bad_request", "poison");
    };
    primary.log.push(put(1), withdraw(2, "d1"), put(3));
    const { replication } = started(primary, ...targetsAt({ "eu-fra": fra }));
    await expect.poll(() => statusOf(replication, "eu-fra").retries, { timeout: 5_000 }).toBeGreaterThan(2);
    expect(fra.watermark.sequence).toBe("1");
    expect(statusOf(replication, "eu-fra").parked).toBe(0);
  });

  it("parks nothing when the target refuses the sender", async () => {
    const primary = await opened(servePrimary());
    const fra = await opened(serveRegional("eu-fra"));
    fra.before = () => {
      throw new KattegatError("unauthenticated", "no key");
    };
    primary.log.push(put(1));
    const { replication } = started(primary, ...targetsAt({ "eu-fra": fra }));
    await expect.poll(() => statusOf(replication, "eu-fra").retries, { timeout: 5_000 }).toBeGreaterThan(2);
    expect(statusOf(replication, "eu-fra").parked).toBe(0);
  });

  it("halts at divergence or a stale epoch, with the other streams running (I2)", async () => {
    const primary = await opened(servePrimary());
    const fra = await opened(serveRegional("eu-fra"));
    const arn = await opened(serveRegional("eu-arn"));
    const osl = await opened(serveRegional("eu-osl"));
    fra.before = () => {
      throw new KattegatError("divergence", "other digest");
    };
    osl.watermark = { epoch: 2, sequence: "1" };
    primary.log.push(put(1), put(2));
    const { replication } = started(primary, ...targetsAt({ "eu-fra": fra, "eu-arn": arn, "eu-osl": osl }));
    await expect.poll(() => arn.watermark.sequence, { timeout: 5_000 }).toBe("2");
    await expect
      .poll(() => statusOf(replication, "eu-fra"), { timeout: 5_000 })
      .toMatchObject({ state: "halted", code: "divergence" });
    await expect
      .poll(() => statusOf(replication, "eu-osl"), { timeout: 5_000 })
      .toMatchObject({ state: "halted", code: "stale_epoch" });
  });
});

import { keysOf, type ColdManifest } from "@kattegat/engine/cold/manifest.ts";
import { compareFences } from "@kattegat/protocol/sequence.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { afterEach, describe, expect, it } from "vitest";
import { expected, pair } from "./edge-target.fixture.ts";
import type { FakeEdge } from "./fake-edge.fixture.ts";
import { put, withdraw } from "./fakes.fixture.ts";
import { replicationProcesses } from "./replication-process.fixture.ts";
import { closeAll, closeLater } from "./running.fixture.ts";

afterEach(closeAll);

/** The thread that makes a base gives way to all others: on a busy machine it may wait for long. Both only end a hang. */
const WAIT_MS_MAX = 80_000;
const TEST_MS_MAX = 240_000;
const DIMENSIONS = 384;
const LOG = [
  ...Array.from({ length: 40 }, (_, at) => put(at + 1, { dimensions: DIMENSIONS })),
  ...Array.from({ length: 5 }, (_, at) => withdraw(at + 41, `d${at + 1}`)),
  ...Array.from({ length: 5 }, (_, at) => put(at + 46, { id: `d${at + 11}`, dimensions: DIMENSIONS })),
];

type Step =
  | { readonly kind: "stored" | "deleted"; readonly key: string }
  | { readonly kind: "sent" | "published"; readonly manifest: ColdManifest };

const names = (part: string) => (step: Step) =>
  step.kind === "stored" && step.key.startsWith("bases/") && step.key.includes(part);
const hasBase = ({ base }: ColdManifest): boolean => base !== null;
const isReserved = ({ garbage }: ColdManifest): boolean =>
  garbage.some(({ key }) => key.startsWith("bases/"));

const STEPS: readonly (readonly [string, (step: Step) => boolean])[] = [
  ["the first object is reserved", (step) => step.kind === "published" && isReserved(step.manifest)],
  ["the codes are stored", names(".codes.")],
  ["the rows are stored", names(".rows.")],
  ["the postings are stored", names(".postings.")],
  ["the columns are stored", names(".columns.")],
  ["the root is stored", names(".root")],
  ["the manifest has come, but is not stored", (step) => step.kind === "sent" && hasBase(step.manifest)],
  [
    "the manifest is stored, its sender has not heard",
    (step) => step.kind === "published" && hasBase(step.manifest),
  ],
  ["a segment of before is deleted", (step) => step.kind === "deleted" && step.key.startsWith("segments/")],
];

/** Tells each step before the process hears that it is done. */
function follow(
  edge: FakeEdge,
  { take, isKilled }: { readonly take: (step: Step) => Promise<void>; readonly isKilled: () => boolean },
): void {
  edge.uploaded = (key) => take({ kind: "stored", key });
  edge.deleted = (key) => take({ kind: "deleted", key });
  edge.before = (manifest) => {
    const was = isKilled();
    void take({ kind: "sent", manifest });
    if (isKilled() !== was) throw new KattegatError("unavailable", "the sender is gone");
  };
  edge.after = (manifest) => void take({ kind: "published", manifest });
}

/** What is unused now, as if it had been so for an hour; not what is reserved for a base in the making. */
function age(edge: FakeEdge): void {
  const hourAgo = new Date(Date.now() - 3_600_000).toISOString();
  edge.interfere((manifest) => ({
    ...manifest,
    garbage: manifest.garbage.map(({ key, since }) => ({
      key,
      since: Date.parse(since) <= Date.now() ? hourAgo : since,
    })),
  }));
}

/** Segments that are there though the manifest does not name them. */
function unnamed(edge: FakeEdge): readonly string[] {
  const named = new Set(keysOf(edge.manifest()));
  return [...edge.objects.keys()].filter((key) => key.startsWith("segments/") && !named.has(key));
}

const atWatermark = ({ watermark }: ColdManifest) =>
  expected(LOG.filter(({ epoch, sequence }) => compareFences({ epoch, sequence }, watermark) <= 0));

describe("the making of a base, killed by SIGKILL", () => {
  it.each(STEPS)(
    "when %s: the generation of before serves, the next run ends it (I3, I12)",
    async (_, isIt) => {
      const { primary, edge } = await pair();
      primary.log.push(...LOG);
      const sites = { "dk-cph": primary.url, "edge-global": edge.url };
      const processes = await replicationProcesses(sites, { basePassagesMin: 20 });
      closeLater(processes.close);
      let killed: Promise<void> | null = null;

      /** Runs until this holds, or until the step at which the process is killed. */
      async function run(holds: () => boolean): Promise<void> {
        const process = processes.start();
        follow(edge, {
          isKilled: () => killed !== null,
          async take(step) {
            if (killed === null && isIt(step)) killed = process.kill();
            await killed;
          },
        });
        const before = killed;
        await expect.poll(() => holds() || killed !== before, { timeout: WAIT_MS_MAX }).toBe(true);
        await process.kill();
        // Every object that the manifest names is there, each document once, as of the watermark.
        expect(await edge.visible()).toEqual(atWatermark(edge.manifest()));
      }
      const isBased = (): boolean => hasBase(edge.manifest()) && edge.manifest().watermark.sequence === "50";
      await run(() => edge.published.length > 0 && isBased());
      if (killed !== null) await run(isBased);
      age(edge);
      const wasKilled = killed !== null;
      await run(() => unnamed(edge).length === 0);
      if (!wasKilled) await run(() => unnamed(edge).length === 0);
      expect(killed).not.toBeNull();
      expect(unnamed(edge)).toEqual([]);
      expect(await edge.visible()).toEqual(expected(LOG));
    },
    TEST_MS_MAX,
  );
});

/** Random histories of a whole network: what happens in them, and which network files they change between. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { parseDocument } from "yaml";
import { ROOT } from "../settings.ts";
import { PROCESSES } from "./processes.fixture.ts";

/** A few, so that most steps meet what others have left. */
const DOCUMENTS = 10;
const CLASSES = ["dk-only", "eu", "global"] as const;
const TIERS = ["ultra-hot", "hot", "warm", "cold"] as const;

export type Residency = (typeof CLASSES)[number];
export type Tier = (typeof TIERS)[number];

/** Named by what is changed of the network file. */
export const FILES = ["as it is", "eu not in SE", "eu-arn retires", "eu not in zone eu"] as const;
export type NetworkFile = (typeof FILES)[number];

const LOST = ["eu-fra", "eu-arn", "archive-dk", "edge", "replication"] as const;
export type Lost = (typeof LOST)[number];

export interface Put {
  readonly kind: "put";
  readonly document: number;
  readonly residency: Residency;
  /** Null: the network chooses. */
  readonly tier: Tier | null;
  readonly passages: number;
  readonly importance: number;
}

export type Step =
  | Put
  | { readonly kind: "erase"; readonly document: number }
  | { readonly kind: "kill"; readonly process: string }
  /** The site's processes stand still, as behind a cut line, until it returns. */
  | { readonly kind: "lose"; readonly site: Lost }
  | { readonly kind: "return" }
  | { readonly kind: "configure"; readonly file: NetworkFile }
  | { readonly kind: "wait"; readonly ms: number };

/** Plain objects, so that a history that fails can be read. */
const record = <T extends object>(fields: { [Key in keyof T]: fc.Arbitrary<T[Key]> }): fc.Arbitrary<T> =>
  fc.record<T>(fields, { noNullPrototype: true });

const document = fc.nat(DOCUMENTS - 1);
const put = record({
  kind: fc.constant("put" as const),
  document,
  residency: fc.constantFrom(...CLASSES),
  tier: fc.option(fc.constantFrom(...TIERS), { freq: 4 }),
  passages: fc.integer({ min: 1, max: 3 }),
  importance: fc.constantFrom(0.1, 0.5, 0.9),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: put },
  { weight: 4, arbitrary: record({ kind: fc.constant("erase" as const), document }) },
  {
    weight: 2,
    arbitrary: record({ kind: fc.constant("kill" as const), process: fc.constantFrom(...PROCESSES) }),
  },
  { weight: 1, arbitrary: record({ kind: fc.constant("lose" as const), site: fc.constantFrom(...LOST) }) },
  { weight: 1, arbitrary: fc.constant({ kind: "return" as const }) },
  {
    weight: 2,
    arbitrary: record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 400 }) }),
  },
);

/** Two stretches with a change of the network file between them, the second on what the first has left. */
export const historyArbitrary: fc.Arbitrary<readonly Step[]> = fc
  .tuple(
    fc.array(step, { minLength: 15, maxLength: 30, size: "max" }),
    fc.constantFrom(...FILES),
    fc.array(step, { minLength: 10, maxLength: 20, size: "max" }),
  )
  .map(([before, file, after]) => [...before, { kind: "configure", file }, ...after]);

/** Small, so that documents without a tier of their own push each other out. */
const CAPACITY: Readonly<Record<string, number>> = { "ultra-hot": 2, hot: 3, warm: 4 };

/** The text of the repository's network file with the change. */
export function networkFile(file: NetworkFile): string {
  const yaml = parseDocument(readFileSync(join(ROOT, "config", "network.yaml"), "utf8"));
  for (const [tier, capacity] of Object.entries(CAPACITY)) yaml.setIn(["tiers", tier, "capacity"], capacity);
  // One key stands for all callers.
  yaml.setIn(["limits", "key_requests_per_second_max"], 10_000);
  // What is hidden leaves the objects while a test can wait for it.
  yaml.setIn(["limits", "dead_seconds_max"], 2);
  yaml.setIn(["limits", "cache_seconds_max"], 1);
  if (file === "eu not in SE") yaml.setIn(["classes", "eu", "store", "countries"], ["DK", "DE"]);
  if (file === "eu-arn retires") yaml.setIn(["sites", 3, "retiring"], true);
  if (file === "eu not in zone eu") {
    yaml.setIn(["classes", "eu", "store", "zones"], []);
    yaml.setIn(["classes", "eu", "cache", "zones"], []);
  }
  return yaml.toString();
}

const REGIONALS = ["eu-fra", "eu-arn"] as const;
export const ARCHIVE = "archive-dk";
export const SITES = ["dk-cph", ...REGIONALS, "edge-eu", "edge-global", ARCHIVE] as const;
export type SiteId = (typeof SITES)[number];

/** Written out, so that a mistake of the network's own rules is seen: where a copy of the class may be. */
export function mayBe(residency: string, site: SiteId, file: NetworkFile): boolean {
  if (site === "dk-cph" || site === ARCHIVE || residency === "global") return true;
  if (residency !== "eu" || site === "edge-global") return false;
  if (site === "eu-arn") return file !== "eu not in SE";
  return site === "eu-fra" || file !== "eu not in zone eu";
}

/** Written out as well: where the copy that searches find has to be. */
export function searchableAt(residency: Residency, tier: Tier, file: NetworkFile): readonly SiteId[] {
  const regionals = REGIONALS.filter((site) => !(site === "eu-arn" && file === "eu-arn retires"));
  const edges: readonly SiteId[] = residency === "global" ? ["edge-global"] : ["edge-eu"];
  const wanted: readonly SiteId[] =
    tier === "warm" ? regionals : tier === "cold" ? edges : (["dk-cph"] as const);
  const legal = wanted.filter((site) => mayBe(residency, site, file));
  return legal.length > 0 ? legal : ["dk-cph"];
}

/** What the network promised of a document. */
export interface Promised {
  readonly residency: Residency;
  readonly tier: Tier | null;
  readonly version: string;
  readonly passages: number;
  readonly word: string;
}

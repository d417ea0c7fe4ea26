/** Carries a change of the policy out: documents that are planned elsewhere now are written to the log anew. */
import { TIER_NAMES } from "@kattegat/config/network.ts";
import type postgres from "postgres";
import type { Placements } from "./placements.ts";
import type { Writer } from "./writer.ts";

/** Documents looked at in one round: a tenth of a second of Postgres. */
const ROUND_DOCUMENTS_MAX = 2_000;

/** How far the last change of the policy is carried out. */
export interface PlacingStatus {
  readonly policy: string;
  /** Documents that were looked at since it changed; null while every document is planned by it. */
  readonly checked: number | null;
  /** Of those, how many were planned elsewhere before. */
  readonly placed: number;
}

export interface PlacingOptions {
  readonly sql: postgres.Sql;
  readonly placements: Placements;
  readonly writer: Writer;
  readonly log: (fields: object, message: string) => void;
}

/** Through all documents by id. */
interface Walk {
  readonly plan: string;
  cursor: string;
  checked: number;
  placed: number;
}

/**
 * Compares where each document was planned with where it is planned now, whenever the plan has changed: the network file, or the day on
 * which a country's listing ends. A place that the law takes away is left at once; its successors apply the copy meanwhile.
 */
export class Placing {
  readonly #options: PlacingOptions;
  /** The plan that every document was last compared with; null before it is read. */
  #done: string | null = null;
  #walk: Walk | null = null;
  #placed = 0;

  constructor(options: PlacingOptions) {
    this.#options = options;
  }

  get status(): PlacingStatus {
    const { policy } = this.#options.placements;
    return { policy, checked: this.#walk?.checked ?? null, placed: this.#walk?.placed ?? this.#placed };
  }

  /** Resolves with how many documents were placed anew; costs nothing while the plan stands. */
  async round(): Promise<number> {
    const { sql, placements } = this.#options;
    const walk = await this.begin();
    if (walk === null) return 0;
    const rows = await sql`
      select id, residency, tier, moving_from, held from documents
      where id > ${walk.cursor} order by id limit ${ROUND_DOCUMENTS_MAX}`;
    const last = rows.at(-1);
    if (last === undefined) {
      await this.#end(walk);
      return 0;
    }
    const elsewhere = rows.filter(({ residency, tier, moving_from, held }) => {
      const wanted = placements.holders({ residency, tier, moving_from });
      return !isSame(wanted, held);
    });
    await Promise.all(elsewhere.map((row) => this.#options.writer.submit({ kind: "place", id: row["id"] })));
    walk.cursor = last["id"];
    walk.checked += rows.length;
    walk.placed += elsewhere.length;
    return elsewhere.length;
  }

  /**
   * Resolves with the walk that is due; null while the plan stands.
   *
   * Called before the first write under a plan: from then on documents may be planned by it, so the plan before it is no longer
   * that of all of them, and going back to it needs a walk as well.
   */
  async begin(): Promise<Walk | null> {
    const { sql, placements, log } = this.#options;
    const plan = planOf(placements);
    this.#done ??= (await sql`select plan from placed`)[0]?.["plan"] ?? "";
    if (plan === this.#done) return null;
    // A plan that changes on the way is compared from the beginning.
    if (this.#walk?.plan === plan) return this.#walk;
    await sql`update placed set plan = ''`;
    this.#done = "";
    this.#walk = { plan, cursor: "", checked: 0, placed: 0 };
    log({ policy: placements.policy }, "documents are compared with a policy that has changed");
    return this.#walk;
  }

  async #end({ plan, checked, placed }: Walk): Promise<void> {
    const { sql, placements, log } = this.#options;
    const { policy } = placements;
    await sql`
      insert into placed (plan, policy, placed_at) values (${plan}, ${policy}, clock_timestamp())
      on conflict ("only") do update set plan = excluded.plan, policy = excluded.policy, placed_at = excluded.placed_at`;
    log({ policy, documents: checked, placed }, "every document is planned by the policy");
    this.#done = plan;
    this.#walk = null;
    this.#placed = placed;
  }
}

/** Where each class and tier has its copies, as text that can be compared. */
function planOf(placements: Placements): string {
  const plan = Object.keys(placements.network.classes)
    .toSorted()
    .flatMap((residency) =>
      TIER_NAMES.map((tier) => [residency, tier, placements.holders({ residency, tier, moving_from: null })]),
    );
  return JSON.stringify(plan);
}

/** Order says nothing. */
export function isSame(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((site) => right.includes(site));
}

/** Tells an audit what the site's Qdrant has: its points, whatever the site's own notes say. */
import type { HoldingLine } from "@kattegat/protocol/holdings.ts";
import { FENCE_ZERO } from "@kattegat/protocol/sequence.ts";
import type { QdrantClient } from "@qdrant/js-client-rest";
import { holdingSchema } from "../apply/holding.ts";
import type { Position } from "../apply/watermark.ts";
import type { NodePool } from "../qdrant/node-pool.ts";
import { HOLDING } from "../qdrant/passage-point.ts";
import { editionsIn } from "../qdrant/schema.ts";

/** Points of a page, without texts and vectors: some 500 kB. */
const PAGE_POINTS = 2_000;
const TOLD = ["document_id", "version", "residency", HOLDING];

type Copy = Extract<HoldingLine, { readonly kind: "copy" }>;
type Page = Awaited<ReturnType<QdrantClient["scroll"]>>;
type Offset = string | number;
type Payload = Readonly<Record<string, unknown>>;

/** Yields the positions first: what is there later than them is not held against a site. */
export async function* readHoldings(
  pool: NodePool,
  watermarks: ReadonlyMap<string, { read(): Promise<Position> }>,
): AsyncGenerator<HoldingLine> {
  const editions = await editionsIn(pool);
  for (const { collections, model } of editions) {
    const position = (await watermarks.get(model ?? "")?.read()) ?? null;
    yield {
      kind: "store",
      store: collections.passages,
      model: model ?? "unknown",
      ...(position?.watermark ?? FENCE_ZERO),
      whole_at: position?.whole_at ?? null,
    };
  }
  for (const { collections } of editions) yield* copiesIn(pool, collections.passages);
  yield { kind: "end" };
}

async function* copiesIn(pool: NodePool, store: string): AsyncGenerator<HoldingLine> {
  let offset: Offset | null = null;
  do {
    const page: Page = await pageOf(pool, store, offset);
    const copies = new Map<string, Copy>();
    for (const { id, payload } of page.points) {
      const copy = copyOf(store, String(id), payload ?? {});
      const key = JSON.stringify([copy.document_id, copy.version, copy.class]);
      copies.set(key, joined(copies.get(key), copy));
    }
    yield* copies.values();
    const next = page.next_page_offset;
    offset = typeof next === "string" || typeof next === "number" ? next : null;
  } while (offset !== null);
}

function pageOf(pool: NodePool, store: string, offset: Offset | null): Promise<Page> {
  const from = offset === null ? {} : { offset };
  return pool.run((client) =>
    client.scroll(store, { limit: PAGE_POINTS, with_payload: TOLD, with_vector: false, ...from }),
  );
}

/** A point that something else has written may lack everything: then its own id names it. */
function copyOf(store: string, pointId: string, payload: Payload): Copy {
  const text = (key: string): string | null => {
    const value = payload[key];
    return typeof value === "string" ? value : null;
  };
  const holding = holdingSchema.safeParse(payload[HOLDING]).data;
  return {
    kind: "copy",
    store,
    document_id: text("document_id") ?? `(point ${pointId})`,
    version: text("version") ?? "none",
    class: text("residency") ?? "none",
    epoch: holding?.epoch ?? null,
    digest: holding?.digest ?? null,
    passages: 1,
    hidden: false,
  };
}

function joined(before: Copy | undefined, copy: Copy): Copy {
  if (before === undefined) return copy;
  return {
    ...before,
    epoch: before.epoch ?? copy.epoch,
    digest: before.digest ?? copy.digest,
    passages: (before.passages ?? 0) + 1,
  };
}

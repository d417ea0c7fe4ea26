/** Routes of an audit: what is held here, and the changes that heal what it finds elsewhere. */
import {
  changedRequestSchema,
  repairRequestSchema,
  type changedResponseSchema,
  type repairResponseSchema,
} from "@kattegat/protocol/holdings.ts";
import { keepersOnly, operatorOnly } from "@kattegat/protocol/hono/answers-only.ts";
import { requestIdOf } from "@kattegat/protocol/hono/problems.ts";
import { streamLines } from "@kattegat/protocol/hono/stream-lines.ts";
import { compareSequences } from "@kattegat/protocol/sequence.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { Hono } from "hono";
import type { z } from "zod";
import { lastChanges, readHoldings } from "../audit/holdings.ts";
import { parseBytes, readBody } from "../documents/body.ts";
import { withPostgres } from "../postgres/failure.ts";
import type { Primary } from "../primary.ts";
import type { OpenedPrimary, Variables } from "./app.ts";

/** Five hundred of the longest ids, with the sites of a large network. */
const BODY_BYTES_MAX = 2 * 1_024 * 1_024;

export function holdingRoutes(
  app: Hono<Variables>,
  opened: OpenedPrimary,
  { report }: { readonly report: (error: unknown, requestId: string) => void },
): void {
  app.get("/internal/holdings", operatorOnly, (context) =>
    streamLines(context, readHoldings(opened()), (error) => report(error, requestIdOf(context))),
  );
  app.post("/internal/holdings:changed", keepersOnly, async (context) => {
    const body = await readBody(context.req.raw.body, { bytesMax: BODY_BYTES_MAX });
    const { documents } = parseBytes(changedRequestSchema, body);
    const changes = await withPostgres(lastChanges(opened(), documents));
    return context.json({ changes: [...changes] } satisfies z.infer<typeof changedResponseSchema>);
  });
  app.post("/internal/holdings:repair", operatorOnly, async (context) => {
    const body = await readBody(context.req.raw.body, { bytesMax: BODY_BYTES_MAX });
    const { documents } = parseBytes(repairRequestSchema, body);
    return context.json(await repair(opened(), documents));
  });
}

async function repair(
  { writer, network, applied }: Primary,
  documents: z.infer<typeof repairRequestSchema>["documents"],
): Promise<z.infer<typeof repairResponseSchema>> {
  const known = new Set(network.sites.map(({ id }) => id));
  const unknown = documents.flatMap(({ from }) => from.filter((site) => !known.has(site)))[0];
  if (unknown !== undefined)
    throw new KattegatError("bad_request", "Expected sites that the network file lists.", {
      errors: [{ pointer: "/documents", detail: `there is no site ${unknown.slice(0, 64)}` }],
    });
  const fates = await Promise.all(
    documents.map(({ document_id: id, class: residency, from }) =>
      writer.submit({ kind: "repair", id, residency, from }),
    ),
  );
  const sequences = fates.flatMap((fate) => (fate.kind === "effect" ? [fate.effect.sequence] : []));
  return {
    sequence: sequences.toSorted(compareSequences).at(-1) ?? applied.head.fence.sequence,
    written: sequences.length,
  };
}

/** What an audit asks the zone's bucket for beside manifests and objects, which replication's routes give. */
import { modelsOf } from "@kattegat/config/models.ts";
import type { Network } from "@kattegat/config/network.ts";
import { keysOf } from "@kattegat/engine/cold/manifest.ts";
import { embeddingKeys } from "@kattegat/engine/embedding/learned/artefact-names.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { HoldingLine, ObjectLine } from "@kattegat/protocol/holdings.ts";
import { operatorOnly } from "@kattegat/protocol/hono/answers-only.ts";
import { streamLines } from "@kattegat/protocol/hono/stream-lines.ts";
import { requestIdOf } from "@kattegat/protocol/hono/problems.ts";
import type { Hono } from "hono";
import { FORMER_MANIFEST_KEY } from "../cold/manifest-key.ts";
import { manifestsIn } from "../cold/manifests.ts";
import type { Edge } from "../edge.ts";
import { allowOnly } from "../http/methods.ts";

const OBJECT = "/internal/holdings/object";
/** R2 has no longer ones. */
const KEY_BYTES_MAX = 1_024;

/** Stands behind the check of the site token that the routes of replication begin with. */
export function holdingRoutes(app: Hono, edge: Edge): void {
  const { bucket, settings, report } = edge;
  app.get("/internal/holdings", operatorOnly, (context) =>
    streamLines(context, objectsIn(bucket, settings.network), (error) => report(error, requestIdOf(context))),
  );
  app.delete(OBJECT, operatorOnly, async (context) => {
    const key = context.req.query("key") ?? "";
    const bytes = new TextEncoder().encode(key).byteLength;
    if (bytes === 0 || bytes > KEY_BYTES_MAX)
      throw new KattegatError("bad_request", `Expected a key of 1 to ${KEY_BYTES_MAX} bytes.`);
    const named = (await namesIn(bucket, settings.network)).get(key);
    if (named !== undefined)
      throw new KattegatError("conflict", `${key.slice(0, 128)} is named by a ${named}; it stays.`);
    await bucket.delete(key);
    return context.body(null, 204);
  });
  allowOnly(app, "/internal/holdings", ["GET"]);
  allowOnly(app, OBJECT, ["DELETE"]);
}

type Named = Exclude<ObjectLine["named"], "nothing">;

/** Read after the objects: what was published meanwhile is named, what was taken back is garbage. */
async function namesIn(bucket: R2Bucket, network: Network): Promise<ReadonlyMap<string, Named>> {
  const names = new Map<string, Named>([[FORMER_MANIFEST_KEY, "manifest"]]);
  for (const { model } of modelsOf(network))
    for (const key of Object.values(embeddingKeys(model) ?? {})) names.set(key, "network");
  for (const { key, manifest } of await manifestsIn(bucket)) {
    for (const garbage of manifest.garbage) names.set(garbage.key, "garbage");
    for (const named of [key, ...keysOf(manifest)]) names.set(named, "manifest");
  }
  return names;
}

async function* objectsIn(bucket: R2Bucket, network: Network): AsyncGenerator<HoldingLine> {
  const objects: R2Object[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await bucket.list(cursor === undefined ? {} : { cursor });
    objects.push(...page.objects);
    if (!page.truncated) break;
    cursor = page.cursor;
  }
  const names = await namesIn(bucket, network);
  for (const { key, size, uploaded } of objects)
    yield {
      kind: "object",
      key,
      bytes: size,
      uploaded_at: uploaded.toISOString(),
      named: names.get(key) ?? "nothing",
    };
  yield { kind: "end" };
}

/** The route by which targets get the trained embedding. */
import { openAsBlob } from "node:fs";
import { join } from "node:path";
import { headName, rowsName } from "@kattegat/engine/embedding/learned/artefact-names.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { Hono } from "hono";
import type { OpenedPrimary, Variables } from "./app.ts";

export function embeddingRoutes(app: Hono<Variables>, opened: OpenedPrimary): void {
  app.get("/internal/embeddings/:name", async (context) => {
    const { embeddings, network } = opened();
    const { provider, model } = network.embedding;
    const name = context.req.param("name");
    // Compared, never joined as it came: the folder's other files are nobody's business.
    const file = [headName(model), rowsName(model)].find((known) => known === name);
    if (provider !== "learned" || file === undefined)
      throw new KattegatError("not_found", `The network's model is ${model}; it has no such object.`);
    const blob = await openAsBlob(join(embeddings, file));
    return context.body(blob.stream(), 200, {
      "content-type": "application/octet-stream",
      "content-length": String(blob.size),
    });
  });
}

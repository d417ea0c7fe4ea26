/** The route by which targets get the trained embedding. */
import { openAsBlob } from "node:fs";
import { join } from "node:path";
import { modelsOf } from "@kattegat/config/models.ts";
import { headName, rowsName } from "@kattegat/engine/embedding/learned/artefact-names.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { Hono } from "hono";
import type { OpenedPrimary, Variables } from "./app.ts";

export function embeddingRoutes(app: Hono<Variables>, opened: OpenedPrimary): void {
  app.get("/internal/embeddings/:name", async (context) => {
    const { embeddings, network } = opened();
    const name = context.req.param("name");
    const trained = modelsOf(network).filter(({ provider }) => provider === "learned");
    // Compared, never joined as it came: the folder's other files are nobody's business.
    const file = trained
      .flatMap(({ model }) => [headName(model), rowsName(model)])
      .find((known) => known === name);
    if (file === undefined)
      throw new KattegatError(
        "not_found",
        `The network's model is ${modelsOf(network)
          .map(({ model }) => model)
          .join(", then ")}; it has no such object.`,
      );
    const blob = await openAsBlob(join(embeddings, file));
    return context.body(blob.stream(), 200, {
      "content-type": "application/octet-stream",
      "content-length": String(blob.size),
    });
  });
}

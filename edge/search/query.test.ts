import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseNetwork } from "@kattegat/config/load.ts";
import { createOpenAiEmbedder } from "@kattegat/engine/embedding/openai.ts";
import { emptyStatistics } from "@kattegat/engine/lexical/statistics.ts";
import { searchRequestSchema } from "@kattegat/protocol/search.ts";
import { describe, expect, it } from "vitest";
import { createSubrequests } from "../cold/subrequests.ts";
import { createPlainQueryEmbedder } from "../embedding/query-embedder.ts";
import { prepareQuery, type PreparedQuery } from "./query.ts";

const network = parseNetwork(
  readFileSync(join(import.meta.dirname, "..", "..", "config", "network.yaml"), "utf8"),
);
const unreachable = createOpenAiEmbedder({
  url: "http://127.0.0.1:9/v1",
  model: "m",
  dimensions: 384,
  fetch: () => Promise.reject(new Error("no connection")),
});

function prepared(body: object): Promise<PreparedQuery> {
  return prepareQuery(searchRequestSchema.parse({ query: "frist for klage", ...body }), {
    network,
    embedder: createPlainQueryEmbedder(unreachable),
    statistics: emptyStatistics(),
    session: {
      colo: "CPH",
      endsAt: Date.now() + 1_000,
      defer: () => undefined,
      subrequests: createSubrequests(),
    },
  });
}

describe("a query that cannot be embedded", () => {
  it("ranks by its words where the mode has words, and says so (I7)", async () => {
    const { dense, lexical, shortfall } = await prepared({ mode: "hybrid" });
    expect(dense).toBeNull();
    expect(lexical?.indices.length).toBeGreaterThan(0);
    expect(shortfall).toContain("ranked by words alone: The embedding endpoint gave no vector");
  });

  it("is refused where the mode is the vector alone", async () => {
    await expect(prepared({ mode: "dense" })).rejects.toMatchObject({ code: "unavailable" });
  });

  it("needs no vector for words alone, or when it brings its own", async () => {
    expect(await prepared({ mode: "lexical" })).toMatchObject({ dense: null, shortfall: null });
    const vector = [1, ...new Array<number>(383).fill(0)];
    expect(await prepared({ mode: "hybrid", vector })).toMatchObject({ shortfall: null, isWhole: true });
  });
});

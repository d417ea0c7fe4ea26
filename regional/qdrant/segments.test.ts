import { createServer, type Server } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { NodePool } from "./node-pool.ts";
import { segmentsOf } from "./segments.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A node that tells this of its shards of the collection `passages`. */
async function node(shards: readonly object[] | null, status = "green"): Promise<string> {
  const collections = { collections: [{ id: "passages", shards }] };
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ result: { collections, status }, status: "ok", time: 0 }));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

const segment = (uuid: string, deleted: number) => ({ info: { uuid, num_deleted_vectors: deleted } });
const local = (...segments: readonly object[]) => ({ local: { segments }, remote: [{}] });
const poolOf = (urls: readonly string[]): NodePool =>
  new NodePool({ urls, apiKey: null, now: Date.now, random: Math.random, report: () => {} });

describe("the segments of a collection", () => {
  it("are those of every replica on every node (I24)", async () => {
    const first = await node([{ id: 0, ...local(segment("a", 1)) }]);
    const second = await node([{ id: 0, ...local(segment("b", 0), segment("c", 2)) }]);
    expect(await segmentsOf(poolOf([first, second]), "passages")).toEqual([
      { uuid: "a", deleted: 1 },
      { uuid: "b", deleted: 0 },
      { uuid: "c", deleted: 2 },
    ]);
  });

  it("are not known while a node rewrites some, or when two addresses are of one node (I24)", async () => {
    const alone = [{ id: 0, local: { segments: [segment("a", 0)] }, remote: [] }];
    expect(await segmentsOf(poolOf([await node(alone)]), "passages")).toEqual([{ uuid: "a", deleted: 0 }]);
    expect(await segmentsOf(poolOf([await node(alone, "yellow")]), "passages")).toBeNull();
    const twice = [{ id: 0, ...local(segment("a", 0)) }];
    expect(await segmentsOf(poolOf([await node(twice), await node(twice)]), "passages")).toBeNull();
  });

  it("are not known while a replica is on a node that is not, or a node does not say (I24)", async () => {
    const known = await node([{ id: 0, ...local(segment("a", 0)) }]);
    expect(await segmentsOf(poolOf([known]), "passages")).toBeNull();
    expect(await segmentsOf(poolOf([known, await node(null)]), "passages")).toBeNull();
    const silent = await node([{ id: 0, local: { segments: null }, remote: [{}] }]);
    expect(await segmentsOf(poolOf([known, silent]), "passages")).toBeNull();
    await expect(segmentsOf(poolOf([known, "http://127.0.0.1:1"]), "passages")).rejects.toMatchObject({
      code: "unavailable",
    });
  });
});

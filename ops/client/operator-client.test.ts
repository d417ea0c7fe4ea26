import { once } from "node:events";
import { createServer } from "node:http";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { problemOf } from "@kattegat/protocol/problem.ts";
import { OPERATOR } from "@kattegat/protocol/site-token.ts";
import { decodeJwt, exportJWK, generateKeyPair } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { NetworkStatus } from "@kattegat/protocol/network-status.ts";
import { operatorClients, type OperatorClient } from "./operator-client.ts";

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly body: string;
  readonly token: string;
}

const asked: Asked[] = [];
const server = createServer((request, response) => {
  const { method = "", url = "", headers } = request;
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const token = (headers.authorization ?? "").replace("Bearer ", "");
    asked.push({ method, url, body: Buffer.concat(parts).toString("utf8"), token });
    if (url.startsWith("/lines")) response.end('{"a":1}\n\n{"a":2}\n');
    else if (url.startsWith("/json")) response.end('{"a":1}');
    else {
      response.writeHead(404);
      response.end(JSON.stringify(problemOf(new KattegatError("not_found", "nothing here"), "test")));
    }
  });
});

let clients: (site: string) => OperatorClient | null;
beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const site = (id: string, url: string | null): NetworkStatus["sites"][number] => ({
    id,
    kind: "primary",
    country: "DK",
    city: null,
    tiers: [],
    health: "ok",
    epoch: 3,
    watermark: "1",
    lag_ms: 0,
    lag_changes: 0,
    parked: 0,
    url,
  });
  const { privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  clients = operatorClients(
    {
      epoch: 3,
      sites: [
        site("dk-cph", `http://127.0.0.1:${port}`),
        site("gone", "http://127.0.0.1:1"),
        site("dk-aar", null),
      ],
    },
    { privateJwk: { ...(await exportJWK(privateKey)), kid: "ops" } },
  );
});
afterAll(() => server.close());

function clientOf(site: string): OperatorClient {
  const client = clients(site);
  if (client === null) throw new Error(`expected an address of ${site}`);
  return client;
}

const shape = z.object({ a: z.int() });

describe("the operator's client of a site", () => {
  it("asks by GET, or by POST with a body, signed by the operator for that site and epoch", async () => {
    const primary = clientOf("dk-cph");
    expect(await primary.json(shape, "/json", { query: { document: "a b&c" } })).toEqual({ a: 1 });
    expect(await primary.json(shape, "/json", { body: { documents: ["x"] } })).toEqual({ a: 1 });
    expect(asked).toMatchObject([
      { method: "GET", url: "/json?document=a+b%26c", body: "" },
      { method: "POST", url: "/json", body: '{"documents":["x"]}' },
    ]);
    for (const { token } of asked)
      expect(decodeJwt(token)).toMatchObject({ iss: OPERATOR, aud: "dk-cph", epoch: 3 });
  });

  it("reads a page of lines, empty ones left out", async () => {
    expect(await clientOf("dk-cph").lines("/lines")).toEqual(['{"a":1}', '{"a":2}']);
  });

  it("throws what the site says, what it said in another form, and that it is silent", async () => {
    const primary = clientOf("dk-cph");
    await expect(primary.json(shape, "/nothing")).rejects.toMatchObject({ code: "not_found" });
    await expect(primary.json(z.object({ b: z.int() }), "/json")).rejects.toMatchObject({ code: "internal" });
    await expect(clientOf("gone").json(shape, "/json")).rejects.toMatchObject({ code: "unavailable" });
  });

  it("is none for a site whose address the network does not tell", () => {
    expect(clients("dk-aar")).toBe(null);
    expect(clients("never-was")).toBe(null);
  });
});

/** Questions to an edge whose buckets are in trouble, each put where nothing is cached. */
import { join } from "node:path";
import { searchResponseSchema, type SearchResponse } from "@kattegat/protocol/search.ts";
import { expect } from "vitest";
import { startEdge, type EdgeHost, type Zone } from "./edge-host.fixture.ts";
import type { Faults } from "./faulty-worker.fixture.ts";
import type { Account } from "./instrumented-worker.fixture.ts";

export interface Place {
  readonly isolate: string;
  readonly colo: string;
}

export interface FaultyEdge {
  readonly edge: EdgeHost;
  /** An isolate that has just begun, at a location that nobody asked at before. */
  newPlace(): Place;
  ask(body: object, place: Place, zone?: Zone): Promise<SearchResponse>;
  /** Null heals. */
  tell(faults: Faults | null): Promise<void>;
  accountSoFar(zone?: Zone): Promise<Account>;
  /** Of the last question, when all is done that it left for later. */
  account(zone?: Zone): Promise<Account>;
}

export async function startFaultyEdge(): Promise<FaultyEdge> {
  const edge = await startEdge((network) => network, {
    entry: join(import.meta.dirname, "faulty-worker.fixture.ts"),
  });
  let places = 0;
  const accountSoFar = async (zone: Zone = "global"): Promise<Account> =>
    (await edge.fetch(zone, "/test/account")).json();
  return {
    accountSoFar,
    edge,
    newPlace() {
      places += 1;
      const letter = (at: number): string => String.fromCodePoint(65 + (Math.floor(places / 26 ** at) % 26));
      return { isolate: `isolate-${places}`, colo: letter(2) + letter(1) + letter(0) };
    },
    async ask(body, { isolate, colo }, zone = "global") {
      const headers = { "x-test-isolate": isolate, "x-kattegat-caller-colo": colo };
      const response = await edge.search(
        { tiers: ["cold"], timeout_ms: 10_000, explain: true, ...body },
        { zone, headers },
      );
      expect(response.status).toBe(200);
      return searchResponseSchema.parse(await response.json());
    },
    async tell(faults) {
      await edge.fetch("global", "/test/faults", { method: "PUT", body: JSON.stringify(faults) });
    },
    async account(zone) {
      await expect.poll(async () => (await accountSoFar(zone)).isDone, { timeout: 10_000 }).toBe(true);
      return accountSoFar(zone);
    },
  };
}

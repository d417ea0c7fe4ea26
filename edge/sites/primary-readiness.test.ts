import { KattegatError } from "@kattegat/protocol/errors.ts";
import { describe, expect, it } from "vitest";
import { CLOSED, type BreakerState } from "./breaker.ts";
import { createPrimaryReadiness } from "./primary-readiness.ts";

const CONTEXT = { requestId: "r", traceparent: "t" };

function primaryAt(clock: { ms: number }): {
  asked: number;
  ready: boolean;
  breaker: BreakerState;
  fault: () => Promise<string | null>;
} {
  const primary = { asked: 0, ready: true, breaker: CLOSED, fault: () => readiness.fault(CONTEXT) };
  const readiness = createPrimaryReadiness({
    primary: "dk-cph",
    now: () => clock.ms,
    sites: {
      async send(site) {
        primary.asked += 1;
        if (primary.breaker.kind === "open") throw new KattegatError("unavailable", `${site} is silent.`);
        return Response.json(
          primary.ready ? { status: "ok" } : { status: "not ready", reason: "it is being rebuilt" },
          { status: primary.ready ? 200 : 503 },
        );
      },
      ask: () => Promise.reject(new Error("not asked here")),
      stateOf: () => primary.breaker,
    },
  });
  return primary;
}

describe("the primary's readiness at an edge", () => {
  it("asks the primary once for all questions of a second", async () => {
    const clock = { ms: 1_000 };
    const primary = primaryAt(clock);
    expect([await primary.fault(), await primary.fault(), await primary.fault()]).toEqual([null, null, null]);
    expect(primary.asked).toBe(1);
    clock.ms += 1_000;
    primary.ready = false;
    expect(await primary.fault()).toBe("dk-cph is not ready: it is being rebuilt");
    expect(primary.asked).toBe(2);
  });

  it("does not repeat a yes once the primary has been silent to somebody else's request", async () => {
    const primary = primaryAt({ ms: 1_000 });
    expect(await primary.fault()).toBeNull();
    primary.breaker = { kind: "open", untilMs: 9_000 };
    expect(await primary.fault()).toBe("dk-cph is silent");
  });
});

import { KattegatError } from "@kattegat/protocol/errors.ts";
import { describe, expect, it } from "vitest";
import { openUntilDone, type Opening } from "./open.ts";
import type { Primary } from "./primary.ts";

/** Fails with one error after the other, then never ends. */
function opening(errors: readonly unknown[]): { readonly opening: Opening; readonly reported: unknown[] } {
  const reported: unknown[] = [];
  const left = [...errors];
  return {
    reported,
    opening: openUntilDone({
      open: () => (left.length > 0 ? Promise.reject(left.shift()) : new Promise<Primary>(() => undefined)),
      sleep: () => Promise.resolve(),
      report: (error) => reported.push(error),
    }),
  };
}

const coded = (code: string): Error => Object.assign(new Error(code), { code });

describe("opening the primary", () => {
  it("tries again for as long as the fault is Postgres' own", async () => {
    const faults = [
      coded("ECONNREFUSED"),
      coded("CONNECT_TIMEOUT"),
      coded("57P03"),
      new KattegatError("unavailable", "Postgres does not answer.", { cause: coded("53300") }),
      new Error("a query failed", { cause: coded("08006") }),
    ];
    const { opening: state, reported } = opening(faults);
    await expect.poll(() => reported).toHaveLength(faults.length);
    expect(state.state()).toMatch(/^Postgres cannot be used: 08006/);
    state.cancel();
  });

  it("ends with the true cause when trying again cannot mend it", async () => {
    const cause = new Error("embedding.model: expected hashed-384-v1");
    const { opening: state } = opening([coded("ECONNREFUSED"), cause]);
    await expect(state.opened).rejects.toBe(cause);
    expect(state.state()).toBe("embedding.model: expected hashed-384-v1");
  });

  it("does not take an error of the program for one of Postgres", async () => {
    const { opening: state } = opening([coded("ERR_INVALID_ARG_TYPE")]);
    await expect(state.opened).rejects.toThrow("ERR_INVALID_ARG_TYPE");
  });
});

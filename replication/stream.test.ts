import fc from "fast-check";
import type { FeedHead } from "@kattegat/protocol/changes.ts";
import { ERROR_KINDS, isErrorCode } from "@kattegat/protocol/errors.ts";
import { describe, expect, it } from "vitest";
import { put, skip, withdraw } from "./fakes.fixture.ts";
import { applying, at, EVENTS, head, STATES } from "./stream.fixture.ts";
import { INITIAL, next, outgoing, type ApplyingState, type State, type StreamEvent } from "./stream.ts";

const failed = (
  code: "bad_vector" | "divergence" | "stale_epoch" | "unauthenticated" | "too_large",
): StreamEvent => ({ name: "failed", code, detail: "no" });
const read = (
  changes: ApplyingState["changes"],
  options: { readonly head?: FeedHead } = {},
): StreamEvent => ({
  name: "feed-read",
  changes,
  head: options.head ?? head(9),
});

describe("a stream", () => {
  it("counts failures in a row, forgets them when a batch is in", () => {
    let state: State = INITIAL;
    for (let failure = 1; failure <= 3; failure += 1) {
      state = next(state, EVENTS.failed);
      expect(state).toMatchObject({ name: "backing-off", failures: failure });
      state = next(state, EVENTS["delay-passed"]);
    }
    state = next(next(state, EVENTS["watermark-read"]), EVENTS["feed-read"]);
    expect(state).toMatchObject({ name: "applying", failures: 3 });
    state = next(state, { name: "applied", watermark: at(5) });
    state = next(next(state, EVENTS["delay-passed"]), EVENTS.failed);
    expect(state).toMatchObject({ name: "backing-off", failures: 1 });
  });

  it("waits with a long poll once there is nothing to read", () => {
    expect(next(STATES.reading, read([]))).toMatchObject({ name: "waiting" });
  });

  it("asks the target where it is after each long poll, so that one which went back catches up while nobody writes (I8)", () => {
    expect(next(STATES.waiting, read([]))).toEqual({ name: "starting", failures: 0 });
  });

  it("rests behind a batch that reached the head, so that the next one grows; not behind one that did not", () => {
    const level: State = { ...applying, head: head(7) };
    expect(next(level, EVENTS.applied)).toMatchObject({ name: "resting", progress: { position: at(7) } });
    const behind: State = { ...applying, head: head(8) };
    expect(next(behind, EVENTS.applied)).toMatchObject({ name: "reading", progress: { position: at(7) } });
  });

  it("brings the first change after a quiet time at once", () => {
    expect(next(STATES.waiting, read([put(5)]))).toMatchObject({ name: "applying", take: 1 });
  });

  it("reads on behind what the target has taken, stored or not", () => {
    const after = next(
      { ...applying, changes: [skip(5), skip(6)], take: 2 },
      { name: "applied", watermark: at(4) },
    );
    expect(after).toMatchObject({ name: "reading", progress: { watermark: at(4), position: at(6) } });
  });

  it("stores a deferred watermark when the log is quiet", () => {
    const deferred: State = { name: "waiting", progress: { watermark: at(4), position: at(6) } };
    const flush = next(deferred, read([]));
    expect(flush).toMatchObject({ name: "applying", changes: [], take: 0 });
    expect(next(flush, { name: "applied", watermark: at(6) })).toMatchObject({
      progress: { watermark: at(6), position: at(6) },
    });
  });

  it.each(["divergence", "stale_epoch"] as const)("halts at %s, whatever it was doing (I2)", (code) => {
    for (const state of [STATES.starting, STATES.reading, STATES.waiting, STATES.applying]) {
      expect(next(state, failed(code))).toMatchObject({ name: "halted", code });
    }
  });

  it("halts when the feed is of an earlier reign than the target (I2)", () => {
    const state: State = {
      ...STATES.reading,
      progress: { watermark: { epoch: 2, sequence: "4" }, position: { epoch: 2, sequence: "4" } },
    };
    expect(next(state, read([], { head: head(9, 1) }))).toMatchObject({
      name: "halted",
      code: "stale_epoch",
    });
  });

  it("halts when the log ends before the target does (I2)", () => {
    expect(next(STATES.reading, read([], { head: head(3) }))).toMatchObject({
      name: "halted",
      code: "divergence",
    });
    expect(next(STATES.reading, read([], { head: head(4) }))).toMatchObject({ name: "waiting" });
  });

  it("halts when the feed repeats or reorders changes (I1)", () => {
    expect(next(STATES.reading, read([put(4)]))).toMatchObject({ name: "halted", code: "divergence" });
    expect(next(STATES.reading, read([put(6), put(5)]))).toMatchObject({
      name: "halted",
      code: "divergence",
    });
  });

  it("halves a refused batch down to its poison, replaces that by a withdraw, grows back (I15)", () => {
    const changes = [put(5), put(6), put(7), put(8)];
    let state: State = { ...applying, changes, take: 4 };
    state = next(state, failed("bad_vector"));
    expect(state).toMatchObject({ take: 2 });
    state = next(state, failed("bad_vector"));
    expect(state).toMatchObject({ take: 1, parking: null });
    state = next(state, failed("bad_vector"));
    if (state.name !== "applying") throw new Error("expected applying");
    expect(outgoing(state)).toEqual([
      {
        kind: "withdraw",
        epoch: 1,
        sequence: "5",
        committed_at: changes[0]?.committed_at,
        document_id: "d5",
        reason: "reclassified",
      },
    ]);
    state = next(state, { name: "applied", watermark: at(5) });
    expect(state).toMatchObject({ take: 2, parking: null, changes: changes.slice(1) });
  });

  it("never replaces a withdraw or a skip (I9)", () => {
    for (const change of [withdraw(5, "d1"), skip(5)]) {
      expect(next({ ...applying, changes: [change], take: 1 }, failed("too_large")).name).toBe("backing-off");
    }
  });

  it("blames no change for a refusal of the sender", () => {
    expect(next({ ...applying, take: 1 }, failed("unauthenticated")).name).toBe("backing-off");
  });

  it("drops what another replication has applied meanwhile", () => {
    expect(next({ ...applying, take: 1 }, { name: "applied", watermark: at(7) })).toMatchObject({
      name: "reading",
      progress: { watermark: at(7), position: at(7) },
    });
  });

  it("never moves its position past a change that the target has not taken, for any events (I8)", () => {
    const code = fc.constantFrom(...Object.keys(ERROR_KINDS).filter(isErrorCode));
    const event = fc.oneof(
      fc.constantFrom<StreamEvent>(EVENTS["watermark-read"], EVENTS["delay-passed"]),
      fc.record({ name: fc.constant("failed" as const), code, detail: fc.constant("x") }),
      fc.constant({ name: "applied" } as const),
      fc.constant({ name: "feed" } as const),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let state: State = INITIAL;
        const taken = new Set<string>();
        for (const given of events) {
          if (given.name === "applied" && state.name === "applying")
            for (const { sequence } of outgoing(state)) taken.add(sequence);
          const from =
            state.name === "reading" || state.name === "waiting"
              ? Number(state.progress.position.sequence)
              : 4;
          if (given.name === "feed")
            state = next(
              state,
              read([put(from + 1), withdraw(from + 2, "d1"), put(from + 3)], { head: head(from + 3) }),
            );
          else if (given.name === "applied") {
            const last = state.name === "applying" ? outgoing(state).at(-1) : undefined;
            state = next(state, {
              name: "applied",
              watermark: last === undefined ? at(4) : at(Number(last.sequence)),
            });
          } else state = next(state, given);
          if (!("progress" in state)) continue;
          for (let sequence = 5; sequence <= Number(state.progress.position.sequence); sequence += 1) {
            if (state.progress.watermark.sequence !== "4") expect(taken).toContain(String(sequence));
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

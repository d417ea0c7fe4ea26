import { keyOf } from "@kattegat/engine/digests/copy-digest.ts";
import { encodeKey, type CopyPlace, type ScrubPlace } from "@kattegat/protocol/digests.ts";
import { parseShape } from "@kattegat/protocol/parse.ts";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { never } from "../edge-target.fixture.ts";
import { readCopies, Scrubbing } from "./held-reading.ts";
import type { Ask } from "./source.ts";

/** Answers each question by what is given; the answers are parsed as those of a site are. */
function asking<Body>(answer: (path: string, body: Body) => object): Ask {
  return async (path, body, { schema }) =>
    parseShape(schema, await Promise.resolve(answer(path, z.custom<Body>().parse(body))), "internal");
}

const copy = (id: string) => ({
  document_id: id,
  version: "1",
  class: "eu",
  digest: null,
  passages: null,
  damaged: 0,
});
const key = (id: string): string => encodeKey(keyOf(id));
const at = (sequence: number) => ({ epoch: 1, sequence: String(sequence) });

interface CopiesBody {
  readonly keys: readonly string[];
  readonly documents: readonly string[];
  readonly from?: CopyPlace;
}

describe("copies that take more than one answer", () => {
  const asked = { model: "m", keys: [key("a"), key("b")], documents: ["c"] };

  it("are asked for until each is told, as of the earliest place of the log (I25)", async () => {
    const places: (CopyPlace | null)[] = [];
    const ask = asking((_, { keys, documents, from }: CopiesBody) => {
      places.push(from ?? null);
      if (from !== undefined) return { position: at(7), copies: [copy("b")], left: [], next: null };
      if (keys.length === 2)
        return { position: at(5), copies: [copy("a")], left: [key("b"), key("c")], next: null };
      expect([keys, documents]).toEqual([[key("b")], ["c"]]);
      const next = { object: "bases/x", row: 9, damaged: 2 };
      return { position: at(6), copies: [copy("c")], left: [key("b")], next };
    });
    const { copies, position } = await readCopies(ask, asked, never);
    expect(copies.map(({ document_id: id }) => id)).toEqual(["a", "c", "b"]);
    expect(position).toEqual(at(5));
    expect(places).toEqual([null, null, { object: "bases/x", row: 9, damaged: 2 }]);
  });

  it("are given up where a site tells of none", async () => {
    const ask = asking((_, { keys }: CopiesBody) => ({
      position: at(5),
      copies: [],
      left: keys,
      next: null,
    }));
    await expect(readCopies(ask, { ...asked, documents: [] }, never)).rejects.toThrow("tells of a copy");
    let row = 0;
    const endless = asking((_, { keys }: CopiesBody) => {
      const next = { object: "bases/x", row: (row += 1), damaged: 0 };
      return { position: at(5), copies: [], left: keys, next };
    });
    await expect(readCopies(endless, { ...asked, documents: [] }, never)).rejects.toThrow("answers at most");
  });
});

describe("a scrub", () => {
  interface ScrubBody {
    readonly from: ScrubPlace | null;
    readonly rows: number;
  }

  it("reads a round's rows in as many answers as they take", async () => {
    const ask = asking((_, { from, rows }: ScrubBody) => {
      const row = (from?.row ?? 0) + Math.min(rows, 256);
      return { next: { object: "o", row }, rows: Math.min(rows, 256), suspects: [`d${row}`] };
    });
    const scrubbing = new Scrubbing(ask, "m");
    expect(await scrubbing.read(never)).toEqual(["d256", "d512", "d768", "d1000"]);
    expect(await scrubbing.read(never)).toContain("d2000");
  });

  it.each([
    ["a few rows", 10, 24],
    ["a whole object's worth of rows", 3_000, 2_000],
  ])(
    "leaves what cannot be read after three rounds, %s: nothing behind it goes unread (I25)",
    async (_name, lost, passedMax) => {
      const end = 8_000;
      const seen = new Set<number>();
      const ask = asking((_, { from, rows }: ScrubBody) => {
        const row = from?.row ?? 0;
        const last = Math.min(end, row + Math.min(rows, 256));
        if (row < 1_000 + lost && last > 1_000) throw new Error("a page is lost");
        for (let read = row; read < last; read += 1) seen.add(read);
        return { next: last < end ? { object: "o", row: last } : null, rows: last - row, suspects: [] };
      });
      const scrubbing = new Scrubbing(ask, "m");
      for (let round = 0; round < 60 && !seen.has(end - 1); round += 1)
        await scrubbing.read(never).catch(() => undefined);
      expect(seen.has(end - 1)).toBe(true);
      expect(end - lost - seen.size).toBeLessThanOrEqual(passedMax);
    },
  );
});

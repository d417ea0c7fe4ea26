import { deflateRawSync } from "node:zlib";
import type { Filter } from "@kattegat/protocol/filter.ts";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { matches } from "../../../filter/compile.ts";
import { countBits } from "../../../index/bitmap.ts";
import { ColdFormatError } from "../../format-error.ts";
import { pointOf, randomPassages } from "./document-filter.fixture.ts";
import { packText } from "./document-frame.ts";
import { openDocuments } from "./document-part.ts";
import { selectedRows, type WrittenDocuments, writtenDocuments } from "./document.fixture.ts";
import type { BaseHit } from "../parts.ts";
import type { ReadPieces } from "../piece.ts";

function hit(documentId: string, fields: Partial<BaseHit> = {}): BaseHit {
  return {
    documentId,
    ordinal: 1,
    version: "7",
    epoch: 1,
    residency: "eu",
    collection: "default",
    lang: "da",
    publishedAt: null,
    title: `Title of ${documentId}`,
    text: `Text of ${documentId}`,
    metadata: {},
    ...fields,
  };
}

async function all<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe("a base's documents", () => {
  it("come back from their rows as they were written", async () => {
    await fc.assert(
      fc.asyncProperty(randomPassages, async (rows) => {
        const { part, files } = await writtenDocuments(rows);
        expect(await part.hits([...rows.keys()].toReversed(), files.read)).toEqual(rows.toReversed());
        expect(await all(part.readRows({ from: 0, to: rows.length }, files.read))).toEqual(rows);
        expect(await all(part.readRows({ from: 1, to: rows.length - 1 }, files.read))).toEqual(
          rows.slice(1, -1),
        );
        const firsts = rows.filter(
          ({ documentId }, at) => rows.findIndex((row) => row.documentId === documentId) === at,
        );
        const listed = await all(part.documentsOf(files.read));
        expect(listed.toSorted((left, right) => left.document - right.document)).toMatchObject(
          firsts.map(({ documentId, version, epoch }, document) => ({
            documentId,
            version,
            epoch,
            document,
          })),
        );
        expect(rows.map((_, row) => part.documentOf(row))).toEqual(
          rows.map(({ documentId }) => firsts.findIndex((first) => first.documentId === documentId)),
        );
        expect(part.classes.toSorted()).toEqual(
          [...new Set(rows.map(({ residency }) => residency))].toSorted(),
        );
      }),
      { numRuns: 20, seed: 6 },
    );
  });

  it("cost nothing for what is the same everywhere", async () => {
    const { part, sections } = await writtenDocuments(["a", "b", "c"].map((id) => hit(id)));
    expect([...sections.values()].filter(({ byteLength }) => byteLength === 0)).toHaveLength(3);
    expect([0, 1, 2].map(part.documentOf)).toEqual([0, 1, 2]);
  });

  it("tell a field that is null from one that is left out, as a segment's payload does", async () => {
    const rows = [hit("a", { lang: null, metadata: { k: null } }), hit("b", { publishedAt: "2020-01-01" })];
    const { part, files } = await writtenDocuments(rows);
    const rowsWith = (filter: Filter) => selectedRows(part, filter, files.read);
    expect(await rowsWith({ must: { is_null: { key: "lang" } } })).toEqual([0]);
    expect(await rowsWith({ must: { is_null: { key: "published_at" } } })).toEqual([]);
    expect(await rowsWith({ must: { is_empty: { key: "published_at" } } })).toEqual([0]);
    expect(await rowsWith({ must: { is_null: { key: "metadata.k" } } })).toEqual([0]);
    expect(await rowsWith({ must: { is_empty: { key: "metadata.k" } } })).toEqual([0, 1]);
  });

  it("may have more keys than a base has columns", async () => {
    const rows = Array.from({ length: 400 }, (_, at) =>
      hit(`d-${at}`, { metadata: { [`key-${at}`]: at, all: at % 3, [`pair-${at >> 1}`]: { n: at } } }),
    );
    const { part, files } = await writtenDocuments(rows);
    for (const at of [0, 100, 256, 399]) {
      for (const filter of [
        { must: { key: `metadata.key-${at}`, match: { value: at } } },
        { must: { is_empty: { key: `metadata.key-${at}` } } },
        { must: { key: `metadata.pair-${at >> 1}.n`, range: { gte: 399 } } },
        {
          must: { nested: { key: `metadata.pair-${at >> 1}`, filter: { must: { is_empty: { key: "n" } } } } },
        },
        { must_not: { key: "metadata.all", match: { value: at % 3 } } },
      ]) {
        const expected = rows.flatMap((row, place) => (matches(filter, pointOf(row)) ? [place] : []));
        expect(await selectedRows(part, filter, files.read)).toEqual(expected);
      }
    }
  });

  it("are refused when a section of the root is cut off", async () => {
    const rows = Array.from({ length: 40 }, (_, at) =>
      hit(`d-${at % 20}`, { ordinal: at, residency: `class-${at % 7}`, collection: `c-${at % 3}` }),
    );
    const { sections } = await writtenDocuments(rows);
    expect(() => openDocuments(sections)).not.toThrow();
    for (const [name, bytes] of sections) {
      for (const cut of [bytes.subarray(0, bytes.length - 1), bytes.subarray(0, bytes.length >> 1)])
        expect(() => openDocuments(new Map([...sections, [name, cut]])), name).toThrow(ColdFormatError);
      const others = [...sections].filter(([other]) => other !== name);
      expect(() => openDocuments(new Map(others)), name).toThrow(ColdFormatError);
    }
  });

  it("may be compressed by another deflate", async () => {
    const rows = Array.from({ length: 50 }, (_, at) =>
      hit(`d-${at}`, { text: `Provision ${at} `.repeat(90) }),
    );
    const { part, files } = await writtenDocuments(rows, { deflate: (raw) => deflateRawSync(raw) });
    expect(await part.hits([...rows.keys()], files.read)).toEqual(rows);
  });

  it("may be none", async () => {
    const { part, files } = await writtenDocuments([]);
    expect([part.rows, part.documents, part.classes]).toEqual([0, 0, []]);
    expect(await selectedRows(part, { must_not: [{ has_id: ["a"] }] }, files.read)).toEqual([]);
    expect(await all(part.readRows({ from: 0, to: 0 }, files.read))).toEqual([]);
  });
});

/** Enough for many chunks, ids' pieces, blocks. */
const many = Array.from({ length: 6_000 }, (_, at) =>
  hit(`act-${(at * 7_919) % 6_000}`, {
    residency: at % 3 === 0 ? "global" : "eu",
    publishedAt: `20${String(at % 90).padStart(2, "0")}-01-01`,
    title: `Act ${at >> 4}`,
    text: `Provision ${at} `.repeat(20),
    metadata: {
      url: `https://example.org/acts/${"0".repeat(60)}/${at}`,
      number: at,
      kind: at % 10 === 0 ? "LOV" : "BEK",
      ...(at < 40 ? { long: `${at}-`.repeat(2_000) } : {}),
      list: [at % 50, "x"],
    },
  }),
);

describe("a base of many documents", () => {
  let written: WrittenDocuments;
  beforeAll(async () => {
    written = await writtenDocuments(many);
  });

  const CASES: readonly (readonly [string, Filter])[] = [
    [
      "one of many texts",
      { must: { key: "metadata.url", match: { value: `https://example.org/acts/${"0".repeat(60)}/4321` } } },
    ],
    [
      "a text that none has",
      { must: { key: "metadata.url", match: { value: "https://example.org/acts/5" } } },
    ],
    [
      "all texts but some",
      {
        must: {
          key: "metadata.url",
          match: { except: [`https://example.org/acts/${"0".repeat(60)}/7`, "x"] },
        },
      },
    ],
    ["a part of a text", { must: { key: "metadata.url", match: { text: "/43" } } }],
    ["one of many numbers", { must: { key: "metadata.number", match: { any: [5_999, 17, 6_000] } } }],
    ["a range of many numbers", { must: { key: "metadata.number", range: { gte: 900, lt: 1_100 } } }],
    ["a range of times", { must: { key: "published_at", range: { gte: "2080-06-01T00:00:00Z" } } }],
    ["elements of lists", { must: { key: "metadata.list", match: { value: 17 } } }],
    ["long texts", { must: { key: "metadata.long", match: { text: "17-" } } }],
    ["what has no long text", { must: { is_empty: { key: "metadata.long" } } }],
    ["ids", { must: { has_id: ["act-5", "act-5999", "act-77#1", "act-78#2", "act-6000"] } }],
    [
      "ids that are excluded, with a value",
      { must: { key: "metadata.kind", match: { value: "LOV" } }, must_not: { has_id: ["act-0", "act-10"] } },
    ],
    ["a class", { must: { key: "residency", match: { value: "global" } } }],
  ];

  it.each(CASES)("decides about %s as its semantics do", async (_, filter) => {
    const { part, files } = written;
    const expected = many.flatMap((row, at) => (matches(filter, pointOf(row)) ? [at] : []));
    expect(await selectedRows(part, filter, files.read)).toEqual(expected);
  });

  it("reads one chunk in one round for one of many values, nothing for what none has", async () => {
    const { part, files } = await writtenDocuments(many);
    const rounds: number[] = [];
    const read: ReadPieces = async (pieces) => {
      rounds.push(pieces.length);
      return await files.read(pieces);
    };
    await part.select({ must: { key: "metadata.number", match: { value: 3_000 } } }, read);
    expect(rounds).toEqual([2]);
    await part.select({ must: { has_id: ["act-3"] } }, read);
    expect(rounds).toEqual([2, 1]);
    for (const name of ["metadata.unknown", "unknown", "residency", "collection", "metadata", "document_id"])
      await part.select({ must_not: { key: name, match: { value: "eu" } } }, read);
    expect(rounds).toEqual([2, 1]);
    await part.select({ must: { key: "metadata.kind", match: { value: "LOV" } } }, read);
    expect(rounds).toEqual([2, 1, 1]);
  });

  it("reads a column once when it is given a memory", async () => {
    const memory = new Map<string, Uint8Array>();
    const { part, files } = await writtenDocuments(many, { memory });
    const filter: Filter = { must: { key: "metadata.url", match: { text: "/43" } } };
    const first = await selectedRows(part, filter, files.read);
    const readOnce = files.readPieces.length;
    expect(readOnce).toBeGreaterThan(2);
    expect(await selectedRows(part, filter, files.read)).toEqual(first);
    expect(files.readPieces.length).toBe(readOnce);
    expect(memory.size).toBe(readOnce);
  });

  it("answers null for what a missing piece held, the rest as ever", async () => {
    const { part, files } = await writtenDocuments(many);
    const expected = await part.hits([0, 5_999, 3_000], files.read);
    const [lost] = files.readPieces;
    files.damage((piece, bytes) => (piece === lost || piece.offset === lost?.offset ? null : bytes));
    expect(await part.hits([0, 5_999, 3_000], files.read)).toEqual([null, ...expected.slice(1)]);
    files.damage(() => null);
    expect(
      await part.select({ must: { key: "metadata.kind", match: { value: "LOV" } } }, files.read),
    ).toBeNull();
    expect(
      await part.select(
        { should: [{ key: "residency", match: { value: "eu" } }, { has_id: ["act-1"] }] },
        files.read,
      ),
    ).toBeNull();
    const eu = await part.select({ must: { key: "residency", match: { value: "eu" } } }, files.read);
    expect(eu === null ? 0 : countBits(eu)).toBe(4_000);
    await expect(all(part.documentsOf(files.read))).rejects.toThrow(ColdFormatError);
    await expect(all(part.readRows({ from: 0, to: 1 }, files.read))).rejects.toThrow(ColdFormatError);
  });

  it("refuses pieces that are cut off or hold something else", async () => {
    const { part, files } = await writtenDocuments(many);
    const verbs: readonly (() => Promise<unknown>)[] = [
      () => part.select({ must: { key: "metadata.kind", match: { value: "LOV" } } }, files.read),
      () => part.select({ must: { key: "metadata.url", match: { value: "x" } } }, files.read),
      () => part.select({ must: { has_id: ["act-1"] } }, files.read),
      () => part.hits([7], files.read),
      () => all(part.documentsOf(files.read)),
      () => all(part.readRows({ from: 0, to: 9 }, files.read)),
    ];
    const damages: readonly ((bytes: Uint8Array) => Uint8Array)[] = [
      (bytes) => bytes.subarray(0, bytes.length >> 1),
      (bytes) => bytes.subarray(0, bytes.length - 1),
      (bytes) => bytes.subarray(0, 3),
      () => new Uint8Array(0),
      () => packText('{"other":"JSON"}'),
      () => packText("[[1],[2],[3]]"),
    ];
    for (const damage of damages) {
      files.damage((_, bytes) => damage(bytes));
      for (const verb of verbs) await expect(verb()).rejects.toThrow(ColdFormatError);
    }
  });
});

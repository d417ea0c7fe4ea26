import { readFileSync } from "node:fs";
import { parseNetwork } from "@kattegat/config/load.ts";
import { TIER_NAMES } from "@kattegat/config/network.ts";
import { placement } from "@kattegat/config/placement.ts";
import { mayHold } from "@kattegat/config/residency.ts";
import type { RecordLine } from "@kattegat/protocol/holdings.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judge, type Shelf, type View } from "./compare.ts";
import {
  byDocument,
  decodeRow,
  documentOf,
  encodeRow,
  hashOf,
  type AuditRow,
  type DocumentRows,
  type HeldCopy,
} from "./row.ts";
import { SortedTexts } from "./sorted-texts.ts";

const network = parseNetwork(readFileSync(new URL("../../config/network.yaml", import.meta.url), "utf8"));
const today = "2026-11-26";
const PRIMARY = "dk-cph";
const HEAD = "1000";
const ARCHIVE = "archive-dk";
const STORES = ["index", "points", "points", "manifest", "manifest", "objects"];
const shelves: readonly Shelf[] = [PRIMARY, "eu-fra", "eu-arn", "edge-eu", "edge-global", ARCHIVE].map(
  (site, place) => ({
    site,
    store: STORES[place] ?? "",
    role: "serving",
    epoch: 2,
    sequence: HEAD,
    isWhole: true,
  }),
);
const view: View = {
  shelves,
  primary: PRIMARY,
  head: { epoch: 2, sequence: HEAD },
  mayHold: (className, site) => mayHold(network, className, { id: site }, today),
  planned: ({ class: residency, tier }) => [...placement({ residency, tier }, network, today), ARCHIVE],
  isArchive: (site) => site === ARCHIVE,
  confirmed: new Map(shelves.map(({ site }) => [site, HEAD])),
  isReplanning: false,
};

interface Settled {
  readonly record: RecordLine;
  readonly rows: DocumentRows;
}

/** A document with everything in its place. */
const settled: fc.Arbitrary<Settled> = fc
  .record({
    id: fc.stringMatching(/^[a-z0-9]{1,12}$/),
    residency: fc.constantFrom("dk-only", "eu", "global"),
    tier: fc.constantFrom(...TIER_NAMES),
    version: fc.integer({ min: 10, max: 400 }),
    carried: fc.integer({ min: 400, max: 900 }),
    passages: fc.integer({ min: 2, max: 5 }),
  })
  .map(({ id, residency, tier, version, carried, passages }) => {
    const held = [...placement({ residency, tier }, network, today), ARCHIVE];
    const record: RecordLine = {
      kind: "record",
      document_id: id,
      version: String(version),
      epoch: 2,
      sequence: String(carried),
      carried: String(carried),
      class: residency,
      tier,
      moving_from: null,
      held,
      digest: "aa",
      passages,
    };
    const recorded = [...new Set([PRIMARY, ...held])].map((site) => ({ site, state: "applied" as const }));
    const copies = held.map((site) => copyOf(record, site));
    return { record, rows: { document: hashOf(id), id, record, gone: null, recorded, copies } };
  });

function copyOf(record: RecordLine, site: string): HeldCopy {
  return {
    kind: "copy",
    site,
    store: shelves.find((shelf) => shelf.site === site)?.store ?? "",
    document_id: site === ARCHIVE ? null : record.document_id,
    version: record.version,
    class: record.class,
    epoch: 2,
    digest: "aa",
    passages: site === ARCHIVE ? null : record.passages,
    hidden: false,
    damage: null,
  };
}

/** The line that a site told of it. */
function lineOf({ site: _site, document_id, damage, ...copy }: HeldCopy, document: string): AuditRow["line"] {
  if (document_id !== null) return { ...copy, document_id };
  const { store, version, class: name, epoch, digest } = copy;
  const told = { version, class: name, epoch: epoch ?? 0, digest: digest ?? "" };
  return { kind: "archived", store, document, ...told, opened: true, damage };
}

const kindsOf = (rows: DocumentRows, seen: View = view): readonly string[] =>
  judge(rows, seen).findings.map(({ kind, site }) => `${kind} ${site}`);

/** What is done to the first copy, and what must then be found at its site; nothing else. */
const FAULTS: Readonly<Record<string, (copy: Settled["rows"]["copies"][number]) => typeof copy | null>> = {
  missing: () => null,
  "missing in part": (copy) => ({ ...copy, passages: 1 }),
  stale: (copy) => ({ ...copy, version: "9" }),
  "stale by its epoch": (copy) => ({ ...copy, epoch: 1 }),
  divergent: (copy) => ({ ...copy, digest: "bb" }),
  "divergent by what was read of it": (copy) => ({ ...copy, damage: "that does not open" }),
  "divergent by its version": (copy) => ({ ...copy, version: "401" }),
  "orphan by what is too many": (copy) => ({ ...copy, passages: 9 }),
};

/** An archive's object says nothing of passages. */
const COUNTED: ReadonlySet<string> = new Set(["missing in part", "orphan by what is too many"]);

describe("comparing what the sites hold of a document", () => {
  it("finds nothing where every copy is where policy, record and ledger say (I23)", () => {
    fc.assert(fc.property(settled, ({ rows }) => judge(rows, view).findings.length === 0));
  });

  it.each(Object.keys(FAULTS))("finds one copy that is %s, and nothing else (I23)", (name) => {
    fc.assert(
      fc.property(settled, fc.nat(), ({ rows }, pick) => {
        const able = rows.copies.filter(({ site }) => site !== ARCHIVE || !COUNTED.has(name));
        fc.pre(able.length > 0);
        const victim = able[pick % able.length];
        if (victim === undefined) throw new RangeError("expected a copy");
        const faulty = FAULTS[name]?.(victim) ?? null;
        const others = rows.copies.filter((copy) => copy !== victim);
        const found = kindsOf({ ...rows, copies: faulty === null ? others : [...others, faulty] });
        expect(found).toEqual([`${name.split(" ")[0]} ${victim.site}`]);
      }),
    );
  });

  it("finds a copy at any site where nobody planned it: a leak where policy forbids it, else an orphan (I23)", () => {
    fc.assert(
      fc.property(settled, fc.constantFrom(...shelves), fc.boolean(), ({ record, rows }, shelf, hidden) => {
        const planned = record.held.includes(shelf.site);
        fc.pre(!planned);
        const copies = [...rows.copies, { ...copyOf(record, shelf.site), hidden }];
        const allowed = mayHold(network, record.class, { id: shelf.site }, today);
        const expected = allowed ? (hidden ? [] : [`orphan ${shelf.site}`]) : [`leak ${shelf.site}`];
        expect(kindsOf({ ...rows, copies })).toEqual(expected);
      }),
    );
  });

  it("finds copies of a document that is gone, and entries of the ledger that outlived their copies (I23)", () => {
    fc.assert(
      fc.property(settled, ({ rows }) => {
        const gone = { ...rows, record: null, gone: "950" };
        const sites = rows.copies.map(({ site }) => site);
        expect(kindsOf(gone)).toEqual(sites.map((site) => `orphan ${site}`));
        const others = sites.filter((site) => site !== PRIMARY);
        expect(kindsOf({ ...gone, copies: [] }).toSorted()).toEqual(
          others.map((site) => `recorded only ${site}`).toSorted(),
        );
      }),
    );
  });

  it("finds a copy that the ledger does not record (I21, I23)", () => {
    fc.assert(
      fc.property(settled, ({ rows }) => {
        const found = kindsOf({ ...rows, recorded: [] });
        const sites = new Set([PRIMARY, ...rows.copies.map(({ site }) => site)]);
        expect(found.toSorted()).toEqual([...sites].map((site) => `unrecorded ${site}`).toSorted());
      }),
    );
  });

  it("finds a document without passages missing from an archive, where it rests all the same (I23)", () => {
    fc.assert(
      fc.property(settled, ({ record, rows }) => {
        const empty = { ...rows, record: { ...record, passages: 0 }, recorded: [] };
        expect(kindsOf({ ...empty, copies: [] })).toEqual([`missing ${ARCHIVE}`, `unrecorded ${PRIMARY}`]);
      }),
    );
  });

  it("finds an object beside the right one that has another content (I23)", () => {
    fc.assert(
      fc.property(settled, ({ record, rows }) => {
        const copies = [...rows.copies, { ...copyOf(record, ARCHIVE), digest: "bb" }];
        expect(kindsOf({ ...rows, copies })).toEqual([`divergent ${ARCHIVE}`]);
      }),
    );
  });

  it("counts as pending a copy without an id that came after the record was read, and nothing older (I23)", () => {
    fc.assert(
      fc.property(
        settled,
        fc.constantFrom("1001", "1000", "9"),
        fc.boolean(),
        ({ record }, version, isNext) => {
          const copy = { ...copyOf(record, ARCHIVE), version, epoch: isNext ? 3 : 2 };
          const rows = {
            document: hashOf("x"),
            id: null,
            record: null,
            gone: null,
            recorded: null,
            copies: [copy],
          };
          const isSince = isNext || version === "1001";
          expect(judge(rows, view).pending).toEqual(isSince ? [ARCHIVE] : []);
          expect(kindsOf(rows)).toEqual(isSince ? [] : [`orphan ${ARCHIVE}`]);
          // Of a document with an id the primary is asked.
          expect(kindsOf({ ...rows, id: "x" })).toEqual([`orphan ${ARCHIVE}`]);
        },
      ),
    );
  });

  it("counts as pending what its site has not come to, but never a copy that policy forbids", () => {
    const late: View = { ...view, shelves: shelves.map((shelf) => ({ ...shelf, sequence: "1" })) };
    fc.assert(
      fc.property(settled, fc.constantFrom(...shelves), ({ record, rows }, { site }) => {
        expect(kindsOf({ ...rows, copies: [] }, late)).toEqual([]);
        const extra = { ...rows, copies: [copyOf(record, site)] };
        const isLeak = !mayHold(network, record.class, { id: site }, today);
        expect(kindsOf(extra, late)).toEqual(isLeak ? [`leak ${site}`] : []);
      }),
    );
  });
});

describe("bringing lines together", () => {
  it("groups lines by document in whatever order they come, in memory or in runs on the disk", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(settled, { maxLength: 12, selector: ({ record }) => record.document_id }),
        fc.integer({ min: 1, max: 7 }),
        async (documents, runTexts) => {
          const texts = new SortedTexts({ runTexts });
          const lines = documents.flatMap(({ record, rows }): AuditRow[] => [
            ...rows.copies.map((copy) => ({
              document: rows.document,
              site: copy.site,
              line: lineOf(copy, rows.document),
            })),
            { document: rows.document, site: PRIMARY, line: record },
          ]);
          for (const row of lines)
            await texts.add(encodeRow({ ...row, document: documentOf(row.line) ?? "" }));
          async function* rows(): AsyncGenerator<AuditRow> {
            for await (const text of texts.read()) yield decodeRow(text);
          }
          const groups = await Array.fromAsync(byDocument(rows()));
          await texts.remove();
          const shown = (group: Pick<DocumentRows, "document" | "copies">): string =>
            `${group.document} ${group.copies
              .map(({ site }) => site)
              .toSorted()
              .join(" ")}`;
          expect(groups.map(shown)).toEqual(documents.map(({ rows: each }) => shown(each)).toSorted());
          expect(groups.every(({ record }) => record !== null)).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });
});

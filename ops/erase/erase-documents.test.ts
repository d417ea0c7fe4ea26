import { documentSchema, type Document } from "@kattegat/protocol/documents.ts";
import { KattegatError, type ErrorCode } from "@kattegat/protocol/errors.ts";
import { describe, expect, it } from "vitest";
import { eraseDocuments, type ChangedDocument, type Doomed, type ErasedDocument } from "./erase-documents.ts";

function documentOf(id: string, version: string): Document {
  return documentSchema.parse({
    id,
    version,
    sequence: version,
    title: "",
    text: "",
    collection: "default",
    lang: null,
    residency: "eu",
    metadata: {},
    importance: 0.5,
    published_at: null,
    tier: "hot",
    pinned_tier: null,
    created_at: "2026-11-26T09:00:00Z",
    updated_at: "2026-11-26T09:00:00Z",
    passages: 1,
    planned_sites: [],
  });
}

/** A primary with documents of these versions; an answer of `loses` is lost after the deletion, once, and `turnsAway` comes before one. */
function primaryWith(
  versions: Readonly<Record<string, string>>,
  {
    loses = [],
    turnsAway = [],
    unreadable = [],
    code = "residency_refused",
  }: {
    readonly loses?: readonly string[];
    readonly turnsAway?: readonly string[];
    readonly unreadable?: readonly string[];
    readonly code?: ErrorCode;
  } = {},
) {
  const held = new Map(Object.entries(versions));
  const lost = new Set(loses);
  const busy = new Set(turnsAway);
  return {
    held,
    async erase(id: string, { version }: { readonly version?: string } = {}) {
      if (busy.delete(id)) throw new KattegatError("too_many_requests", "");
      const current = held.get(id);
      if (version !== undefined && current !== version) throw new KattegatError("version_mismatch", "");
      if (current === undefined) throw new KattegatError("not_found", "");
      held.delete(id);
      if (lost.delete(id)) throw new KattegatError("timeout", "");
      return { receipt: `/v1/receipts/${id}`, sequence: "9" };
    },
    async document(id: string) {
      const version = held.get(id);
      if (version === undefined) throw new KattegatError("not_found", "");
      if (unreadable.includes(id)) throw new KattegatError(code, "");
      return documentOf(id, version);
    },
  };
}

async function eraseFrom(primary: ReturnType<typeof primaryWith>, documents: readonly Doomed[]) {
  const erased: ErasedDocument[] = [];
  const changed: ChangedDocument[] = [];
  await eraseDocuments(documents, {
    client: primary,
    erased: (document) => erased.push(document),
    changed: (document) => changed.push(document),
  });
  return { erased, changed };
}

describe("an erasure", () => {
  it("erases a document in the version that was meant, and tells of another with the version that it has", async () => {
    const primary = primaryWith({ same: "3", other: "8" });
    expect(
      await eraseFrom(primary, [
        { id: "same", version: "3" },
        { id: "other", version: "4" },
      ]),
    ).toEqual({
      erased: [{ id: "same", receipt: "/v1/receipts/same" }],
      changed: [{ id: "other", version: "4", now: "8" }],
    });
    expect([...primary.held]).toEqual([["other", "8"]]);
  });

  it("erases a document that is named without a version in whichever it has", async () => {
    const primary = primaryWith({ any: "8" });
    expect(await eraseFrom(primary, [{ id: "any" }])).toEqual({
      erased: [{ id: "any", receipt: "/v1/receipts/any" }],
      changed: [],
    });
  });

  it("takes a document that is not there any more for gone, not for changed, with a version and without", async () => {
    expect(await eraseFrom(primaryWith({}), [{ id: "a", version: "3" }, { id: "b" }])).toEqual({
      erased: [
        { id: "b", receipt: null },
        { id: "a", receipt: null },
      ],
      changed: [],
    });
  });

  it("tells of a document that is gone after an answer was lost that its receipt is, with a version and without", async () => {
    const primary = primaryWith({ a: "3", b: "4" }, { loses: ["a", "b"] });
    const { erased, changed } = await eraseFrom(primary, [{ id: "a", version: "3" }, { id: "b" }]);
    expect(erased).toHaveLength(2);
    for (const id of ["a", "b"]) expect(erased).toContainEqual({ id, receipt: null, receipt_lost: true });
    expect(changed).toEqual([]);
  });

  it("has lost no receipt of a document that was gone before it was turned away", async () => {
    const primary = primaryWith({ b: "4" }, { turnsAway: ["a", "b"] });
    const { erased } = await eraseFrom(primary, [{ id: "a" }, { id: "b" }]);
    expect(erased).toHaveLength(2);
    expect(erased).toContainEqual({ id: "a", receipt: null });
    expect(erased).toContainEqual({ id: "b", receipt: "/v1/receipts/b" });
  });

  it("tells of a changed document that this key may not read without its version, and fails where it cannot know", async () => {
    const meant = [{ id: "a", version: "3" }];
    const refused = primaryWith({ a: "8" }, { unreadable: ["a"] });
    expect((await eraseFrom(refused, meant)).changed).toEqual([{ id: "a", version: "3", now: null }]);
    const broken = primaryWith({ a: "8" }, { unreadable: ["a"], code: "bad_request" });
    await expect(eraseFrom(broken, meant)).rejects.toThrow(KattegatError);
  });
});

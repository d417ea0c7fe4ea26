import { copyDigest, keyOf, type CopyContent } from "@kattegat/engine/digests/copy-digest.ts";
import { DigestTree, rangeOf } from "@kattegat/engine/digests/digest-tree.ts";
import { seededRandom } from "@kattegat/engine/seeded-random.ts";
import { encodeKey, type Ranges } from "@kattegat/protocol/digests.ts";
import { expect, it } from "vitest";
import { never } from "../edge-target.fixture.ts";
import { compareSite } from "./compare.ts";
import type { HeldSource, PlannedSource } from "./source.ts";

interface Stored extends CopyContent {
  readonly sequence: number;
}

/** A side of the comparison that is another one at each question, as under writes. */
class Side {
  readonly copies = new Map<string, Stored>();
  sequence = 0;

  put(documentId: string, sequence: number): void {
    const version = String(sequence);
    const content = { documentId, version, residency: "eu", digest: `d${sequence}`, passages: 2 };
    this.copies.set(documentId, { ...content, sequence });
  }

  get position() {
    return { epoch: 1, sequence: String(this.sequence) };
  }

  ranges({ depth, indexes }: Ranges) {
    const tree = new DigestTree();
    for (const copy of this.copies.values()) tree.add(keyOf(copy.documentId), copyDigest(copy));
    const digests = indexes.map((index) => tree.at(depth, index).sum);
    return Promise.resolve({ position: this.position, documents: tree.documents, digests });
  }

  lines({ depth, indexes }: Ranges) {
    const lines = [...this.copies.values()].map(
      (copy) => [keyOf(copy.documentId), copyDigest(copy)] as const,
    );
    return Promise.resolve(new Map(lines.filter(([key]) => indexes.includes(rangeOf(key, depth)))));
  }
}

/** A log that goes on between any two questions, and a site that follows it late. */
function running(seed: number) {
  const random = seededRandom(seed);
  const log = new Side();
  const site = new Side();
  const last = new Map<string, number>();
  const queue: { readonly id: string; readonly sequence: number; readonly isGone: boolean }[] = [];
  function write(): void {
    const sequence = (log.sequence += 1);
    const id = `d${Math.floor(random() * 150)}`;
    const isGone = random() < 0.2;
    if (isGone) log.copies.delete(id);
    else log.put(id, sequence);
    last.set(id, sequence);
    queue.push({ id, sequence, isGone });
  }
  function apply(): void {
    const next = queue.shift();
    if (next === undefined) return;
    const { id, sequence, isGone } = next;
    if (isGone) site.copies.delete(id);
    else site.put(id, sequence);
    site.sequence = sequence;
  }
  function live(): void {
    for (let steps = Math.floor(random() * 6); steps > 0; steps -= 1) (random() < 0.5 ? write : apply)();
  }
  const told = async <T>(answer: () => T | Promise<T>): Promise<T> => {
    live();
    const value = await answer();
    live();
    return value;
  };
  const planned: PlannedSource = {
    ranges: (asked) => told(() => log.ranges(asked)),
    lines: (asked) => told(() => log.lines(asked)),
    copies: (keys) =>
      told(() => ({
        position: log.position,
        copies: [...log.copies.values()].flatMap(
          ({ documentId, version, residency, digest, passages, sequence }) => {
            const key = encodeKey(keyOf(documentId));
            const copy = { key, document_id: documentId, version, class: residency, digest, passages };
            return keys.includes(key) ? [{ ...copy, sequence: String(sequence) }] : [];
          },
        ),
      })),
    lastChanges: (documents) =>
      told(() =>
        documents.flatMap((id) => {
          const sequence = last.get(id);
          return sequence === undefined ? [] : [{ document_id: id, epoch: 1, sequence: String(sequence) }];
        }),
      ),
  };
  const held: HeldSource = {
    site: "eu-fra",
    scrub: () => Promise.resolve([]),
    ranges: (asked) => told(() => site.ranges(asked)),
    lines: (asked) => told(() => site.lines(asked)),
    copies: ({ keys, documents }) =>
      told(() => ({
        position: site.position,
        copies: [...site.copies.values()].flatMap(({ documentId, version, residency, digest, passages }) => {
          const isAsked = documents.includes(documentId) || keys.includes(encodeKey(keyOf(documentId)));
          const copy = { document_id: documentId, version, class: residency, digest, passages };
          return isAsked ? [{ ...copy, damaged: 0 }] : [];
        }),
      })),
  };
  const round = (turn: number) =>
    compareSite({ planned, held, mayHold: () => true, suspects: [], turn }, never);
  return { log, site, last, round, write, apply, queue };
}

it("finds no fault in a site that only follows late, whatever is written and applied between the questions (I25)", async () => {
  let pending = 0;
  for (let seed = 1; seed <= 12; seed += 1) {
    const { round, write, apply } = running(seed);
    for (let count = 0; count < 300; count += 1) (count % 3 === 0 ? apply : write)();
    for (let turn = 0; turn < 6; turn += 1) {
      const compared = await round(turn);
      expect(compared.faults, `seed ${seed}`).toEqual([]);
      pending += compared.pending;
    }
  }
  expect(pending).toBeGreaterThan(50);
});

it("finds each fault among writes that go on, once the site has been told of the document (I25)", async () => {
  for (let seed = 1; seed <= 6; seed += 1) {
    const { log, site, last, round, write, apply, queue } = running(seed);
    for (let count = 0; count < 300; count += 1) write();
    while (queue.length > 0) apply();
    // Outside the documents that are written to meanwhile.
    const quiet = ["missing", "stale", "extra"];
    log.sequence += 2;
    for (const [at, id] of quiet.slice(0, 2).entries()) {
      log.put(id, log.sequence + at - 1);
      last.set(id, log.sequence + at - 1);
    }
    site.sequence = log.sequence;
    site.put("stale", 3);
    site.put("extra", 5);
    const found = new Map<string, string>();
    for (let turn = 0; turn < 5; turn += 1)
      for (const { document_id: id, kind } of (await round(turn)).faults) found.set(id, kind);
    expect(Object.fromEntries(found), `seed ${seed}`).toEqual({
      missing: "missing",
      stale: "stale",
      extra: "extra",
    });
  }
});

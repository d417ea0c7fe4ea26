import { setTimeout as sleep } from "node:timers/promises";
import { keyOf as digestKeyOf, namedDigest } from "@kattegat/engine/digests/copy-digest.ts";
import { DigestTree, rangeOf } from "@kattegat/engine/digests/digest-tree.ts";
import { encodeKey, type FaultKind, type PlannedCopy } from "@kattegat/protocol/digests.ts";
import { FENCE_ZERO, type Fence } from "@kattegat/protocol/sequence.ts";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { compareSite } from "../entropy/compare.ts";
import { ReadWindow } from "../entropy/read-window.ts";
import type { PlannedSource } from "../entropy/source.ts";
import { ArchiveCopies } from "./archive-copies.ts";
import {
  batchOf,
  never,
  openArchive,
  put,
  sealed,
  targetOf,
  withdraw,
  type ArchiveUnderTest,
} from "./archive-target.fixture.ts";
import { ListedDigests } from "./listed-digests.ts";
import { documentName, keyOf, prefixOf } from "./object-name.ts";
import { encodeObject } from "./stored-object.ts";

let archive: ArchiveUnderTest;
beforeAll(async () => {
  archive = await openArchive();
});
afterAll(() => archive.stop());
beforeEach(() => archive.empty());

type Change = ReturnType<typeof put>;

/** A log and the archive that follows it. */
class World {
  readonly digests = new ListedDigests();
  readonly copies = new ArchiveCopies({
    site: "archive-dk",
    bucket: archive.bucket,
    scrubbed: archive.bucket,
    digests: this.digests,
  });
  readonly target = targetOf(archive.bucket, this.digests);
  readonly window = new ReadWindow();
  readonly #planned = new Map<string, { copy: PlannedCopy; document: string }>();
  readonly #last = new Map<string, string>();
  #position: Fence = FENCE_ZERO;
  #turn = 0;

  get position(): Fence {
    return this.#position;
  }

  /** Written to the log, and not brought to the archive yet. */
  log(change: Change): Change {
    if (change.kind === "skip") return change;
    const { document_id: id, sequence } = change;
    this.#last.set(id, sequence);
    this.#position = { epoch: change.epoch, sequence };
    const key = encodeKey(digestKeyOf(id));
    if (change.kind !== "put-sealed") this.#planned.delete(id);
    else {
      const { version, residency, digest } = change.sealed;
      const copy = { key, document_id: id, version, class: residency, digest, passages: 3, sequence };
      this.#planned.set(id, { copy, document: documentName(id) });
    }
    return change;
  }

  async bring(changes: readonly Change[], after: Fence): Promise<void> {
    await this.target.apply(batchOf(changes, after), never);
  }

  readonly planned: PlannedSource = {
    ranges: ({ depth, indexes }) => {
      const tree = new DigestTree();
      for (const { copy, document } of this.#planned.values())
        tree.add(digestKeyOf(copy.document_id), digestOf(copy, document));
      return Promise.resolve({
        documents: tree.documents,
        digests: indexes.map((index) => tree.at(depth, index).sum),
      });
    },
    lines: ({ depth, indexes }) =>
      Promise.resolve(
        new Map(
          [...this.#planned.values()]
            .map(({ copy, document }) => [digestKeyOf(copy.document_id), digestOf(copy, document)] as const)
            .filter(([key]) => indexes.includes(rangeOf(key, depth)))
            .map(([key, digest]) => [key, BigInt.asUintN(64, digest)]),
        ),
      ),
    copies: (keys) => {
      const known = [...this.#last.keys()].map((id) => ({
        key: encodeKey(digestKeyOf(id)),
        document_id: id,
      }));
      const asked = known.filter(({ key }) => keys.includes(key));
      return Promise.resolve({
        position: this.#position,
        copies: asked.flatMap(({ document_id: id }) => this.#planned.get(id)?.copy ?? []),
        others: asked.filter(({ document_id: id }) => !this.#planned.has(id)),
      });
    },
    lastChanges: (ids) =>
      Promise.resolve(
        ids.flatMap((id) => {
          const sequence = this.#last.get(id);
          return sequence === undefined ? [] : [{ document_id: id, epoch: 1, sequence }];
        }),
      ),
  };

  /** A pass over names and objects. */
  async pass(): Promise<void> {
    for (;;) if ((await this.copies.listOn(never)).isPassOver) break;
    for (;;) if ((await this.copies.readOn(never)).isPassOver) break;
  }

  async compare() {
    const suspects = await this.copies.scrub();
    const { planned, copies: held, window } = this;
    const mayHold = (className: string): boolean => className !== "elsewhere";
    return await compareSite({ planned, held, mayHold, suspects, turn: (this.#turn += 1), window }, never);
  }
}

function digestOf({ version, class: residency, digest }: PlannedCopy, document: string): bigint {
  return namedDigest({ document, version, residency, digest });
}

async function filled(documents: number): Promise<World> {
  const world = new World();
  const changes = Array.from({ length: documents }, (_, at) =>
    world.log(put(`d${at + 1}`, at + 1, { replaces: false })),
  );
  await world.bring(changes, FENCE_ZERO);
  return world;
}

async function keyAt(id: string): Promise<string> {
  const [version] = await Array.fromAsync(archive.bucket.versions(prefixOf(documentName(id)), never));
  if (version === undefined) throw new Error(`expected an object of ${id}`);
  return version.key;
}

/** Spoils the archive behind everybody's back; returns what each document's fault is. */
async function plant(): Promise<Readonly<Record<string, FaultKind>>> {
  const { bucket } = archive;
  const drop = async (id: string): Promise<void> =>
    bucket.remove([{ key: await keyAt(id), version: null }], never);
  const store = async (document: ReturnType<typeof sealed>): Promise<void> => {
    await bucket.put(keyOf(document), encodeObject(document), { signal: never });
  };
  await drop("d1");
  await drop("d2");
  await store(sealed("d2", { version: 1 }));
  const [spoilt, cut] = [await keyAt("d3"), await keyAt("d4")];
  const bytes = (await bucket.get(spoilt, never))?.bytes ?? new Uint8Array();
  bytes[bytes.length - 200] = (bytes[bytes.length - 200] ?? 0) ^ 1;
  await bucket.put(spoilt, bytes, { signal: never });
  await bucket.put(cut, bytes.slice(0, 300), { signal: never });
  // Beside the right one.
  await store(sealed("d5", { version: 4, content: 9 }));
  await drop("d6");
  await store(sealed("d6", { version: 6, content: 9 }));
  await store(sealed("gone", { version: 11 }));
  await store(sealed("moved", { version: 13, residency: "elsewhere" }));
  await bucket.put(`${prefixOf(documentName("d7"))}no-name`, Buffer.from("{}"), { signal: never });
  return {
    d1: "missing",
    d2: "stale",
    d3: "corrupted",
    d4: "corrupted",
    d5: "extra",
    d6: "divergent",
    d7: "extra",
    gone: "extra",
    moved: "leak",
  };
}

it("finds each kind of fault in a bucket by its list and its objects, by name where the log has one (I25)", async () => {
  const world = await filled(10);
  const { position } = world;
  const later = [put("gone", 11), withdraw("gone", 12), put("moved", 13), withdraw("moved", 14)];
  await world.bring(
    later.map((change) => world.log(change)),
    position,
  );
  await expect(world.compare()).rejects.toMatchObject({ code: "not_ready" });
  await world.pass();
  expect(await world.compare()).toMatchObject({ isComplete: true, faults: [], pending: 0, looked: [] });

  const wanted = await plant();
  await archive.bucket.put(
    keyOf(sealed("never", { version: 3 })),
    encodeObject(sealed("never", { version: 3 })),
    {
      signal: never,
    },
  );
  await world.pass();
  const { faults, pending } = await world.compare();
  expect(pending).toBe(0);
  const found = Object.fromEntries(faults.map(({ document_id: id, kind }) => [id, kind]));
  expect(found).toEqual({ ...wanted, [`(document sha256 ${documentName("never")})`]: "extra" });

  // As the log does it: what is planned is brought once more, the others are withdrawn.
  const before = world.position;
  let sequence = 14;
  const repairs = faults.flatMap(({ document_id: id, kind }) => {
    if (id.startsWith("(")) return [];
    sequence += 1;
    const number = Number(id.slice(1));
    const isGone = kind === "leak" || id === "gone";
    return [isGone ? withdraw(id, sequence) : put(id, sequence, { version: number })];
  });
  await world.bring(
    repairs.map((change) => world.log(change)),
    before,
  );
  const after = await world.compare();
  expect(after.faults.map(({ document_id: id }) => id)).toEqual([
    `(document sha256 ${documentName("never")})`,
  ]);
});

it("calls nothing a fault that a write explains, and touches no right copy, while the log goes on (I25)", async () => {
  const world = await filled(30);
  await world.pass();
  const faults: unknown[] = [];
  let rounds = 0;
  let isOver = false;
  const writing = (async () => {
    let { position } = world;
    for (let batch = 0; batch < 40; batch += 1) {
      const changes = Array.from({ length: 5 }, (_, at) => {
        const sequence = Number(position.sequence) + at + 1;
        const id = `d${(batch * 7 + at * 3) % 40}`;
        return world.log((batch + at) % 4 === 0 ? withdraw(id, sequence) : put(id, sequence));
      });
      const next = world.position;
      await sleep(batch % 3);
      await world.bring(changes, position);
      position = next;
    }
    isOver = true;
  })();
  while (!isOver) {
    await world.copies.listOn(never);
    await world.copies.readOn(never);
    const compared = await world.compare();
    faults.push(...compared.faults);
    rounds += 1;
  }
  await writing;
  expect(faults).toEqual([]);
  expect(rounds).toBeGreaterThan(3);
  // What it knew of its own writes is what the bucket lists.
  const known = world.digests.tree.at(0, 0);
  while (world.digests.doubted.size > 0) await world.copies.listOn(never);
  await world.pass();
  const listed = world.digests.tree.at(0, 0);
  expect(listed).toEqual(
    await world.planned
      .ranges({ depth: 0, indexes: [0] }, never)
      .then(({ digests, documents }) => ({ sum: digests[0], documents })),
  );
  expect(known.documents).toBe(listed.documents);
});

it("judges by the place that the archive had come to before it was listed, and names what came meanwhile (I25)", async () => {
  const world = await filled(3);
  await world.pass();
  const { position } = world;
  // Their copies are late: planned, and not there.
  const late = world.log(put("late", 4));
  const fresh = put("fresh", 5);
  const brought = Promise.withResolvers<void>();
  const { bucket } = archive;
  const copies = new ArchiveCopies({
    site: "archive-dk",
    bucket: {
      name: bucket.name,
      get: (key, signal) => bucket.get(key, signal),
      async *versions(prefix, signal) {
        const isOf = (id: string): boolean => prefix.includes(documentName(id).slice(0, 16));
        if (isOf("fresh")) await brought.promise;
        yield* await Array.fromAsync(bucket.versions(prefix, signal));
        if (!isOf("late")) return;
        await world.bring([late, world.log(fresh)], position);
        brought.resolve();
      },
    },
    scrubbed: bucket,
    digests: world.digests,
  });
  const asked = ["late", "fresh"].map((id) => encodeKey(digestKeyOf(id)));
  const { planned, window } = world;
  const compared = await compareSite(
    { planned, held: copies, mayHold: () => true, suspects: asked, turn: 1, window },
    never,
  );
  expect(compared).toMatchObject({ faults: [], pending: 2 });
});

it("goes on behind an object that cannot be read, which a round looks at (I25)", async () => {
  const world = await filled(20);
  await world.pass();
  const broken = await keyAt("d3");
  const copies = new ArchiveCopies({
    site: "archive-dk",
    bucket: archive.bucket,
    scrubbed: {
      versions: (prefix, signal) => archive.bucket.versions(prefix, signal),
      get: (key, signal) =>
        key === broken ? Promise.reject(new Error("a bad disk")) : archive.bucket.get(key, signal),
    },
    digests: world.digests,
  });
  let failures = 0;
  let read = 0;
  for (let isOver = false; !isOver;) {
    const step = await copies.readOn(never).catch(() => null);
    if (step === null) failures += 1;
    else read += step.count;
    isOver = step?.isPassOver ?? false;
  }
  expect(failures).toBe(1);
  expect(read).toBeGreaterThanOrEqual(12);
  expect(await copies.scrub()).toContain(encodeKey(digestKeyOf("d3")));
});

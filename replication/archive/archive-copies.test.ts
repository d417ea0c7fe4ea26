import { hashedId } from "@kattegat/engine/digests/hashed-id.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { keyOf as digestKeyOf, namedDigest } from "@kattegat/engine/digests/copy-digest.ts";
import { DigestTree, rangeOf } from "@kattegat/engine/digests/digest-tree.ts";
import { encodeKey, type FaultKind, type PlannedCopy } from "@kattegat/protocol/digests.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { FENCE_ZERO, type Fence } from "@kattegat/protocol/sequence.ts";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { compareSite } from "../entropy/compare.ts";
import { ReadWindow } from "../entropy/read-window.ts";
import type { PlannedSource } from "../entropy/source.ts";
import { ArchiveCopies } from "./archive-copies.ts";
import { ArchiveScrub } from "./archive-scrub.ts";
import type { Bucket } from "./bucket.ts";
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
import { keyOf, prefixOf } from "./object-name.ts";
import type { ObjectVersion } from "./s3-answer.ts";
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
  readonly scrub = scrubOf(archive.bucket, this.digests);
  readonly copies = new ArchiveCopies({
    bucket: archive.bucket,
    digests: this.digests,
    scrub: this.scrub,
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
      this.#planned.set(id, { copy, document: hashedId(id) });
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
    copies: (keys) =>
      Promise.resolve({
        position: this.#position,
        copies: this.#known(keys).flatMap((id) => this.#planned.get(id)?.copy ?? []),
        others: [],
      }),
    names: (keys) => Promise.resolve(this.#known(keys)),
    lastChanges: (ids) =>
      Promise.resolve(
        ids.flatMap((id) => {
          const sequence = this.#last.get(id);
          return sequence === undefined ? [] : [{ document_id: id, epoch: 1, sequence }];
        }),
      ),
  };

  #known(keys: readonly string[]): readonly string[] {
    return [...this.#last.keys()].filter((id) => keys.includes(encodeKey(digestKeyOf(id))));
  }

  /** A pass over names and objects. */
  async pass(): Promise<void> {
    for (;;) if ((await this.scrub.listOn(never)).isPassOver) break;
    for (;;) if ((await this.scrub.readOn(never)).isPassOver) break;
  }

  async compare() {
    const suspects = await this.copies.scrub();
    const { planned, copies: held, window } = this;
    const mayHold = (className: string): boolean => className !== "elsewhere";
    return await compareSite({ planned, held, mayHold, suspects, turn: (this.#turn += 1), window }, never);
  }
}

function scrubOf(bucket: Pick<Bucket, "versions" | "get">, digests: ListedDigests): ArchiveScrub {
  return new ArchiveScrub({ site: "archive-dk", bucket, digests, random: () => 0.4 });
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
  const [version] = await Array.fromAsync(archive.bucket.versions(prefixOf(hashedId(id)), never));
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
  await bucket.put(`${prefixOf(hashedId("d7"))}no-name`, Buffer.from("{}"), { signal: never });
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
  expect(found).toEqual({ ...wanted, [`(document sha256 ${hashedId("never")})`]: "extra" });

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
  expect(after.faults.map(({ document_id: id }) => id)).toEqual([`(document sha256 ${hashedId("never")})`]);
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
    await world.scrub.listOn(never);
    await world.scrub.readOn(never);
    const compared = await world.compare();
    faults.push(...compared.faults);
    rounds += 1;
  }
  await writing;
  expect(faults).toEqual([]);
  expect(rounds).toBeGreaterThan(3);
  // What it knew of its own writes is what the bucket lists.
  const known = world.digests.tree.at(0, 0);
  while (world.digests.settledDoubts(1).length > 0) await world.scrub.listOn(never);
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
    bucket: {
      name: bucket.name,
      get: (key, signal) => bucket.get(key, signal),
      async *versions(prefix, signal) {
        const isOf = (id: string): boolean => prefix.includes(hashedId(id).slice(0, 16));
        if (isOf("fresh")) await brought.promise;
        yield* await Array.fromAsync(bucket.versions(prefix, signal));
        if (!isOf("late")) return;
        await world.bring([late, world.log(fresh)], position);
        brought.resolve();
      },
    },
    digests: world.digests,
    scrub: world.scrub,
  });
  const asked = ["late", "fresh"].map((id) => encodeKey(digestKeyOf(id)));
  const { planned, window } = world;
  const compared = await compareSite(
    { planned, held: copies, mayHold: () => true, suspects: asked, turn: 1, window },
    never,
  );
  expect(compared).toMatchObject({ faults: [], pending: 2 });
});

/** The archive's bucket, of which some objects, or all lists, cannot be read. */
function failing(isBroken: (key: string) => boolean, areListsBroken: () => boolean = () => false) {
  const { bucket } = archive;
  const scrubbed: Pick<Bucket, "versions" | "get"> = {
    async *versions(prefix, signal) {
      if (areListsBroken()) throw new KattegatError("forbidden", "The key may not list.");
      yield* bucket.versions(prefix, signal);
    },
    get: (key, signal) => (isBroken(key) ? Promise.reject(new Error("a bad disk")) : bucket.get(key, signal)),
  };
  return scrubbed;
}

/** Resolves with how many objects were read until a pass was over. */
async function readAll(scrub: ArchiveScrub): Promise<number> {
  let read = 0;
  for (;;) {
    const { count, isPassOver } = await scrub.readOn(never);
    read += count;
    if (isPassOver) return read;
  }
}

it("goes on behind an object that cannot be read, which a round looks at (I25)", async () => {
  const world = await filled(20);
  await world.pass();
  const broken = await keyAt("d3");
  const scrub = scrubOf(
    failing((key) => key === broken),
    world.digests,
  );
  expect(await readAll(scrub)).toBe(20);
  expect(scrub.takeSuspects()).toEqual([encodeKey(digestKeyOf("d3"))]);
  expect(scrub.takeSuspects()).toEqual([]);
});

it("reads again what it could not while nothing could be read (I25)", async () => {
  const world = await filled(20);
  await world.pass();
  let isAway = true;
  const scrub = scrubOf(
    failing(() => isAway),
    world.digests,
  );
  await scrub.readOn(never);
  await expect(scrub.readOn(never)).rejects.toThrow("a bad disk");
  await expect(scrub.readOn(never)).rejects.toThrow("a bad disk");
  expect(scrub.failureOf("objects")).toMatchObject({ message: "a bad disk" });
  const { digests } = world;
  const copies = new ArchiveCopies({ bucket: archive.bucket, digests, scrub });
  await expect(copies.scrub()).rejects.toThrow("a bad disk");
  expect((await copies.ranges({ depth: 0, indexes: [0] })).documents).toBe(20);
  expect(scrub.takeSuspects()).toEqual([]);
  isAway = false;
  expect(await readAll(scrub)).toBe(20);
  expect(await copies.scrub()).toEqual([]);
});

it("leaves objects that cannot be read, together or not, after a few tries (I25)", async () => {
  const world = await filled(20);
  await world.pass();
  const all = (await archive.keys()).filter((key) => key.startsWith("documents/")).toSorted();
  const broken = new Set(all.slice(0, 8));
  const scrub = scrubOf(
    failing((key) => broken.has(key)),
    world.digests,
  );
  let read = 0;
  let failures = 0;
  for (let isPassOver = false; !isPassOver;) {
    const step = await scrub.readOn(never).catch(() => null);
    if (step === null) failures += 1;
    else read += step.count;
    isPassOver = step?.isPassOver ?? false;
  }
  expect([read, failures]).toEqual([12, 3]);
  expect(scrub.takeSuspects()).toHaveLength(8);
});

it("says so while the bucket cannot be listed, whatever its sums were before (I25)", async () => {
  const world = await filled(3);
  let isForbidden = true;
  const scrub = scrubOf(
    failing(
      () => false,
      () => isForbidden,
    ),
    world.digests,
  );
  const copies = new ArchiveCopies({ bucket: archive.bucket, digests: world.digests, scrub });
  const ranges = { depth: 0, indexes: [0] } as const;
  await expect(scrub.listOn(never)).rejects.toMatchObject({ code: "forbidden" });
  await expect(copies.ranges(ranges)).rejects.toMatchObject({ code: "forbidden" });
  isForbidden = false;
  while (!(await scrub.listOn(never)).isPassOver);
  expect(await copies.scrub()).toEqual([]);
  expect((await copies.ranges(ranges)).documents).toBe(3);
  isForbidden = true;
  await expect(scrub.listOn(never)).rejects.toMatchObject({ code: "forbidden" });
  await expect(copies.ranges(ranges)).rejects.toMatchObject({ code: "forbidden" });
});

function objectOf(key: string): ObjectVersion {
  return { key, version: null, isLatest: true, bytes: 3, modifiedAt: "" };
}

it("stops reading while nobody looks at what it has found, and forgets none of it (I25)", async () => {
  const keys = Array.from({ length: 1_100 }, (_, at) => keyOf(sealed(`d${at}`, { version: 1 })));
  const scrub = scrubOf(
    {
      async *versions(prefix) {
        yield* await Promise.resolve(keys.filter((key) => key.startsWith(prefix)).map(objectOf));
      },
      get: () => Promise.resolve({ bytes: new Uint8Array(3), etag: "" }),
    },
    new ListedDigests(),
  );
  for (let step = 0; step < 2_000; step += 1) await scrub.readOn(never);
  const first = scrub.takeSuspects();
  expect(first.length).toBeLessThan(1_100);
  await readAll(scrub);
  expect(new Set([...first, ...scrub.takeSuspects()]).size).toBe(1_100);
});

it("judges former versions and markers of deletions as what should not be there (I25)", async () => {
  const world = await filled(2);
  await world.pass();
  const key = await keyAt("d1");
  const { bucket } = archive;
  const versioned: Pick<Bucket, "versions" | "get" | "name"> = {
    name: bucket.name,
    get: (asked, signal) => bucket.get(asked, signal),
    async *versions(prefix, signal) {
      yield* bucket.versions(prefix, signal);
      if (key.startsWith(prefix)) yield { ...objectOf(key), version: "v1", isLatest: false };
    },
  };
  const copies = new ArchiveCopies({ bucket: versioned, digests: world.digests, scrub: world.scrub });
  const { planned, window } = world;
  const suspects = [encodeKey(digestKeyOf("d1")), encodeKey(digestKeyOf("d2"))];
  const { faults } = await compareSite(
    { planned, held: copies, mayHold: () => true, suspects, turn: 1, window },
    never,
  );
  expect(faults.map(({ document_id: id, kind }) => [id, kind])).toEqual([["d1", "extra"]]);
  expect(faults[0]?.detail).toContain("former");
});

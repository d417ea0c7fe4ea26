import { SealError } from "@kattegat/primary-dk/sealing/seal.ts";
import type { SealedRecord } from "@kattegat/protocol/sealed-record.ts";
import { keyOf } from "@kattegat/replication/archive/object-name.ts";
import { describe, expect, it } from "vitest";
import { ArchiveReading, type Authenticator } from "./archive-reading.ts";
import { hashOf } from "./row.ts";

const SEALED = Buffer.concat([Uint8Array.of(1), Buffer.alloc(40)]).toString("base64");

function recordOf(id: string): SealedRecord {
  return {
    document: hashOf(id),
    epoch: 1,
    version: "7",
    residency: "eu",
    digest: "1".repeat(64),
    key: { partition: 1, version: 1, id: "AAAA", wrapped: SEALED },
    record: SEALED,
    head: SEALED,
    body: SEALED,
    own: [],
    vectors: [],
  };
}

const authentic: Authenticator = { authenticate: () => true };
const destroyed: Authenticator = { authenticate: () => false };
const damaged: Authenticator = {
  authenticate() {
    throw new SealError("expected another key");
  },
};

/** Of a bucket with these objects; each authenticator is that of one moment, the last one of all later ones. An object is got when `reached` resolves. */
function readingOf(
  objects: Readonly<Record<string, string>>,
  moments: readonly [Authenticator, ...Authenticator[]],
  reached: (key: string) => Promise<void> = () => Promise.resolve(),
) {
  let made = 0;
  const reading = new ArchiveReading({
    bucket: {
      name: "bucket",
      async get(key) {
        await reached(key);
        const text = objects[key];
        return text === undefined ? null : { bytes: new Uint8Array(Buffer.from(text)), etag: "" };
      },
    },
    authenticator() {
      const moment = moments[Math.min(made, moments.length - 1)] ?? moments[0];
      made += 1;
      return moment;
    },
    signal: new AbortController().signal,
    progress() {},
  });
  return { reading, made: () => made };
}

const record = recordOf("a");
const key = keyOf(record);
const whole = { [key]: JSON.stringify(record) };
const FINE = { opened: true, damage: null };

describe("reading an archive", () => {
  it("finds nothing in an object that opens as what its name says, nor in one that was deleted meanwhile (I23)", async () => {
    expect(await readingOf(whole, [authentic]).reading.read(key)).toEqual(FINE);
    expect(await readingOf({}, [authentic]).reading.read(key)).toEqual({ opened: false, damage: null });
  });

  it("finds an object that is no record, is another's, does not open, or that nobody can open any more (I23)", async () => {
    const other = JSON.stringify(recordOf("b"));
    for (const text of ["", "{}", other, JSON.stringify({ ...record, body: "in clear" })])
      expect((await readingOf({ [key]: text }, [authentic]).reading.read(key)).damage).toContain("altered");
    expect((await readingOf(whole, [damaged]).reading.read(key)).damage).toContain("altered");
    expect((await readingOf(whole, [destroyed]).reading.read(key)).damage).toContain("nobody has the key");
  });

  it("looks again with the keyring of that moment, which an erasure may have changed, and not without end", async () => {
    const changed = readingOf(whole, [damaged, authentic]);
    expect(await changed.reading.read(key)).toEqual(FINE);
    const broken = readingOf(whole, [damaged]);
    for (let count = 0; count < 200; count += 1) await broken.reading.read(key);
    expect(broken.made()).toBe(101);
  });

  it("goes on with a keyring that opened what the one before did not, and with no other", async () => {
    const replaced = readingOf(whole, [damaged, authentic, damaged]);
    for (let count = 0; count < 200; count += 1) expect(await replaced.reading.read(key)).toEqual(FINE);
    expect(replaced.made()).toBe(2);
    const same = readingOf({ ...whole, other: "{}" }, [authentic, damaged]);
    expect((await same.reading.read("other")).damage).toContain("altered");
    expect(await same.reading.read(key)).toEqual(FINE);
    expect(same.made()).toBe(2);
  });

  it("takes one new keyring for objects that are read at once, where the first of them has found it", async () => {
    const other = recordOf("b");
    const both = { ...whole, [keyOf(other)]: JSON.stringify(other) };
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const { reading, made } = readingOf(both, [damaged, authentic, damaged], (name) =>
      name === keyOf(other) ? held : Promise.resolve(),
    );
    const late = reading.read(keyOf(other));
    expect(await reading.read(key)).toEqual(FINE);
    release();
    expect(await late).toEqual(FINE);
    expect(made()).toBe(2);
  });

  it("takes a keyring that opens nothing for another's, not one that opens something", async () => {
    const nothing = readingOf(whole, [damaged]).reading;
    for (let count = 0; count < 7; count += 1) await nothing.read(key);
    expect(() => nothing.assertKeyring()).not.toThrow();
    await nothing.read(key);
    expect(() => nothing.assertKeyring()).toThrow(/--keyring/);
    const something = readingOf({ ...whole, other: "{}" }, [authentic]).reading;
    for (let count = 0; count < 20; count += 1) await something.read("other");
    await something.read(key);
    expect(() => something.assertKeyring()).not.toThrow();
  });
});

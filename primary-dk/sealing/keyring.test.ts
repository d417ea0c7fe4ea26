import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Keyring, KeyringError, type KeyringPlace } from "./keyring.ts";

let place: KeyringPlace;
let file: string;
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), "kattegat-keyring-"));
  file = join(folder, "keyring");
  place = { folder, rootKeyFile: join(folder, "root.key") };
  writeFileSync(place.rootKeyFile, randomBytes(32).toString("base64url"));
  Keyring.create(place);
});
afterEach(() => rmSync(place.folder, { recursive: true }));

/** Other bytes that look like the same file, to tell whether it is read. */
function fill(bytes: Uint8Array, atSeconds: number): void {
  writeFileSync(file, bytes);
  utimesSync(file, atSeconds, atSeconds);
}

describe("a key that the keyring does not know", () => {
  it("is looked for in the file where that was replaced, by begin and by end alike", () => {
    const reader = Keyring.read(place);
    const writer = Keyring.open(place);
    expect(reader.find(7, 2)).toBeNull();
    writer.begin([7]);
    expect(reader.find(7, 2)).toBe(reader.current(7).sealKey);
    writer.end([7]);
    writer.begin([7]);
    writer.end([7]);
    expect(reader.find(7, 3)).not.toBeNull();
    expect(Keyring.read(place).find(7, 2)).toBeNull();
  });

  it("costs no reading of the file while that is the same, however many are asked for", () => {
    const whole = readFileSync(file);
    fill(whole, 1_000);
    const reader = Keyring.read(place);
    fill(randomBytes(whole.byteLength), 1_000);
    for (let version = 2; version < 100; version += 1) expect(reader.find(7, version)).toBeNull();
  });

  it("is looked for again after a file that could not be read", () => {
    const reader = Keyring.read(place);
    Keyring.open(place).begin([7]);
    const whole = readFileSync(file);
    fill(randomBytes(whole.byteLength), 1_000);
    expect(() => reader.find(7, 2)).toThrow(KeyringError);
    fill(whole, 1_000);
    expect(reader.find(7, 2)).not.toBeNull();
  });
});

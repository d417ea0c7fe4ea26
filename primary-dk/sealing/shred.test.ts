import { linkSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { finishShredding, replaceAndShred } from "./shred.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kattegat-shred-"));
  path = join(folder, "keyring");
  writeFileSync(path, "the first key");
});
afterEach(() => rmSync(folder, { recursive: true }));

const read = (name: string): string => readFileSync(join(folder, name), "utf8");

it("overwrites the bytes that a file had, under whatever other name they are read (I20)", () => {
  linkSync(path, join(folder, "witness"));
  replaceAndShred(path, Buffer.from("the second key"));
  expect(read("keyring")).toBe("the second key");
  expect(read("witness")).not.toContain("key");
  expect(readdirSync(folder).toSorted()).toEqual(["keyring", "witness"]);
});

it("overwrites them at the next start when the process was killed after the renaming (I20)", () => {
  linkSync(path, join(folder, "witness"));
  linkSync(path, `${path}.old`);
  writeFileSync(`${path}.next`, "the second key");
  renameSync(`${path}.next`, path);
  finishShredding(folder);
  expect(read("keyring")).toBe("the second key");
  expect(read("witness")).not.toContain("key");
  expect(readdirSync(folder).toSorted()).toEqual(["keyring", "witness"]);
});

it.each([
  ["at the next start", true],
  ["at the next replacement", false],
])("keeps what is in force when it ended before the renaming: %s", (_, isStart) => {
  linkSync(path, `${path}.old`);
  writeFileSync(`${path}.next`, "half of the sec");
  if (isStart) {
    finishShredding(folder);
    expect(read("keyring")).toBe("the first key");
  }
  replaceAndShred(path, Buffer.from("the second key"));
  expect(read("keyring")).toBe("the second key");
  expect(readdirSync(folder)).toEqual(["keyring"]);
});

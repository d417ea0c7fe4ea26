import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { forgetInputs, isBundled, noteInputs } from "./bundle-inputs.ts";

let folder: string;
let source: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kattegat-bundle-"));
  source = join(folder, "worker.ts");
  writeFileSync(source, "export default 1;");
  noteInputs(folder, [source]);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("a bundle", () => {
  it("is as good as new while nothing that it was made of has changed", () => {
    expect(isBundled(folder, source)).toBe(true);
  });

  it("is made anew when a source has changed", () => {
    writeFileSync(source, "export default 22;");
    expect(isBundled(folder, source)).toBe(false);
  });

  it("is made anew when a source is gone", () => {
    rmSync(source);
    expect(isBundled(folder, source)).toBe(false);
  });

  it("is made anew by another checkout", () => {
    expect(isBundled(folder, join(folder, "other.ts"))).toBe(false);
  });

  it("is made anew when the last one was not written to its end", () => {
    forgetInputs(folder);
    expect(isBundled(folder, source)).toBe(false);
  });
});

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import * as esbuild from "esbuild";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestsOf, isBundled, writeBundle } from "./bundle-inputs.ts";
import { noteReads } from "./noted-reads.ts";

let root: string;
let folder: string;
let source: string;
let lock: string;
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const outputs = new Map([
  ["worker.js", bytesOf("export default 1;")],
  ["scan.wasm", bytesOf("wasm")],
]);
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kattegat-bundle-"));
  folder = join(root, "bundle");
  source = join(root, "worker.ts");
  lock = join(root, "package-lock.json");
  writeFileSync(source, "export default 1;");
  writeBundle(folder, { inputs: digestsOf([source, lock]), outputs });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));
afterAll(() => esbuild.stop());

describe("a bundle", () => {
  it("is as good as new while nothing that it was made of has changed", () => {
    expect(isBundled(folder, source)).toBe(true);
  });

  it("is made anew when a source has changed, be its size and time what they were", () => {
    const { atime, mtime } = statSync(source);
    writeFileSync(source, "export default 2;");
    utimesSync(source, atime, mtime);
    expect(isBundled(folder, source)).toBe(false);
  });

  it("is made anew when a source is gone", () => {
    rmSync(source);
    expect(isBundled(folder, source)).toBe(false);
  });

  it("is made anew when a file comes that there was not", () => {
    writeFileSync(lock, "{}");
    expect(isBundled(folder, source)).toBe(false);
  });

  it("is made anew by another checkout", () => {
    expect(isBundled(folder, join(folder, "other.ts"))).toBe(false);
  });

  it("is made anew by another version of Node", () => {
    const file = join(folder, "inputs.json");
    writeFileSync(file, readFileSync(file, "utf8").replace(process.version, "v0.0.0"));
    expect(isBundled(folder, source)).toBe(false);
  });

  it.each([...outputs.keys()])("is made anew when %s is gone, or another one", (name) => {
    writeFileSync(join(folder, name), "cut");
    expect(isBundled(folder, source)).toBe(false);
    rmSync(join(folder, name));
    expect(isBundled(folder, source)).toBe(false);
    writeBundle(folder, { inputs: digestsOf([source]), outputs });
    expect(isBundled(folder, source)).toBe(true);
  });

  it("is made anew when a module lies beside it that would be loaded with it, and takes its place", () => {
    writeFileSync(join(folder, "left.js"), "throw 1;");
    expect(isBundled(folder, source)).toBe(false);
    writeBundle(folder, { inputs: digestsOf([source]), outputs });
    expect(isBundled(folder, source)).toBe(true);
  });

  it("is made anew when the last one was not written to its end", () => {
    mkdirSync(join(folder, "next.js"));
    // The folder in a file's place ends the writing after the old record is gone.
    expect(() => writeBundle(folder, { inputs: digestsOf([source]), outputs })).toThrow();
    rmSync(join(folder, "next.js"), { recursive: true });
    expect(isBundled(folder, source)).toBe(false);
  });
});

describe("what the bundler reads", () => {
  /** Bundles two files; `edited` is written at the end of the build, before anybody notes what was read. */
  async function bundled(edited: Readonly<Record<string, string>>): Promise<void> {
    writeFileSync(
      source,
      'import { b } from "./other.ts"; import w from "./scan.wasm"; export default [b, w];',
    );
    writeFileSync(join(root, "other.ts"), "export const b: number = 1;");
    writeFileSync(join(root, "scan.wasm"), "wasm");
    const reads = noteReads();
    const editing: esbuild.Plugin = {
      name: "editing",
      setup(build) {
        build.onEnd(() => {
          for (const [name, text] of Object.entries(edited)) writeFileSync(join(root, name), text);
        });
      },
    };
    const { outputFiles } = await esbuild.build({
      entryPoints: [source],
      bundle: true,
      write: false,
      outfile: join(folder, "worker.js"),
      format: "esm",
      plugins: [reads.plugin, editing],
    });
    const made = outputFiles.map(({ path, contents }) => [basename(path), contents] as const);
    writeBundle(folder, { inputs: reads.inputs(), outputs: new Map([...made, ...reads.wasm()]) });
  }

  it("is noted with what was read, so that nothing that was edited meanwhile passes for bundled", async () => {
    await bundled({});
    expect(isBundled(folder, source)).toBe(true);
    expect(readFileSync(join(folder, "worker.js"), "utf8")).toContain('from "./scan.wasm"');
    for (const name of ["other.ts", "scan.wasm", "worker.ts"]) {
      await bundled({ [name]: "export const b = 2;" });
      expect(isBundled(folder, source)).toBe(false);
    }
  });
});

it("counts the lockfile, the packages and the tools among what the Worker's bundle is made of", () => {
  const bundler = join(import.meta.dirname, "edge-bundle.ts");
  execFileSync(process.execPath, [bundler, folder]);
  expect(isBundled(folder, bundler)).toBe(true);
  const { inputs } = JSON.parse(readFileSync(join(folder, "inputs.json"), "utf8"));
  const repository = join(import.meta.dirname, "..", "..");
  const expected = ["package-lock.json", "package.json", "edge/package.json", "edge/worker.ts"];
  for (const path of [...expected, "ops/local/noted-reads.ts", "node_modules/esbuild/package.json"])
    expect(inputs).toHaveProperty([join(repository, path)], expect.stringMatching(/^[0-9a-f]{64}$/));
});

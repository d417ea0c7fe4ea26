/** Bundles the Worker into a folder: `node edge-bundle.ts FOLDER`. */
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { ROOT } from "../settings.ts";
import { digestsOf, writeBundle } from "./bundle-inputs.ts";
import { noteReads } from "./noted-reads.ts";

/** Packages whose sources are bundled. */
const PACKAGES = ["config", "protocol", "engine", "edge"] as const;

/** What decides how the sources are bundled, and which: what is installed above all. */
const DECIDING = [
  "package.json",
  "package-lock.json",
  "node_modules/.package-lock.json",
  "tsconfig.base.json",
  ...PACKAGES.flatMap((name) => [`${name}/package.json`, `${name}/tsconfig.json`]),
];

async function bundleWorker(folder: string): Promise<void> {
  const esbuildOwn = fileURLToPath(import.meta.resolve("esbuild/package.json"));
  const own = ["edge-bundle.ts", "bundle-inputs.ts", "noted-reads.ts"];
  // Before the bundler reads them: what changes meanwhile is told by the next start.
  const deciding = digestsOf([
    ...DECIDING.map((path) => join(ROOT, path)),
    ...own.map((name) => join(import.meta.dirname, name)),
    esbuildOwn,
  ]);
  const reads = noteReads();
  const { outputFiles } = await esbuild.build({
    entryPoints: [join(ROOT, "edge", "worker.ts")],
    bundle: true,
    write: false,
    outfile: join(folder, "worker.js"),
    format: "esm",
    target: "esnext",
    platform: "browser",
    conditions: ["workerd", "worker", "browser"],
    external: ["node:*", "cloudflare:*"],
    sourcemap: "linked",
    sourcesContent: false,
    legalComments: "none",
    logLevel: "silent",
    plugins: [reads.plugin],
    absWorkingDir: ROOT,
  });
  await esbuild.stop();
  const made = outputFiles.map(({ path, contents }) => [basename(path), contents] as const);
  writeBundle(folder, {
    inputs: { ...reads.inputs(), ...deciding },
    outputs: new Map([...made, ...reads.wasm()]),
  });
}

const folder = process.argv[2];
if (folder === undefined) throw new Error("expected the folder to write to: node edge-bundle.ts FOLDER");
await bundleWorker(folder);

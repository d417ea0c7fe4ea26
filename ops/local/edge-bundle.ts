/** Bundles the Worker into a folder: `node edge-bundle.ts FOLDER`. */
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { ROOT } from "../settings.ts";
import { forgetInputs, noteInputs } from "./bundle-inputs.ts";

/** Each wasm file stays a module of its own, since a Worker may not compile wasm at run time. */
async function bundleWorker(folder: string): Promise<void> {
  const wasm = new Map<string, string>();
  const separateWasm: esbuild.Plugin = {
    name: "separate-wasm",
    setup(build) {
      build.onResolve({ filter: /\.wasm$/ }, async ({ path, resolveDir, importer, kind, pluginData }) => {
        if (pluginData === separateWasm.name) return null;
        const { path: found, errors } = await build.resolve(path, {
          resolveDir,
          importer,
          kind,
          pluginData: separateWasm.name,
        });
        if (errors.length > 0) return { errors };
        wasm.set(basename(found), found);
        return { path: `./${basename(found)}`, external: true };
      });
    },
  };
  const result = await esbuild.build({
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
    plugins: [separateWasm],
    metafile: true,
    absWorkingDir: ROOT,
  });
  await esbuild.stop();
  mkdirSync(folder, { recursive: true });
  forgetInputs(folder);
  for (const old of readdirSync(folder).filter((name) => /\.(js|map|wasm)$/.test(name)))
    rmSync(join(folder, old));
  for (const { path, contents } of result.outputFiles) writeFileSync(path, contents);
  for (const [name, path] of wasm) copyFileSync(path, join(folder, name));
  const sources = Object.keys(result.metafile.inputs).map((path) => join(ROOT, path));
  const esbuildOwn = fileURLToPath(import.meta.resolve("esbuild/package.json"));
  noteInputs(folder, [...sources, ...wasm.values(), esbuildOwn, import.meta.filename]);
}

const folder = process.argv[2];
if (folder === undefined) throw new Error("expected the folder to write to: node edge-bundle.ts FOLDER");
await bundleWorker(folder);

/** The files of a bundle as the bundler read them. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Plugin } from "esbuild";
import { digestOf, type Digests } from "./bundle-inputs.ts";

export interface NotedReads {
  readonly plugin: Plugin;
  /** Of each file in the moment when it was read: one that is edited while the bundle is made differs from then on. */
  inputs(): Digests;
  /** Each wasm file stays a module of its own, since a Worker may not compile wasm at run time. */
  wasm(): ReadonlyMap<string, Uint8Array>;
}

export function noteReads(): NotedReads {
  const inputs = new Map<string, string>();
  const wasm = new Map<string, Uint8Array>();
  async function read(path: string): Promise<Uint8Array> {
    const bytes = await readFile(path);
    inputs.set(path, digestOf(bytes));
    return bytes;
  }
  const name = "noted-reads";
  const plugin: Plugin = {
    name,
    setup(build) {
      build.onResolve({ filter: /\.wasm$/ }, async ({ path, pluginData, ...from }) => {
        if (pluginData === name) return null;
        const { resolveDir, importer, kind } = from;
        const asked = { resolveDir, importer, kind, pluginData: name };
        const { path: found, errors } = await build.resolve(path, asked);
        if (errors.length > 0) return { errors };
        wasm.set(basename(found), await read(found));
        return { path: `./${basename(found)}`, external: true };
      });
      build.onLoad({ filter: /./, namespace: "file" }, async ({ path }) => ({
        contents: await read(path),
        loader: "default",
      }));
    },
  };
  return { plugin, inputs: () => Object.fromEntries(inputs), wasm: () => wasm };
}

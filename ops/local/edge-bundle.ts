/** The Worker's bundle for the local network. */
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import * as esbuild from "esbuild";
import { ROOT } from "../settings.ts";

export interface WorkerModule {
  readonly type: "ESModule" | "CompiledWasm";
  readonly path: string;
  readonly contents: string | Uint8Array<ArrayBuffer>;
}

/** Bundles `edge/worker.ts`; each wasm file stays a module of its own, since a Worker may not compile wasm at run time. */
export async function bundleWorker(): Promise<WorkerModule[]> {
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
    format: "esm",
    target: "esnext",
    platform: "browser",
    conditions: ["workerd", "worker", "browser"],
    external: ["node:*", "cloudflare:*"],
    sourcemap: "inline",
    sourcesContent: false,
    legalComments: "none",
    logLevel: "silent",
    plugins: [separateWasm],
  });
  // The compiler runs as a process of its own, which nobody needs from here on.
  await esbuild.stop();
  const script = result.outputFiles[0]?.text;
  if (script === undefined) throw new Error("expected esbuild to give one file for edge/worker.ts");
  return [
    { type: "ESModule", path: "worker.js", contents: script },
    ...[...wasm].map(([name, path]): WorkerModule => ({
      type: "CompiledWasm",
      path: name,
      contents: new Uint8Array(readFileSync(path)),
    })),
  ];
}

#!/usr/bin/env node
/** Runs the `kattegat` command with a Node that is new enough, which the package `node` brings. */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const NODE_MAJOR_MIN = 24;

const command = fileURLToPath(new URL("../kattegat.ts", import.meta.url));

function nodePath() {
  if (Number(process.versions.node.split(".")[0]) >= NODE_MAJOR_MIN) return process.execPath;
  try {
    const manifest = createRequire(import.meta.url).resolve("node/package.json");
    return join(dirname(manifest), "bin", process.platform === "win32" ? "node.exe" : "node");
  } catch {
    process.stderr.write(`kattegat: expected Node ${NODE_MAJOR_MIN} or later; this is ${process.version}\n`);
    process.exit(2);
  }
}

const { status, signal } = spawnSync(nodePath(), ["--no-warnings", command, ...process.argv.slice(2)], {
  stdio: "inherit",
});
process.exit(signal === null ? (status ?? 3) : 3);

/** The engine's compiled kernel in Node. */
import { readFileSync } from "node:fs";
import { createScanner, type Scanner } from "@kattegat/engine/vector/scan.ts";

export function readScanner(): Scanner {
  const path = new URL(import.meta.resolve("@kattegat/engine/wasm/scan.wasm"));
  return createScanner(new WebAssembly.Module(readFileSync(path)));
}

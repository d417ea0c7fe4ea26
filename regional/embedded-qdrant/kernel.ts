/** The engine's compiled kernel. */
import { readFileSync } from "node:fs";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import { createScanner } from "@kattegat/engine/vector/scan.ts";

export function loadScanner(): Scanner {
  const bytes = readFileSync(new URL(import.meta.resolve("@kattegat/engine/wasm/scan.wasm")));
  return createScanner(new WebAssembly.Module(bytes));
}

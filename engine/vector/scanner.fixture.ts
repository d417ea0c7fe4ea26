/** The scanner of the committed kernel, read from its file as a service on Node does it. */
import { readFileSync } from "node:fs";
import { createScanner, type Scanner } from "./scan.ts";

/** Returns a scanner for tests. */
export function testScanner(): Scanner {
  return createScanner(new WebAssembly.Module(readFileSync(new URL("../wasm/scan.wasm", import.meta.url))));
}

/** Writes `scan.wasm` from its source: `node engine/wasm/build.ts`. */
import { writeFile } from "node:fs/promises";
import { compileKernel } from "./compile.ts";

const binary = await compileKernel();
await writeFile(new URL("./scan.wasm", import.meta.url), binary);
process.stdout.write(`engine/wasm/scan.wasm: ${binary.byteLength} bytes\n`);

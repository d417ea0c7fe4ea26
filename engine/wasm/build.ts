/** Writes each kernel's `.wasm` from its source: `node engine/wasm/build.ts`. */
import { writeFile } from "node:fs/promises";
import { compileKernel, KERNELS } from "./compile.ts";

for (const kernel of KERNELS) {
  const binary = await compileKernel(kernel);
  await writeFile(new URL(`./${kernel}.wasm`, import.meta.url), binary);
  process.stdout.write(`engine/wasm/${kernel}.wasm: ${binary.byteLength} bytes\n`);
}

/** Compiles the kernel's source with the pinned AssemblyScript. */
import { readFile } from "node:fs/promises";
import asc from "assemblyscript/asc";

const SOURCE = new URL("./scan.as.ts", import.meta.url);

/** The bytes of `scan.wasm`; the same source and compiler give the same bytes. */
export async function compileKernel(): Promise<Uint8Array> {
  const source = await readFile(SOURCE, "utf8");
  let binary: Uint8Array | null = null;
  const { error, stderr } = await asc.main(
    ["scan.ts", "--outFile", "scan.wasm", "-O3", "--noAssert", "--runtime", "stub", "--enable", "simd"],
    {
      readFile: (name) => (name === "scan.ts" ? source : null),
      writeFile: (name, contents) => {
        if (name === "scan.wasm" && typeof contents !== "string") binary = contents;
      },
      listFiles: () => [],
    },
  );
  if (error !== null)
    throw new Error(`expected scan.as.ts to compile: ${stderr.toString()}`, { cause: error });
  if (binary === null) throw new Error("expected the compiler to write scan.wasm, got nothing");
  return binary;
}

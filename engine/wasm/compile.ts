/** Compiles a kernel's source with the pinned AssemblyScript. */
import { readFile } from "node:fs/promises";
import asc from "assemblyscript/asc";

/** `scan` scores slots in every index, `learn` trains an embedding at the primary. */
export const KERNELS = ["scan", "learn"] as const;

/** The bytes of a kernel's `.wasm`; the same source and compiler give the same bytes. */
export async function compileKernel(kernel: (typeof KERNELS)[number] = "scan"): Promise<Uint8Array> {
  const source = await readFile(new URL(`./${kernel}.as.ts`, import.meta.url), "utf8");
  let binary: Uint8Array | null = null;
  const { error, stderr } = await asc.main(
    ["kernel.ts", "--outFile", "kernel.wasm", "-O3", "--noAssert", "--runtime", "stub", "--enable", "simd"],
    {
      readFile: (name) => (name === "kernel.ts" ? source : null),
      writeFile: (name, contents) => {
        if (name === "kernel.wasm" && typeof contents !== "string") binary = contents;
      },
      listFiles: () => [],
    },
  );
  if (error !== null)
    throw new Error(`expected ${kernel}.as.ts to compile: ${stderr.toString()}`, { cause: error });
  if (binary === null) throw new Error("expected the compiler to write a kernel, got nothing");
  return binary;
}

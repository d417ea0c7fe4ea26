import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { compileKernel } from "./compile.ts";

it("is byte for byte what the pinned compiler makes of its source", async () => {
  const committed = await readFile(new URL("./learn.wasm", import.meta.url));
  expect(Buffer.from(await compileKernel("learn")).equals(committed)).toBe(true);
});

it("imports nothing, so that training needs no runtime but the engine's", async () => {
  const module = new WebAssembly.Module(await readFile(new URL("./learn.wasm", import.meta.url)));
  expect(WebAssembly.Module.imports(module)).toEqual([]);
});

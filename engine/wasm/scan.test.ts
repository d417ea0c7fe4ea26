import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { compileKernel } from "./compile.ts";

it("is byte for byte what the pinned compiler makes of its source", async () => {
  const committed = await readFile(new URL("./scan.wasm", import.meta.url));
  expect(Buffer.from(await compileKernel()).equals(committed)).toBe(true);
});

it("imports nothing, so that it runs in workerd as in Node", async () => {
  const module = new WebAssembly.Module(await readFile(new URL("./scan.wasm", import.meta.url)));
  expect(WebAssembly.Module.imports(module)).toEqual([]);
});

/** Opens the files of a trained embedding. */
import { readFileSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isIntact } from "@kattegat/engine/embedding/learned/artefact.ts";
import { headName, rowsName } from "@kattegat/engine/embedding/learned/artefact-names.ts";
import {
  createResidentLearnedEmbedder,
  type ReadPages,
  type ResidentLearnedEmbedder,
} from "@kattegat/engine/embedding/learned/embedder.ts";

/** Returns where a primary with this data folder keeps its trained embeddings. */
export function embeddingsFolder(dataFolder: string): string {
  return join(dataFolder, "embeddings");
}

/** Compiles the kernel that trains and embeds. */
export function learnModule(): WebAssembly.Module {
  const path = new URL(import.meta.resolve("@kattegat/engine/wasm/learn.wasm"));
  return new WebAssembly.Module(readFileSync(path));
}

/** Resolves with the embedder that holds all rows in memory. @throws {Error} when the files are not of this model. */
export async function openResidentEmbedder(folder: string, model: string): Promise<ResidentLearnedEmbedder> {
  const [head, rows] = await Promise.all([
    readFile(join(folder, headName(model))),
    readFile(join(folder, rowsName(model))),
  ]);
  const embedder = createResidentLearnedEmbedder({ head, rows, module: learnModule() });
  if (embedder.model !== model)
    throw new Error(`expected the embedding ${model} in ${headName(model)}, got ${embedder.model}`);
  return embedder;
}

/** Returns a reader of pages from the file of rows; a page that is damaged or cut off comes as null. */
export function filePages(path: string): ReadPages {
  return async (pages) => {
    const file = await open(path);
    try {
      return await Promise.all(
        pages.map(async (page) => {
          const { buffer, bytesRead } = await file.read(
            new Uint8Array(page.length),
            0,
            page.length,
            page.offset,
          );
          const bytes = buffer.subarray(0, bytesRead);
          return isIntact(page, bytes) ? bytes : null;
        }),
      );
    } finally {
      await file.close();
    }
  };
}

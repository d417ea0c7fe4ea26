/** Opens a file of vectors by the ending of its name. */
import { extname } from "node:path";
import { openFvecs } from "./fvecs.ts";
import { openNdjsonVectors } from "./ndjson-vectors.ts";
import { openNpy } from "./npy.ts";
import { VectorFileError, type VectorFile } from "./vector-block.ts";

/** @throws {VectorFileError} for another format, or when the file's head is not of its format. */
export function openVectorFile(path: string): Promise<VectorFile> {
  switch (extname(path)) {
    case ".npy":
      return openNpy(path);
    case ".fvecs":
      return openFvecs(path);
    case ".ndjson":
    case ".jsonl":
      return openNdjsonVectors(path);
    default:
      return Promise.reject(
        new VectorFileError(`${path}: expected a name that ends in .npy, .fvecs, .ndjson or .jsonl`),
      );
  }
}

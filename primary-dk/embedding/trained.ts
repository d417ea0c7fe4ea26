/** The trained embeddings of a folder. */
import { readFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { openHead } from "@kattegat/engine/embedding/learned/artefact.ts";
import { headName, rowsName } from "@kattegat/engine/embedding/learned/artefact-names.ts";

export interface TrainedEmbedding {
  readonly model: string;
  readonly dimensions: number;
  /** Words with a row of their own. */
  readonly words: number;
  readonly passages: number;
  readonly sampled: number;
  readonly seed: number;
  /** Residency classes that it was trained from. */
  readonly classes: readonly string[];
  readonly head_bytes: number;
  readonly rows_bytes: number;
  readonly trained_at: string;
}

/** Resolves with the embeddings that are there whole, the latest first; none where the folder is missing. */
export async function listTrained(folder: string): Promise<TrainedEmbedding[]> {
  const names = await readdir(folder).catch((error: unknown): string[] => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  });
  const models = names
    .filter((name) => name.endsWith(".head"))
    .map((name) => name.slice(0, -".head".length))
    .filter((model) => names.includes(rowsName(model)));
  const trained = await Promise.all(models.map((model) => describeTrained(folder, model)));
  return trained.toSorted((a, b) => (a.trained_at < b.trained_at ? 1 : -1));
}

/** @throws {ColdFormatError} for a damaged head. */
export async function describeTrained(folder: string, model: string): Promise<TrainedEmbedding> {
  const head = await readFile(join(folder, headName(model)));
  const { about } = openHead(head);
  const { mtime } = await stat(join(folder, headName(model)));
  return {
    model: about.model,
    dimensions: about.dimensions,
    words: about.words,
    passages: about.passages,
    sampled: about.sampled,
    seed: about.seed,
    classes: about.classes,
    head_bytes: head.byteLength,
    rows_bytes: about.rows_bytes,
    trained_at: mtime.toISOString(),
  };
}

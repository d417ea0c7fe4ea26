/** Trains an embedding and writes it where embedders open it. */
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { headName, rowsName } from "@kattegat/engine/embedding/learned/artefact-names.ts";
import { type TrainingOptions, trainEmbedding } from "@kattegat/engine/embedding/learned/train.ts";
import { learnModule } from "./artefact-files.ts";

export interface TrainedArtefact {
  readonly model: string;
  readonly headBytes: number;
  readonly rowsBytes: number;
}

/**
 * Resolves when both files are there under the model's name.
 *
 * The head is renamed last: a folder that has the head has the rows. The texts stay in this process; training takes it for
 * minutes, so it is no process that serves.
 */
export async function trainToFolder(
  folder: string,
  options: Omit<TrainingOptions, "module">,
): Promise<TrainedArtefact> {
  const { model, head, rows } = await trainEmbedding({ ...options, module: learnModule() });
  await mkdir(folder, { recursive: true });
  await writeWhole(join(folder, rowsName(model)), rows);
  await writeWhole(join(folder, headName(model)), head);
  return { model, headBytes: head.byteLength, rowsBytes: rows.byteLength };
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  await writeFile(`${path}.part`, bytes, { flush: true });
  await rename(`${path}.part`, path);
}

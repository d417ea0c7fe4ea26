/** The thread that trains an embedding. */
import { parentPort, workerData } from "node:worker_threads";
import type { TrainingProgress } from "@kattegat/engine/embedding/learned/train.ts";
import { openDatabase } from "../postgres/database.ts";
import { postgresCode } from "../postgres/failure.ts";
import { DocumentSeals } from "../sealing/document-seals.ts";
import { Keyring } from "../sealing/keyring.ts";
import { trainToFolder } from "./train-to-folder.ts";
import { trainingOrderSchema, type TrainingMessage } from "./train-order.ts";
import { trainingTexts } from "./training-texts.ts";

/** Ends the training early, out of its report of progress. */
class NothingToLearnError extends Error {
  readonly passages: number;
  constructor(passages: number) {
    super("no word stands in three passages");
    this.passages = passages;
  }
}

const order = trainingOrderSchema.parse(workerData);

function say(message: TrainingMessage): void {
  parentPort?.postMessage(message, []);
}

function report(progress: TrainingProgress): void {
  if (progress.step === "words" && progress.words === 0) throw new NothingToLearnError(progress.passages);
  say({ kind: "progress", progress });
}

async function train(): Promise<TrainingMessage> {
  const seals = new DocumentSeals(Keyring.open(order.keyring));
  const database = await openDatabase({ url: order.databaseUrl });
  try {
    // Both passes see one snapshot: a document that comes between them would be sampled without having been counted.
    return await database.sql.begin("isolation level repeatable read read only", async (tx) => {
      // The connection rests for minutes while the matrix is decomposed.
      await tx`set local idle_in_transaction_session_timeout = 0`;
      const texts = (): AsyncGenerator<string> => trainingTexts(tx, { classes: order.classes, seals });
      const { model } = await trainToFolder(order.folder, { ...order, texts, onProgress: report });
      return { kind: "trained", model };
    });
  } finally {
    await database.close();
  }
}

async function outcome(): Promise<TrainingMessage> {
  try {
    return await train();
  } catch (error) {
    if (error instanceof NothingToLearnError) return { kind: "nothing-to-learn", passages: error.passages };
    const code = postgresCode(error);
    if (code === null) throw error;
    return { kind: "unavailable", code };
  }
}

say(await outcome());

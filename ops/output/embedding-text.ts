/** Trained embeddings as text for a person. */
import type { TrainingClasses } from "@kattegat/config/embedding-residency.ts";
import type { TrainingProgress } from "@kattegat/engine/embedding/learned/train.ts";
import type { TrainedEmbedding } from "@kattegat/primary-dk/embedding/trained.ts";
import { table } from "./table.ts";

/** The line of the network file that names the embedding. */
export function networkFileLine({
  model,
  dimensions,
}: Pick<TrainedEmbedding, "model" | "dimensions">): string {
  return `embedding: { provider: learned, model: ${model}, dimensions: ${dimensions} }`;
}

/** What comes into the line of the model that serves. */
function nextLine({ model, dimensions }: Pick<TrainedEmbedding, "model" | "dimensions">): string {
  return `  next: { provider: learned, model: ${model}, dimensions: ${dimensions} }`;
}

export function formatLeftOut(leftOut: TrainingClasses["leftOut"]): readonly string[] {
  return leftOut.map(({ className, sites }) => `${className}, which may not rest at ${sites.join(", ")}`);
}

export function formatProgress(progress: TrainingProgress, tookMs: number): string {
  return `${String(Math.round(tookMs / 1_000)).padStart(4)} s  ${stepOf(progress)}`;
}

function stepOf(progress: TrainingProgress): string {
  switch (progress.step) {
    case "counted":
      return `${number(progress.passages)} passages counted`;
    case "words":
      return `${number(progress.words)} words of three passages or more, in ${number(progress.passages)} passages`;
    case "sampled":
      return `${number(progress.passages)} passages looked at for the sample`;
    case "pass":
      return `pass ${progress.pass} of ${progress.passes} over the sample`;
    case "rows":
      return `${number(progress.words)} words have a row`;
  }
}

export function formatTrained(
  trained: TrainedEmbedding,
  {
    folder,
    tookMs,
    configShown,
  }: { readonly folder: string; readonly tookMs: number; readonly configShown: string },
): string {
  return [
    `${trained.model}: ${number(trained.words)} words from ${number(trained.passages)} passages in ${Math.round(tookMs / 1_000)} s`,
    `in ${folder}: ${sizeOf(trained.head_bytes)} resident at each edge, ${sizeOf(trained.rows_bytes)} read by range`,
    "",
    `To use it where nothing was written yet, put this into ${configShown} with these files in the primary's folder:`,
    networkFileLine(trained),
    "To change the model of a network that runs, name it as the next of the one that serves, and restart:",
    nextLine(trained),
  ].join("\n");
}

export function formatTrainedList(
  trained: readonly TrainedEmbedding[],
  { folder, used, next }: { readonly folder: string; readonly used: string; readonly next: string | null },
): string {
  if (trained.length === 0) return `There is no trained embedding in ${folder}.`;
  const rows = trained.map(({ model, classes, words, passages, trained_at }) => [
    model,
    classes.join(","),
    number(words),
    number(passages),
    trained_at,
    model === used ? "the network file's" : model === next ? "the network file's next" : "",
  ]);
  return table([["model", "classes", "words", "passages", "trained", ""], ...rows], { right: [2, 3] }).join(
    "\n",
  );
}

function number(value: number): string {
  return value.toLocaleString("en");
}

function sizeOf(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

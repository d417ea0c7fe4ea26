/** One ingest from source to summary. */
import { closeSync, writeSync } from "node:fs";
import type { Client } from "../client/client.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Mapping } from "./mapping.ts";
import { outgoingDocuments } from "./outgoing.ts";
import type { IngestProgress } from "./progress.ts";
import type { Source } from "./record.ts";
import { sendDocuments, type RefusedLine } from "./sender.ts";

/** The summary names so many refused lines; `--errors` writes all. */
const REFUSED_SHOWN_MAX = 10;

export interface IngestOptions {
  readonly source: Source;
  readonly mapping: Mapping | null;
  readonly defaults: Readonly<Record<string, string | number>>;
  readonly documentsMax: number;
  readonly passagesMax: number;
  /** An open file for every refused line. */
  readonly errorsFile: number | null;
  readonly client: Client;
  readonly checkpoint: Checkpoint;
  readonly progress: IngestProgress;
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
}

export interface IngestSummary {
  readonly source: string;
  /** False when it was stopped; the same command continues. */
  readonly complete: boolean;
  readonly resumed_after_line: number;
  readonly documents: number;
  readonly passages: number;
  readonly refused: number;
  readonly refused_lines: readonly RefusedLine[];
  readonly took_ms: number;
  readonly documents_per_second: number;
  readonly passages_per_second: number;
}

/** @throws what `sendDocuments` throws, unless it was stopped; the checkpoint then knows what was acknowledged. */
export async function runIngest(options: IngestOptions): Promise<IngestSummary> {
  const { source, client, checkpoint, progress, signal, nowMs, errorsFile } = options;
  const startedMs = nowMs();
  const shown: RefusedLine[] = [];
  const counts = { documents: 0, passages: 0, refused: 0 };
  const settle = (line: number): void => {
    const { earlier } = checkpoint;
    checkpoint.settle(line, {
      documents: earlier.documents + counts.documents,
      passages: earlier.passages + counts.passages,
      refused: earlier.refused + counts.refused,
    });
    progress.count(counts);
  };
  const refused = (line: RefusedLine): void => {
    counts.refused += 1;
    if (shown.length < REFUSED_SHOWN_MAX) shown.push(line);
    // At once, so that the checkpoint never passes a line that a killed process had yet to write.
    if (errorsFile !== null) writeSync(errorsFile, `${JSON.stringify(line)}\n`);
    settle(line.line);
  };
  try {
    await sendDocuments(outgoingDocuments({ ...options, refused, reading: progress.position }), {
      client,
      signal,
      events: {
        acknowledged({ line, passages }) {
          counts.documents += 1;
          counts.passages += passages;
          settle(line);
        },
        refused,
        waiting: progress.waiting,
      },
    });
    if (signal.aborted) checkpoint.save();
    else checkpoint.finish();
  } catch (cause) {
    checkpoint.save();
    // Whatever a stopped run trips over on its way out is the stop.
    if (!signal.aborted) throw cause;
  } finally {
    progress.stop();
    if (errorsFile !== null) closeSync(errorsFile);
  }
  const tookMs = nowMs() - startedMs;
  const rate = (value: number): number => Math.round((value / Math.max(1, tookMs)) * 1_000);
  return {
    source: source.name,
    complete: !signal.aborted,
    resumed_after_line: checkpoint.resumedAfter,
    ...counts,
    refused_lines: shown,
    took_ms: Math.round(tookMs),
    documents_per_second: rate(counts.documents),
    passages_per_second: rate(counts.passages),
  };
}

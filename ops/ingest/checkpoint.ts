/** The record of how far an ingest has come. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { replaceFile } from "../local/folder.ts";

/** A second of work is what a broken run repeats; repeating changes nothing. */
const SAVE_MS_MIN = 1_000;

const checkpointSchema = z.object({
  source: z.string(),
  url: z.string(),
  done: z.int().min(0),
  documents: z.int().min(0),
  passages: z.int().min(0),
  refused: z.int().min(0),
});
type Saved = z.infer<typeof checkpointSchema>;

export interface Checkpoint {
  /** Every line up to this one was acknowledged or refused in an earlier run. */
  readonly resumedAfter: number;
  readonly earlier: Pick<Saved, "documents" | "passages" | "refused">;
  /** The line is on its way. */
  open(line: number): void;
  settle(line: number, counts: Pick<Saved, "documents" | "passages" | "refused">): void;
  save(): void;
  /** The whole source is in: the next run begins anew. */
  finish(): void;
}

export interface CheckpointOptions {
  readonly folder: string;
  /** Null: nothing is kept. */
  readonly digest: string | null;
  readonly source: string;
  readonly url: string;
  readonly restart: boolean;
  readonly nowMs?: () => number;
}

export function openCheckpoint({
  folder,
  digest,
  source,
  url,
  restart,
  nowMs = () => performance.now(),
}: CheckpointOptions): Checkpoint {
  const path = digest === null ? null : join(folder, `${digest}.json`);
  const saved = path === null || restart ? null : read(path);
  const start: Saved = saved ?? { source, url, done: 0, documents: 0, passages: 0, refused: 0 };
  let counts: Pick<Saved, "documents" | "passages" | "refused"> = start;
  let lastOpened = start.done;
  let savedMs = nowMs();
  const pending = new Set<number>();
  const doneLine = (): number => (pending.size === 0 ? lastOpened : Math.min(...pending) - 1);
  const save = (): void => {
    if (path === null) return;
    const { documents, passages, refused } = counts;
    replaceFile(
      path,
      JSON.stringify({ source, url, done: doneLine(), documents, passages, refused } satisfies Saved),
    );
    savedMs = nowMs();
  };
  return {
    resumedAfter: start.done,
    earlier: start,
    open(line) {
      pending.add(line);
      lastOpened = Math.max(lastOpened, line);
    },
    settle(line, now) {
      pending.delete(line);
      counts = now;
      if (nowMs() - savedMs >= SAVE_MS_MIN) save();
    },
    save,
    finish() {
      if (path !== null) rmSync(path, { force: true });
    },
  };
}

function read(path: string): Saved | null {
  try {
    const parsed = checkpointSchema.safeParse(JSON.parse(readFileSync(path, "utf8")));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** Danish law as a base on the local disk, built once for each size. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { buildBase } from "@kattegat/engine/cold/base/build-base.ts";
import { emptyManifest, parseManifest, type ColdManifest } from "@kattegat/engine/cold/manifest.ts";
import { crc32c } from "@kattegat/engine/cold/crc32c.ts";
import { readScanner } from "@kattegat/replication/scanner.ts";
import { z } from "zod";
import { baseFiles } from "./base-files.ts";
import { corpusIn, DIMENSIONS, PROVISIONS } from "./law-corpus.ts";

/** Ignored by git, kept between runs. */
const KEPT = join(import.meta.dirname, "..", "..", ".kattegat", "bench");
export const STATISTICS_KEY = "statistics/1.bin";

const questionsSchema = z.array(z.object({ text: z.string(), vector: z.array(z.number()) }));

export interface KeptLaw {
  readonly manifest: ColdManifest;
  /** Where the objects lie as files. */
  readonly folder: string;
  readonly questions: z.infer<typeof questionsSchema>;
  read(key: string): Uint8Array;
}

/** @param model - what the manifest says its vectors are of; questions bring theirs, so an edge never embeds. */
export async function keptLaw(lawFile: string, model: string): Promise<KeptLaw> {
  const folder = join(KEPT, `law-${PROVISIONS}`);
  if (!existsSync(folder)) await build(folder, lawFile, model);
  const read = (key: string): Uint8Array => readFileSync(join(folder, key));
  const manifest = parseManifest(new TextDecoder().decode(read("manifest.json")));
  if (manifest.base === null) throw new Error(`expected a base in ${folder}`);
  return {
    manifest,
    folder,
    questions: questionsSchema.parse(JSON.parse(readFileSync(join(folder, "questions.json"), "utf8"))),
    read,
  };
}

/** Under another name until all of it is there, so that a run that ends early leaves nothing that looks whole. */
async function build(folder: string, lawFile: string, model: string): Promise<void> {
  mkdirSync(KEPT, { recursive: true });
  const scratch = mkdtempSync(join(KEPT, "building-"));
  const store = join(scratch, "store");
  try {
    const corpus = await corpusIn(scratch, lawFile);
    const files = baseFiles(store);
    const { base } = await buildBase(corpus.spool, {
      key: "bases/law",
      model,
      scanner: readScanner(),
      put: files.put,
      deflate: deflateRawSync,
    });
    corpus.remove();
    await files.put(STATISTICS_KEY, corpus.statistics);
    const checksum = crc32c(corpus.statistics).toString(16).padStart(8, "0");
    const manifest: ColdManifest = {
      ...emptyManifest({ model, dimensions: DIMENSIONS }),
      generation: 1,
      watermark: { epoch: 1, sequence: "1" },
      watermark_at: new Date().toISOString(),
      statistics: { version: "1", key: STATISTICS_KEY, checksum },
      base,
    };
    writeFileSync(join(store, "manifest.json"), JSON.stringify(manifest));
    const questions = corpus.questions.map(({ text, dense }) => ({ text, vector: [...dense] }));
    writeFileSync(join(store, "questions.json"), JSON.stringify(questions));
    renameSync(store, folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

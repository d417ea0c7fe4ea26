/** What a bundle was made of, so that it is made anew only when that, or the bundle, has changed. */
import { hash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const FILE = "inputs.json";
/** What is loaded from the folder, or would be if it lay there. */
const BUNDLED = /\.(js|map|wasm)$/;
/** Of a file that there is not: one that comes is a change, too. */
const MISSING = "missing";

const digestsSchema = z.record(z.string(), z.string());
const recordSchema = z.object({
  node: z.string(),
  /** By path. */
  inputs: digestsSchema,
  /** By name in the folder. */
  outputs: digestsSchema,
});

export type Digests = Readonly<z.infer<typeof digestsSchema>>;

export function digestOf(bytes: Uint8Array): string {
  return hash("sha256", bytes, "hex");
}

export function digestsOf(paths: readonly string[]): Digests {
  return Object.fromEntries(paths.map((path) => [path, digestOfFile(path)]));
}

/** Replaces the bundle in the folder; `inputs` has the digest of each file as it was when it was read. */
export function writeBundle(
  folder: string,
  { inputs, outputs }: { readonly inputs: Digests; readonly outputs: ReadonlyMap<string, Uint8Array> },
): void {
  mkdirSync(folder, { recursive: true });
  // First: a bundle that is written in part has no inputs.
  rmSync(join(folder, FILE), { force: true });
  for (const old of bundledIn(folder)) rmSync(join(folder, old));
  for (const [name, bytes] of outputs) writeFileSync(join(folder, name), bytes);
  const written = Object.fromEntries([...outputs].map(([name, bytes]) => [name, digestOf(bytes)]));
  const record: z.infer<typeof recordSchema> = { node: process.version, inputs, outputs: written };
  writeFileSync(join(folder, FILE), JSON.stringify(record));
}

/**
 * Whether the folder has a whole bundle, as it was written, of files that are as they were.
 *
 * The bundler is one of these: another checkout has its own.
 */
export function isBundled(folder: string, bundler: string): boolean {
  try {
    const { node, inputs, outputs } = recordSchema.parse(
      JSON.parse(readFileSync(join(folder, FILE), "utf8")),
    );
    return (
      node === process.version &&
      Object.hasOwn(inputs, bundler) &&
      bundledIn(folder).every((name) => Object.hasOwn(outputs, name)) &&
      Object.entries(outputs).every(([name, digest]) => digestOfFile(join(folder, name)) === digest) &&
      Object.entries(inputs).every(([path, digest]) => digestOfFile(path) === digest)
    );
  } catch {
    return false; // Never made, or not to be read: the bundler tells.
  }
}

function bundledIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => BUNDLED.test(name));
}

function digestOfFile(path: string): string {
  try {
    return digestOf(readFileSync(path));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return MISSING;
    throw error;
  }
}

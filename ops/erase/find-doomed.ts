/** The documents that an erasure means. */
import { readFileSync } from "node:fs";
import { documentIdSchema } from "@kattegat/protocol/documents.ts";
import type { Filter } from "@kattegat/protocol/filter.ts";
import { selectionPageSchema, type SelectionPage } from "@kattegat/protocol/selection.ts";
import { sequenceSchema } from "@kattegat/protocol/sequence.ts";
import { z } from "zod";
import type { OperatorClient } from "../client/operator-client.ts";
import { UsageError } from "../output/exit.ts";
import type { Doomed } from "./erase-documents.ts";

type Selected = SelectionPage["documents"][number];

/** As a dry run prints it: a document that was named has nothing but its id. */
export type FoundDocument = Doomed & Partial<Selected>;

export interface Meant {
  readonly ids: readonly string[];
  readonly filter?: Filter;
  readonly collection?: string;
  readonly listed?: string;
  readonly ifVersion?: string;
}

/**
 * Every document that is named is meant in whichever version it has; one that a filter found, in the version that it found, since
 * another may be about something else.
 *
 * @throws {UsageError} when it is not said in exactly one way which documents are meant.
 */
export async function findDoomed(
  meant: Meant,
  {
    primary,
    progress,
  }: { readonly primary: () => Promise<OperatorClient>; readonly progress: (text: string) => void },
): Promise<readonly FoundDocument[]> {
  const { ids, filter, collection, listed, ifVersion } = meant;
  if ([ids.length > 0, filter !== undefined, listed !== undefined].filter(Boolean).length !== 1)
    throw new UsageError("Expected either ids of documents, or --filter, or --listed.");
  if (filter === undefined && collection !== undefined)
    throw new UsageError("--collection goes with --filter; ids name documents of every collection.");
  if (ifVersion !== undefined && ids.length !== 1)
    throw new UsageError("--if-version goes with the id of one document.");
  if (listed !== undefined) return readListed(listed);
  if (filter === undefined) return named(ids, ifVersion);
  return await select({ filter, collection: collection ?? null }, { primary: await primary(), progress });
}

/** A document that is named is not looked for: it may be of a class that this operator may not read. */
function named(ids: readonly string[], version: string | undefined): readonly Doomed[] {
  for (const id of ids)
    if (!documentIdSchema.safeParse(id).success)
      throw new UsageError(`Expected ids of 1 to 256 of A–Z a–z 0–9 . _ ~ -, got ${JSON.stringify(id)}.`);
  return [...new Set(ids)].map((id) => (version === undefined ? { id } : { id, version }));
}

async function select(
  asked: { readonly filter: Filter; readonly collection: string | null },
  { primary, progress }: { readonly primary: OperatorClient; readonly progress: (text: string) => void },
): Promise<readonly Selected[]> {
  const found: Selected[] = [];
  let scanned = 0;
  for (let after: string | null = ""; after !== null;) {
    const body = { ...asked, after };
    const page: SelectionPage = await primary.json(selectionPageSchema, "/internal/documents:select", {
      body,
    });
    found.push(...page.documents);
    scanned += page.scanned;
    ({ after } = page);
    if (after !== null)
      progress(`${scanned.toLocaleString("en")} documents looked at, ${found.length} found`);
  }
  return found;
}

const listedSchema = z.object({
  documents: z.array(z.looseObject({ id: documentIdSchema, version: sequenceSchema.optional() })),
});

function readListed(path: string): readonly Doomed[] {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw notListed(path, cause instanceof Error ? cause.message : String(cause));
  }
  const parsed = listedSchema.safeParse(value);
  if (!parsed.success) throw notListed(path, z.prettifyError(parsed.error));
  const byId = new Map(
    parsed.data.documents.map(({ id, version }) => [id, version === undefined ? { id } : { id, version }]),
  );
  return [...byId.values()];
}

function notListed(path: string, reason: string): UsageError {
  return new UsageError(`Expected in ${path} what a --dry-run with --json prints: ${reason}`);
}

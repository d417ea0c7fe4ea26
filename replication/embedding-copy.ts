/** The trained embedding in one zone's bucket. */
import { barredFrom } from "@kattegat/config/embedding-residency.ts";
import type { Network } from "@kattegat/config/network.ts";
import { ColdFormatError } from "@kattegat/engine/cold/format-error.ts";
import type { ArtefactHead } from "@kattegat/engine/embedding/learned/artefact.ts";
import { embeddingKeys, headName, rowsName } from "@kattegat/engine/embedding/learned/artefact-names.ts";
import { checkArtefact } from "@kattegat/engine/embedding/learned/check-artefact.ts";
import { ERROR_KINDS, KattegatError } from "@kattegat/protocol/errors.ts";
import type { ColdStore } from "./cold-store.ts";
import type { Primary } from "./primary.ts";

export interface EmbeddingCopy {
  /** Resolves when the zone has every object that its readers need for vectors of the model; at once for models that need none. */
  ensure(signal: AbortSignal): Promise<void>;
}

/**
 * Copies the artefact from the primary, each object once: their names follow from their bytes, so what is there is never stale.
 *
 * The bucket itself compares what it was sent with a digest. Killed anywhere, a later copy sends what is missing.
 */
export function createEmbeddingCopy(options: {
  readonly store: ColdStore;
  readonly primary: Pick<Primary, "embedding">;
  readonly network: Network;
  readonly model: string;
}): EmbeddingCopy {
  const { store, primary, network, model } = options;
  const keys = embeddingKeys(model);
  let isThere = keys === null;
  let running: Promise<void> | null = null;

  async function copy(signal: AbortSignal): Promise<void> {
    if (keys === null) return;
    const present = await Promise.all([
      store.hasObject(keys.head, signal),
      store.hasObject(keys.rows, signal),
    ]);
    if (present.every((object) => object)) return;
    const head = await primary.embedding(headName(model), signal);
    const rows = await primary.embedding(rowsName(model), signal);
    assertAllowed(wholeHead(model, { head, rows }), { network, site: store.site });
    // The head last: a zone that has it has the rows.
    await store.putObject(keys.rows, rows, signal, { withDigest: true });
    await store.putObject(keys.head, head, signal, { withDigest: true });
  }

  return {
    async ensure(signal) {
      if (isThere) return;
      // Batches and upkeep ask at the same time; forty megabytes need go only once.
      running ??= copy(signal)
        .catch(asOwnFault)
        .finally(() => {
          running = null;
        });
      await running;
      isThere = true;
    },
  };
}

function wholeHead(
  model: string,
  artefact: { readonly head: Uint8Array; readonly rows: Uint8Array },
): ArtefactHead {
  try {
    return checkArtefact(model, artefact);
  } catch (cause) {
    if (!(cause instanceof ColdFormatError)) throw cause;
    throw new KattegatError("unavailable", `The primary's embedding is not usable: ${cause.message}.`, {
      cause,
    });
  }
}

function assertAllowed(
  { about }: ArtefactHead,
  { network, site }: { readonly network: Network; readonly site: string },
): void {
  const barred = barredFrom(network, about.classes, { id: site });
  if (barred.length > 0)
    throw new KattegatError(
      "residency_refused",
      `${about.model} was trained from ${barred.join(", ")}, which may not rest at ${site}.`,
    );
}

/** A refused artefact is no change's fault: none may be parked for it. */
function asOwnFault(error: unknown): never {
  if (!(error instanceof KattegatError) || ERROR_KINDS[error.code].fault !== "caller") throw error;
  throw new KattegatError("not_ready", error.message, { cause: error });
}

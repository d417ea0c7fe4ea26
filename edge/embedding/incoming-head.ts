/** The check of a trained embedding on its way into this zone's bucket. */
import { barredFrom } from "@kattegat/config/embedding-residency.ts";
import type { Network } from "@kattegat/config/network.ts";
import { ColdFormatError } from "@kattegat/engine/cold/format-error.ts";
import { HEAD_BYTES_MAX, type ArtefactHead } from "@kattegat/engine/embedding/learned/artefact.ts";
import { openHeadOf } from "@kattegat/engine/embedding/learned/check-artefact.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";

/** Returns the model whose head the key names; null for any other object. */
export function modelOfHeadKey(key: string): string | null {
  return /^embeddings\/([A-Za-z0-9._-]+)\.head$/.exec(key)?.[1] ?? null;
}

/**
 * Resolves with the head's bytes when the classes that it was trained from may rest here (I5); its rows tell nothing without it.
 *
 * @throws {KattegatError} `residency_refused`, `too_large`, or `bad_request` for what is no head of the model.
 */
export async function checkedHead(
  body: ReadableStream,
  options: {
    readonly model: string;
    readonly bytes: number;
    readonly network: Network;
    readonly site: string;
  },
): Promise<Uint8Array<ArrayBuffer>> {
  if (options.bytes > HEAD_BYTES_MAX)
    throw new KattegatError("too_large", `Expected a head of at most ${HEAD_BYTES_MAX} bytes.`);
  const bytes = new Uint8Array(await new Response(body).arrayBuffer());
  const { about } = headIn(bytes, options.model);
  const barred = barredFrom(options.network, about.classes, { id: options.site });
  if (barred.length > 0)
    throw new KattegatError(
      "residency_refused",
      `${about.model} was trained from ${barred.join(", ")}, which may not rest at ${options.site}.`,
    );
  return bytes;
}

function headIn(bytes: Uint8Array, model: string): ArtefactHead {
  try {
    return openHeadOf(model, bytes);
  } catch (cause) {
    if (!(cause instanceof ColdFormatError)) throw cause;
    throw new KattegatError("bad_request", `${cause.message}.`, { cause });
  }
}

/** Reads one object of an archive. */
import { KeyringError } from "@kattegat/primary-dk/sealing/keyring.ts";
import { SealError } from "@kattegat/primary-dk/sealing/seal.ts";
import type { SealedRecord } from "@kattegat/protocol/sealed-record.ts";
import type { Bucket } from "@kattegat/replication/archive/bucket.ts";
import { keyOf } from "@kattegat/replication/archive/object-name.ts";
import { decodeObject } from "@kattegat/replication/archive/stored-object.ts";
import { ZodError } from "zod";

/**
 * Resolves with what `open` makes of the object, `gone` when it was deleted since it was listed, `damaged` when it is not what its name
 * says or does not open.
 */
export async function openObject<T>(
  key: string,
  {
    bucket,
    open,
    signal,
  }: {
    readonly bucket: Pick<Bucket, "get">;
    readonly open: (sealed: SealedRecord) => T;
    readonly signal: AbortSignal;
  },
): Promise<T | "damaged" | "gone"> {
  const stored = await bucket.get(key, signal);
  if (stored === null) return "gone";
  try {
    // Seals tell more than the checksum, and objects of earlier releases have none.
    const { sealed } = decodeObject(stored.bytes);
    return keyOf(sealed) === key ? open(sealed) : "damaged";
  } catch (error) {
    if ([SealError, KeyringError, ZodError, SyntaxError].some((kind) => error instanceof kind))
      return "damaged";
    throw error;
  }
}

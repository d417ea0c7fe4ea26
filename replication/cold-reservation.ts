/** The promise that an object which no manifest refers to yet will be found again. */
import type { Cached } from "@kattegat/engine/cold/manifest-shape.ts";
import type { ColdManifest } from "@kattegat/engine/cold/manifest.ts";
import type { Fence } from "@kattegat/protocol/sequence.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";

/** A key must be in a manifest's garbage list for less than this when it is published: the list's age of deletion is 60 s. */
const PUBLISH_MS_MAX = 45_000;
/** A reservation younger than this leaves time to upload. */
const UPLOAD_MS_MAX = 15_000;

/**
 * Returns the manifest with the key on its garbage list, where it stands until a manifest refers to it: an upload that
 * a crash left behind is deleted by whoever comes next. Null when a young reservation is there already. A lease is for
 * what takes longer than an upload: the making of a base. Of what is withdrawn up to `after`, the object will have nothing.
 */
export function withReservation(
  base: ColdManifest,
  key: string,
  nowMs: number,
  {
    leaseMs = 0,
    after = base.watermark,
    cached,
  }: { readonly leaseMs?: number; readonly after?: Fence; readonly cached: Cached },
): ColdManifest | null {
  if (ageMs(base, key, nowMs + leaseMs) < UPLOAD_MS_MAX) return null;
  const garbage = base.garbage.filter((entry) => entry.key !== key);
  // Garbage only from then on.
  const since = new Date(nowMs + leaseMs).toISOString();
  // Reserved before, it may be there already.
  const known = base.garbage.find((entry) => entry.key === key);
  const remains = known === undefined ? { after, ...cached } : { ...known, after: known.after ?? after };
  return { ...base, garbage: [...garbage, { ...remains, key, since }] };
}

/** @throws {KattegatError} `conflict` when the key's reservation has run out, so its object may be gone. */
export function assertReserved(base: ColdManifest, key: string, nowMs: number): void {
  if (ageMs(base, key, nowMs) < PUBLISH_MS_MAX) return;
  throw new KattegatError("conflict", `Expected ${key} to be reserved; its time has run out.`);
}

function ageMs(base: ColdManifest, key: string, nowMs: number): number {
  const entry = base.garbage.find((garbage) => garbage.key === key);
  return entry === undefined ? Infinity : nowMs - Date.parse(entry.since);
}

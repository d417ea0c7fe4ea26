/** Says whether a site may be asked. */
import type { Network } from "@kattegat/config/network.ts";
import type { Watermark } from "./apply/watermark.ts";

/** Readiness is asked every few seconds; a node in the same region answers in one. */
const READY_MS_MAX = 1_000;

/** Returns why the site is not ready, or null. */
export async function notReadyReason(
  { watermark }: { readonly watermark: Watermark },
  network: Network,
): Promise<string | null> {
  try {
    await watermark.read(READY_MS_MAX);
  } catch (error) {
    return `Qdrant: ${error instanceof Error ? error.message : "it does not answer."}`;
  }
  const lagMs = watermark.lagMs();
  const { lag_ms_max: lagMsMax } = network.limits;
  return lagMs !== null && lagMs > lagMsMax
    ? `The site is ${Math.round(lagMs)} ms behind the primary; at most ${lagMsMax} ms are allowed.`
    : null;
}

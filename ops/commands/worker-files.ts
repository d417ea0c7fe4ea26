/** The wrangler files that are deployed for a network. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ZONES } from "@kattegat/config/residency-class.ts";
import type { WorkerFile } from "@kattegat/config/worker-check.ts";
import { UsageError } from "../output/exit.ts";
import { ROOT } from "../settings.ts";

/** One file per zone, `edge/wrangler.ZONE.json`; a zone without one is not deployed from here. */
export function workerFiles(): readonly WorkerFile[] {
  return ZONES.flatMap((zone) => {
    const file = `edge/wrangler.${zone}.json`;
    const path = join(ROOT, file);
    if (!existsSync(path)) return [];
    try {
      return [{ file, zone, settings: JSON.parse(readFileSync(path, "utf8")) }];
    } catch (cause) {
      throw new UsageError(
        `${file}: expected JSON: ${cause instanceof Error ? cause.message : "it does not parse"}.`,
      );
    }
  });
}

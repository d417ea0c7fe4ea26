/** Runs the audit as the operator does: as a process of its own. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { BenchNetwork } from "./network.ts";

const MEMORY_POLL_MS = 100;

const reportSchema = z.object({
  documents: z.int(),
  pending: z.int(),
  findings: z.array(z.looseObject({ kind: z.string(), site: z.string(), detail: z.string() })),
  sites: z.array(
    z.object({
      site: z.string(),
      kind: z.string(),
      unseen: z.string().nullable(),
      took_ms: z.number().nullable(),
      classes: z.array(z.object({ copies: z.int() })),
    }),
  ),
});

export interface AuditRun {
  readonly seconds: number;
  readonly mib: number;
  readonly report: z.infer<typeof reportSchema>;
}

/** `args` are added to the command. */
export async function runAudit({ data }: BenchNetwork, args: readonly string[] = []): Promise<AuditRun> {
  const root = join(import.meta.dirname, "..");
  const started = performance.now();
  const child = spawn(
    process.execPath,
    ["--no-warnings", join(root, "ops", "kattegat.ts"), "residency", "audit", "--json", ...args],
    {
      cwd: root,
      // oxlint-disable-next-line node/no-process-env -- the child needs the path and home of this process
      env: { ...process.env, KATTEGAT_DATA: data, KATTEGAT_CONFIG: join(data, "network.yaml") },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let kib = 0;
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid ?? 0}/status`, "utf8");
      kib = Math.max(kib, Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0));
    } catch {
      // It ended meanwhile.
    }
  }, MEMORY_POLL_MS);
  let text = "";
  for await (const part of child.stdout.setEncoding("utf8")) text += String(part);
  clearInterval(timer);
  const seconds = (performance.now() - started) / 1_000;
  return { seconds, mib: kib / 1_024, report: reportSchema.parse(JSON.parse(text)) };
}

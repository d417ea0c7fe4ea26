/** What the ledger says, for people. */
import { z } from "zod";
import type { LedgerVerdict } from "../ledger/verify-ledger.ts";
import type { Painter } from "./painter.ts";
import { table } from "./table.ts";

const lineSchema = z.object({
  kind: z.string(),
  at: z.string(),
  site: z.string().optional(),
  copies: z.array(z.object({ site: z.string() })).optional(),
  class: z.string().optional(),
  reason: z.string().optional(),
  sequence: z.string().optional(),
  policy: z.string().optional(),
});

export function formatEntries(entries: readonly string[]): string {
  if (entries.length === 0) return "The ledger has no entry about this document.";
  const lines = table([
    ["time", "what", "sites", "class", "reason", "sequence", "policy"],
    ...entries.map((text) => {
      const entry = lineSchema.parse(JSON.parse(text));
      const sites = entry.site ?? entry.copies?.map(({ site }) => site).join(", ") ?? "";
      return [
        entry.at,
        entry.kind,
        sites,
        entry.class ?? "",
        entry.reason ?? "",
        entry.sequence ?? "",
        entry.policy ?? "",
      ];
    }),
  ]);
  return lines.join("\n");
}

export function formatVerdict(verdict: LedgerVerdict, paint: Painter): string {
  const { origin, entries, states, documents, copies, findings } = verdict;
  const number = (value: number): string => value.toLocaleString("en");
  const head =
    findings.length === 0
      ? paint.green(`${origin}: ${number(entries)} entries are what the checkpoints sign`)
      : paint.red(`${origin}: ${findings.length} findings in ${number(entries)} entries`);
  return [
    head,
    ...findings.map(({ index, detail }) =>
      index === null ? `  the ledger: ${detail}` : `  entry ${index}: ${detail}`,
    ),
    `${number(states)} states of all copies, the last of ${number(documents)} documents`,
    ...table([["site", "copies"], ...Object.entries(copies).map(([site, count]) => [site, number(count)])]),
  ].join("\n");
}

/** Tables of a benchmark on the terminal, in JSON files, in docs/benchmarks.md. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { z } from "zod";

const FOLDER = join(import.meta.dirname, "results");
const PAGE = join(import.meta.dirname, "..", "docs", "benchmarks.md");

const cellSchema = z.union([z.string(), z.number(), z.null()]);
const resultSchema = z.object({
  name: z.string(),
  title: z.string(),
  command: z.string(),
  measured_at: z.string(),
  machine: z.string(),
  notes: z.array(z.string()),
  tables: z.array(
    z.object({ title: z.string(), columns: z.array(z.string()), rows: z.array(z.array(cellSchema)) }),
  ),
});

/** What one benchmark found; every number's unit stands in its column's name. */
export type BenchResult = z.infer<typeof resultSchema>;
export type Table = BenchResult["tables"][number];

export function machineName(): string {
  const gib = Math.round(totalmem() / 2 ** 30);
  return `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? "unknown"}), ${gib} GiB, Node ${process.versions.node}`;
}

/** Says how busy the machine was, which is not the benchmark's own doing alone. */
export function loadNote(): string {
  const [minute = 0, , quarter = 0] = loadavg();
  return `Load of the machine when the run ended: ${minute.toFixed(1)} over a minute, ${quarter.toFixed(1)} over a quarter of an hour, on ${availableParallelism()} cores.`;
}

function cellText(cell: z.infer<typeof cellSchema>): string {
  if (cell === null) return "–";
  if (typeof cell === "string") return cell;
  if (Number.isInteger(cell)) return cell.toLocaleString("en-US");
  return Math.abs(cell) >= 100 ? cell.toFixed(0) : Math.abs(cell) >= 10 ? cell.toFixed(1) : cell.toFixed(3);
}

function markdownTable(table: Table): string {
  const rows = [table.columns, ...table.rows.map((row) => row.map(cellText))];
  const widths = table.columns.map((_, index) => Math.max(3, ...rows.map((row) => row[index]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

function markdown(result: BenchResult): string {
  const tables = result.tables.map((table) => `**${table.title}**\n\n${markdownTable(table)}`);
  const notes = result.notes.map((note) => `- ${note}`).join("\n");
  return [
    `## ${result.title}`,
    `\`${result.command}\` · ${result.measured_at.slice(0, 10)} · ${result.machine}`,
    ...tables,
    notes,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** Prints the result, keeps it as JSON, renders the page again from all that is kept. */
export function publish(result: BenchResult): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, `${result.name}.json`), `${JSON.stringify(result, null, 2)}\n`);
  console.log(`\n${markdown(result)}\n`);
  renderPage();
}

/** Writes docs/benchmarks.md from the kept results. */
export function renderPage(): void {
  const results = readdirSync(FOLDER)
    .filter((file) => file.endsWith(".json"))
    .toSorted()
    .map((file) => resultSchema.parse(JSON.parse(readFileSync(join(FOLDER, file), "utf8"))));
  const introduction = [
    "# Benchmarks",
    "This page is rendered from `bench/results/*.json` by `npm run bench`; every section names the command that made it.",
    "The machines are shared and noisy: read the ratios between rows of one table rather than single times.",
  ].join("\n\n");
  writeFileSync(PAGE, `${[introduction, ...results.map(markdown)].join("\n\n")}\n`);
}

/** Recall by bytes as a drawing, the CPU time of each point beside it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Table } from "../report.ts";

const FOLDER = join(import.meta.dirname, "..", "..", "docs");
const [WIDTH, HEIGHT] = [760, 420];
const MARGIN = { left: 60, right: 90, top: 30, bottom: 50 } as const;
const COLOURS = ["#1f5fa8", "#2e7d32", "#8e5a00", "#6a3fa0", "#00838f"] as const;
/** About so many lines of the grid each way. */
const TICKS = 8;

interface Point {
  readonly name: string;
  readonly recall: number;
  readonly kib: number;
  readonly cpuMs: number;
}

/** Draws the rows of tables that have the columns of `COLUMNS`, one line for each table, the reader's own choice as a square. */
export function drawCurves(
  file: string,
  { title, tables }: { readonly title: string; readonly tables: readonly Table[] },
): void {
  writeFileSync(join(FOLDER, file), svgOf(title, tables));
}

function pointsOf(table: Table): Point[] {
  const column = (name: string): number => table.columns.indexOf(name);
  return table.rows.map((row) => ({
    name: String(row[0]),
    recall: Number(row[column("recall@10")]),
    kib: Number(row[column("KiB a query")]),
    cpuMs: Number(row[column("CPU ms p50")]),
  }));
}

function svgOf(title: string, tables: readonly Table[]): string {
  const lines = tables.map(pointsOf);
  const points = lines.flat();
  const recallTick = tickOf(1 - Math.min(...points.map(({ recall }) => recall)));
  const kibTick = tickOf(Math.max(...points.map(({ kib }) => kib)));
  const lowest = Math.floor(Math.min(...points.map(({ recall }) => recall)) / recallTick) * recallTick;
  const most = Math.ceil(Math.max(...points.map(({ kib }) => kib)) / kibTick) * kibTick;
  const x = (kib: number): number =>
    Math.round(MARGIN.left + (kib / most) * (WIDTH - MARGIN.left - MARGIN.right));
  const y = (recall: number): number =>
    Math.round(MARGIN.top + ((1 - recall) / (1 - lowest)) * (HEIGHT - MARGIN.top - MARGIN.bottom));
  const grid = [
    ...steps(0, most, kibTick).flatMap((kib) => [
      line([x(kib), y(1)], [x(kib), y(lowest)]),
      text([x(kib), y(lowest) + 18], String(kib), "middle"),
    ]),
    ...steps(lowest, 1, recallTick).flatMap((recall) => [
      line([x(0), y(recall)], [x(most), y(recall)]),
      text([x(0) - 8, y(recall) + 4], recall.toFixed(2), "end"),
    ]),
  ];
  const drawn = lines.flatMap((each, at) =>
    drawLine(each, { x, y, colour: COLOURS[at % COLOURS.length] ?? "#000", isAlone: lines.length === 1 }),
  );
  const names =
    tables.length < 2
      ? []
      : tables.map(
          (table, at) =>
            `<text x="${WIDTH - MARGIN.right - 8}" y="${y(lowest) - 12 - 16 * (tables.length - 1 - at)}" text-anchor="end" fill="${COLOURS[at % COLOURS.length]}">${table.title}</text>`,
        );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text([MARGIN.left, 18], `${title}: recall@10 by KiB a query, CPU ms (median)`, "start"),
    ...grid,
    ...drawn,
    ...names,
    text([WIDTH / 2, HEIGHT - 10], "KiB a query", "middle"),
    "</svg>\n",
  ].join("\n");
}

function drawLine(
  points: readonly Point[],
  {
    x,
    y,
    colour,
    isAlone,
  }: {
    readonly x: (kib: number) => number;
    readonly y: (recall: number) => number;
    readonly colour: string;
    /** Many lines have room for few words. */
    readonly isAlone: boolean;
  },
): string[] {
  const curve = points.filter(({ name }) => /^\d+$/u.test(name));
  const marks = points.map(({ name, recall, kib, cpuMs }) => {
    const isCurve = curve.some((point) => point.name === name);
    const [left, top] = [x(kib), y(recall)];
    const mark = isCurve
      ? `<circle cx="${left}" cy="${top}" r="4" fill="${colour}"/>`
      : `<rect x="${left - 5}" y="${top - 5}" width="10" height="10" fill="${isAlone ? "#b3261e" : colour}"/>`;
    const words = isCurve ? `${name} lists` : "reader";
    const label = isAlone || !isCurve ? `${words}, ${cpuMs.toFixed(0)} ms` : name;
    return mark + text([left + 8, top + (isCurve ? 14 : -8)], label, "start");
  });
  const path = curve.map(({ kib, recall }) => `${x(kib)},${y(recall)}`).join(" ");
  return [`<polyline fill="none" stroke="${colour}" points="${path}"/>`, ...marks];
}

/** One, two or five times a power of ten. */
function tickOf(range: number): number {
  const power = 10 ** Math.floor(Math.log10(range / TICKS));
  return (([1, 2, 5, 10] as const).find((times) => times * power * TICKS >= range) ?? 10) * power;
}

function steps(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.round((to - from) / step) + 1 }, (_, at) => from + at * step);
}

function line(from: readonly [number, number], to: readonly [number, number]): string {
  return `<line x1="${from[0]}" y1="${from[1]}" x2="${to[0]}" y2="${to[1]}" stroke="#ddd"/>`;
}

function text([left, top]: readonly [number, number], content: string, anchor: string): string {
  return `<text x="${left}" y="${top}" text-anchor="${anchor}">${content}</text>`;
}

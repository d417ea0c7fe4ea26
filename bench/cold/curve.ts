/** Recall by bytes as a drawing, the CPU time of each point beside it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Table } from "../report.ts";

const FILE = join(import.meta.dirname, "..", "..", "docs", "cold-recall.svg");
const [WIDTH, HEIGHT] = [760, 420];
const MARGIN = { left: 60, right: 90, top: 30, bottom: 50 } as const;
const RECALL_TICK = 0.02;
const KIB_TICK = 250;

interface Point {
  readonly name: string;
  readonly recall: number;
  readonly kib: number;
  readonly cpuMs: number;
}

/** Draws the rows of a table that has the columns of `COLUMNS`, the reader's own choice as a square. */
export function drawCurve(table: Table): void {
  const column = (name: string): number => table.columns.indexOf(name);
  const points = table.rows.map((row) => ({
    name: String(row[0]),
    recall: Number(row[column("recall@10")]),
    kib: Number(row[column("KiB a query")]),
    cpuMs: Number(row[column("CPU ms p50")]),
  }));
  writeFileSync(FILE, svgOf(table.title, points));
}

function svgOf(title: string, points: readonly Point[]): string {
  const lowest = Math.floor(Math.min(...points.map(({ recall }) => recall)) / RECALL_TICK) * RECALL_TICK;
  const most = Math.ceil(Math.max(...points.map(({ kib }) => kib)) / KIB_TICK) * KIB_TICK;
  const x = (kib: number): number =>
    Math.round(MARGIN.left + (kib / most) * (WIDTH - MARGIN.left - MARGIN.right));
  const y = (recall: number): number =>
    Math.round(MARGIN.top + ((1 - recall) / (1 - lowest)) * (HEIGHT - MARGIN.top - MARGIN.bottom));
  const curve = points.filter(({ name }) => /^\d+$/u.test(name));
  const ticks = [
    ...steps(0, most, KIB_TICK).flatMap((kib) => [
      line([x(kib), y(1)], [x(kib), y(lowest)]),
      text([x(kib), y(lowest) + 18], String(kib), "middle"),
    ]),
    ...steps(lowest, 1, RECALL_TICK).flatMap((recall) => [
      line([x(0), y(recall)], [x(most), y(recall)]),
      text([x(0) - 8, y(recall) + 4], recall.toFixed(2), "end"),
    ]),
  ];
  const marks = points.map(({ name, recall, kib, cpuMs }) => {
    const isCurve = curve.some((point) => point.name === name);
    const [left, top] = [x(kib), y(recall)];
    const mark = isCurve
      ? `<circle cx="${left}" cy="${top}" r="4" fill="#1f5fa8"/>`
      : `<rect x="${left - 5}" y="${top - 5}" width="10" height="10" fill="#b3261e"/>`;
    const label = `${isCurve ? `${name} lists` : "reader"}, ${cpuMs.toFixed(0)} ms`;
    return mark + text([left + 8, top + (isCurve ? 14 : -8)], label, "start");
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text([MARGIN.left, 18], `${title}: recall@10 by KiB a query, CPU ms (median)`, "start"),
    ...ticks,
    `<polyline fill="none" stroke="#1f5fa8" points="${curve.map(({ kib, recall }) => `${x(kib)},${y(recall)}`).join(" ")}"/>`,
    ...marks,
    text([WIDTH / 2, HEIGHT - 10], "KiB a query", "middle"),
    "</svg>\n",
  ].join("\n");
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

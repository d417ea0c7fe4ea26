/** What was found in a network file as text for a person. */
import type { CallerExplanation, DocumentExplanation } from "@kattegat/config/explain.ts";
import type { Finding } from "@kattegat/config/finding.ts";
import type { Painter } from "./painter.ts";
import { table } from "./table.ts";

export function formatFindings(
  findings: readonly Finding[],
  { file, paint }: { readonly file: string; readonly paint: Painter },
): string {
  const colours = { error: paint.red, warning: paint.yellow, note: paint.dim };
  const lines = findings.flatMap(({ severity, where, found, write }) => [
    `${colours[severity](severity)}  ${where}`,
    `    ${found}`,
    `    write: ${write}`,
  ]);
  const counts = (["error", "warning", "note"] as const).flatMap((severity) => {
    const number = findings.filter((finding) => finding.severity === severity).length;
    return number === 0 ? [] : [`${number} ${severity}${number === 1 ? "" : "s"}`];
  });
  return [...lines, `${file}: ${counts.length === 0 ? "nothing to say" : counts.join(", ")}`].join("\n");
}

export function formatDocument(explanation: DocumentExplanation, paint: Painter): string {
  const rows = explanation.sites.map(({ site, copy, why }) => [site, copy, why]);
  const zones = explanation.zones.map(({ zone, mayPass, mayCache }) => [
    zone,
    mayPass ? "may pass" : "may not pass",
    mayCache ? "may cache" : "may not cache",
  ]);
  return [
    paint.bold(`class ${explanation.residency}, tier ${explanation.tier}`),
    "",
    ...table([["site", "copy", "why"], ...rows]),
    "",
    ...table([["zone", "content", "results"], ...zones]),
  ].join("\n");
}

export function formatCaller(
  country: string,
  explanations: readonly CallerExplanation[],
  paint: Painter,
): string {
  const parts = explanations.flatMap(({ zone, hostname, served, notServed }) => [
    paint.bold(`a caller in ${country} at zone ${zone}${hostname === null ? "" : ` (${hostname})`}`),
    `  served: ${served.join(", ") || "nothing"}`,
    ...notServed.map(({ className, why }) => `  not served: ${className}: ${why}`),
    "",
  ]);
  return parts.slice(0, -1).join("\n");
}

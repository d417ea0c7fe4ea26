/** What was found in a network file as text for a person. */
import type { CallerExplanation, DocumentExplanation } from "@kattegat/config/explain.ts";
import type { Finding } from "@kattegat/config/finding.ts";
import type { DecidingRule } from "@kattegat/config/residency.ts";
import type { Painter } from "./painter.ts";

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
  const { residency, tier, policy, sites, zones, retention, collection } = explanation;
  const width = Math.max(...sites.map(({ site }) => site.length));
  return [
    `${paint.bold(`class ${residency}, tier ${tier}`)} ${paint.dim(`policy ${policy}`)}`,
    ...(collection === null
      ? []
      : [`the collection ${collection.name} takes the classes ${collection.takes.join(", ")}`]),
    ...(retention === null
      ? []
      : [
          `kept ${retention.period}${retention.until === null ? "" : `: deleted after ${retention.until}`}`,
          paint.dim(`    ${retention.reason} (${retention.reference})`),
        ]),
    ...sites.flatMap(({ site, copy, why, rules }) => [
      "",
      `${paint.bold(site.padEnd(width))}  ${copy}: ${why}`,
      ...ruleLines(rules, paint),
    ]),
    ...zones.flatMap(({ zone, pass, cache }) => [
      "",
      `${paint.bold(`zone ${zone}`)}  content ${pass.allowed ? "may pass" : "may not pass"}`,
      ...ruleLines(pass.rules, paint),
      `${paint.bold(`zone ${zone}`)}  results ${cache.allowed ? "may be cached" : "may not be cached"}`,
      ...ruleLines(cache.rules, paint),
    ]),
  ].join("\n");
}

export function formatCaller(
  country: string,
  explanations: readonly CallerExplanation[],
  paint: Painter,
): string {
  const parts = explanations.flatMap(({ zone, hostname, served, notServed }) => [
    paint.bold(`a caller in ${country} at zone ${zone}${hostname === null ? "" : ` (${hostname})`}`),
    ...(served.length === 0 ? ["  served: nothing"] : []),
    ...served.flatMap(({ className, from, rules }) => [
      `  served: ${className}, from ${Object.entries(from)
        .map(([tier, sites]) => `${sites.join(", ")} (${tier})`)
        .join(", ")}`,
      ...ruleLines(rules, paint),
    ]),
    ...notServed.flatMap(({ why, rules }) => [`  not served: ${why}`, ...ruleLines(rules, paint)]),
    "",
  ]);
  return parts.slice(0, -1).join("\n");
}

/** Each rule with what it says of this question, then why it is there. */
function ruleLines(rules: readonly DecidingRule[], paint: Painter): readonly string[] {
  return rules.flatMap(({ path, allows, says, reason, reference }) => [
    `    ${allows ? paint.green("allows") : paint.red("refuses")}  ${path}: ${says}`,
    ...(reason === null && reference === null
      ? []
      : [
          paint.dim(
            `        ${[reason, reference === null ? null : `(${reference})`].filter((part) => part !== null).join(" ")}`,
          ),
        ]),
  ]);
}

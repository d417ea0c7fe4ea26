/** An audit for a terminal. */
import { FINDING_KINDS } from "../audit/compare.ts";
import { isClean, isMissed, type AuditReport, type RepairReport, type SiteReport } from "../audit/report.ts";
import type { Painter } from "./painter.ts";
import { table } from "./table.ts";

/** More are in the JSON and in the page. */
const SHOWN_MAX = 20;

export function formatAudit(report: AuditReport, paint: Painter): string {
  const { documents, policy, policy_of_primary: other, log, findings, ledger, repair } = report;
  const total = Object.values(report.counts).reduce((sum, count) => sum + count, report.stray_objects);
  const number = (value: number): string => value.toLocaleString("en");
  const missed = report.sites.filter(isMissed);
  const head = isClean(report)
    ? paint.green(`${number(documents)} documents, every copy is where policy, record and ledger say`)
    : paint.red(
        `${number(documents)} documents, ${number(total)} findings${missed.length === 0 ? "" : `, ${missed.length} sites not seen`}`,
      );
  const left = total - Math.min(findings.length, SHOWN_MAX) - report.stray_objects;
  return [
    head,
    `policy ${policy}, log at ${log.sequence} of epoch ${log.epoch}, ${number(report.pending)} copies on their way`,
    ...(other === null ? [] : [paint.yellow(`the primary follows another policy, ${other}`)]),
    ...(repair === null ? [] : [repairText(repair)]),
    "",
    ...table(
      [
        ["site", "copies", "hidden", "pending", ...FINDING_KINDS, "stray objects"],
        ...report.sites.map(rowOf),
      ],
      { right: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] },
    ),
    ...report.sites.flatMap(({ site, objects }) =>
      objects === null || objects.opened === null
        ? []
        : [`${site}: ${number(objects.opened)} objects were opened`],
    ),
    ...missed.map(({ site, unseen }) => paint.red(`${site} was not seen: ${unseen ?? ""}`)),
    ...(findings.length + report.stray_objects === 0 ? [] : [""]),
    ...findings
      .slice(0, SHOWN_MAX)
      .map(
        ({ kind, site, document_id, document_sha256, detail }) =>
          `${paint.red(kind)}  ${site}  ${document_id ?? `sha256 ${document_sha256}`}: ${detail}`,
      ),
    ...report.sites.flatMap(({ site, objects }) =>
      (objects?.stray ?? [])
        .slice(0, SHOWN_MAX)
        .map((key) => `${paint.red("stray")}  ${site}  ${key}: an object that nothing names`),
    ),
    ...(left > 0 ? [paint.dim(`${number(left)} more: see --json or --html`)] : []),
    "",
    paint.dim(
      ledger === null
        ? "the ledger is empty"
        : `ledger checkpoint: ${ledger.checkpoint.split("\n").slice(0, 3).join(" ")}`,
    ),
    paint.dim("what an audit cannot see: docs/audit.md"),
  ].join("\n");
}

function rowOf({ site, unseen, classes, hidden, pending, findings, objects }: SiteReport): string[] {
  if (unseen !== null) return [site, "–", "–", "–", ...FINDING_KINDS.map(() => "–"), "–"];
  const copies = classes.reduce((sum, each) => sum + each.copies, 0);
  const counts = [copies, hidden, pending, ...FINDING_KINDS.map((kind) => findings[kind])];
  return [site, ...counts.map(String), objects === null ? "–" : String(objects.stray.length)];
}

function repairText({ documents, objects, sequence, impossible, waitingFor }: RepairReport): string {
  return [
    `healed: ${documents} documents by changes up to ${sequence ?? "none"}, ${objects} objects deleted`,
    ...(impossible === 0 ? [] : [`${impossible} findings name no document that the log could`]),
    ...(waitingFor.length === 0 ? [] : [`not there yet: ${waitingFor.join(", ")}`]),
  ].join("; ");
}

/** The record of processing activities as Markdown. */
import type { ProcessingActivity, ProcessingRecord, Recipient } from "@kattegat/config/processing-record.ts";

export function formatRecord(record: ProcessingRecord): string {
  const { organisation, activities, recipients, securityMeasures, gaps, day, policy } = record;
  return [
    "# Record of processing activities (Art. 30 GDPR)",
    `Made on ${day} from the network file, policy ${policy}. It says what the network is told to do; \`kattegat residency audit\` says what its stores hold.`,
    "## Who answers",
    organisation === null
      ? "The network file has no section `organisation`."
      : list([
          `Controller: ${organisation.controller}`,
          `This network is operated as ${organisation.role}`,
          `Contact: ${organisation.contact}`,
          ...(organisation.representative === undefined
            ? []
            : [`Representative (Art. 27): ${organisation.representative}`]),
          ...(organisation.data_protection_officer === undefined
            ? []
            : [`Data protection officer: ${organisation.data_protection_officer}`]),
          `Purposes: ${organisation.purposes.join("; ")}`,
          `Data subjects: ${organisation.data_subjects.join("; ")}`,
          `Categories of data: ${organisation.data_categories.join("; ")}`,
        ]),
    "## Activities, by residency class",
    ...activities.map(activityText),
    "## Recipients",
    "A recipient holds, or passes in memory, documents of the classes named, or what is known of them.",
    markdownTable(
      ["recipient", "under the law of", "as", "classes"],
      recipients.map(({ name, law, as, classes }: Recipient) => [
        name,
        law.join(", ") || "unknown",
        as.join("; "),
        classes.join(", ") || "none",
      ]),
    ),
    "## Security measures (Art. 32)",
    list(securityMeasures),
    ...(gaps.length === 0 ? [] : ["## What the network file does not say", list(gaps)]),
  ].join("\n\n");
}

function activityText(activity: ProcessingActivity): string {
  const { className, description, personalData, tenants, sites, retention, transfers, adequate } = activity;
  const because = (reason: string, reference: string): string =>
    `${reason.replace(/\.$/, "")} (${reference})`;
  const lines = [
    personalData ? "Personal data: yes" : "Personal data: no",
    ...(tenants.length === 0 ? [] : [`Of the tenants ${tenants.join(", ")} alone`]),
    `May rest at: ${sites.join(", ") || "no site"}`,
    retention === null
      ? "Time limit: none is named"
      : `Time limit: ${retention.period}: ${because(retention.reason, retention.reference)}`,
    ...(personalData && adequate.length > 0
      ? [`Read from third countries with an adequacy decision (Art. 45): ${adequate.join(", ")}`]
      : []),
    ...transfers.map(
      ({ to, basis, reason, reference, until }) =>
        `Transfer to ${to.join(", ")} by ${basis}${until === null ? "" : ` until ${until}`}: ${because(reason, reference)}`,
    ),
    ...(personalData && transfers.length === 0 ? ["No transfer by Art. 46, 47 or 49"] : []),
  ];
  return [`### ${className}`, ...(description === null ? [] : [description]), list(lines)].join("\n\n");
}

function list(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join("\n");
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** An audit as one page for an auditor, without anything from elsewhere. */
import { html, raw } from "hono/html";
import { FINDING_KINDS, type FindingKind } from "../audit/compare.ts";
import { isClean, isMissed, type AuditReport, type ClassReport, type SiteReport } from "../audit/report.ts";
import { AUDIT_STYLE } from "./audit-style.ts";

type Html = ReturnType<typeof html>;

const MEANINGS: Readonly<Record<FindingKind, string>> = {
  leak: "a copy where policy forbids it",
  orphan: "a copy of a document that is gone, or that nobody planned there",
  missing: "a planned copy that is not there, or not whole",
  stale: "a copy of an older version or reign",
  divergent:
    "a copy with another content under the same version, or a version that the primary does not have",
  unrecorded: "a copy that the ledger does not record",
  "recorded only": "a copy that the ledger records and no store holds",
};

/** Everything that comes from a document or a store is escaped by `html`. */
export function auditPage(report: AuditReport): string {
  const title = `Residency audit of ${report.finished_at.slice(0, 10)}`;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>${title}</title>
        <style>
          ${raw(AUDIT_STYLE)}
        </style>
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          ${verdict(report)}
        </header>
        ${findingsSection(report)} ${questionSection(report)}
        <section>
          <h2>What each site holds, and why it may</h2>
          <p>
            Documents of which the site told a copy itself. A rule is quoted from the network file, with the
            reason and the reference that stand there.
          </p>
          ${report.sites.map(siteSection)}
        </section>
        <section>
          <h2>What this audit cannot see</h2>
          <ul>
            ${report.cannot_see.map((text) => html`<li>${text}</li>`)}
          </ul>
        </section>
      </body>
    </html> `;
  return String(page);
}

function verdict(report: AuditReport): Html {
  const missed = report.sites.filter(isMissed);
  const findings = Object.values(report.counts).reduce((sum, count) => sum + count, report.stray_objects);
  if (isClean(report))
    return html`<p class="verdict clean">
      No finding: every copy of ${number(report.documents)} documents that the sites told of is where policy,
      record and ledger say.
    </p>`;
  const unseen =
    missed.length === 0 ? "" : ` ${missed.map(({ site }) => site).join(", ")} did not tell everything.`;
  return html`<p class="verdict found">
    ${number(findings)} findings about ${number(report.documents)} documents.${unseen}
  </p>`;
}

function findingsSection(report: AuditReport): Html {
  const { counts, findings, findings_left_out: leftOut, repair } = report;
  const kinds = FINDING_KINDS.filter((kind) => counts[kind] > 0);
  const strays = report.sites.flatMap(({ site, objects }) =>
    (objects?.stray ?? []).map(
      (key) =>
        html`<tr>
          <td>stray object</td>
          <td>${site}</td>
          <td>${key}</td>
          <td></td>
          <td>no generation and no list of garbage names it</td>
        </tr>`,
    ),
  );
  const rows = findings.map(
    ({ kind, site, store, document_id: id, document_sha256: hash, class: name, detail }) =>
      html`<tr>
        <td>${kind}</td>
        <td>${site}${store === null ? "" : html`<br /><small>${store}</small>`}</td>
        <td>${id ?? html`<small>sha256 ${hash}</small>`}</td>
        <td>${name ?? ""}</td>
        <td>${detail}</td>
      </tr>`,
  );
  return html`<section>
    <h2>Findings</h2>
    ${
      kinds.length === 0
        ? ""
        : html`<dl>
            ${kinds.map(
              (kind) =>
                html`<dt>${number(counts[kind])} ${kind}</dt>
                  <dd>${MEANINGS[kind]}</dd>`,
            )}
          </dl>`
    }
    ${
      rows.length + strays.length === 0
        ? html`<p>
            None. What was looked for:
            ${FINDING_KINDS.map((kind) => `${kind} (${MEANINGS[kind]})`).join("; ")}.
          </p>`
        : html`<table>
            <thead>
              <tr>
                <th>kind</th>
                <th>site</th>
                <th>document</th>
                <th>class</th>
                <th>what</th>
              </tr>
            </thead>
            <tbody>
              ${rows}${strays}
            </tbody>
          </table>`
    }
    ${leftOut === 0 ? "" : html`<p>${number(leftOut)} further findings are counted above and not listed.</p>`}
    ${report.pending === 0 ? "" : html`<p>${number(report.pending)} copies were on their way when they were asked for: their site had not come to the change that brings or withdraws them. They are no findings.</p>`}
    ${repair === null ? "" : html`<p>This audit healed what an earlier look had found: ${number(repair.documents)} documents by changes of the log up to ${repair.sequence ?? "none"}, each in the ledger with the reason “repaired”, and ${number(repair.objects)} deleted objects. What is listed here is what was left afterwards.</p>`}
  </section>`;
}

function questionSection(report: AuditReport): Html {
  const { ledger, log, policy_of_primary: other } = report;
  return html`<section>
    <h2>What was asked</h2>
    <table class="facts">
      <tbody>
        ${fact("Asked", html`<code>${report.asked}</code>`)}
        ${fact("From, to", `${report.started_at}, ${report.finished_at}`)}
        ${fact("Judged by", `${report.network_file}, policy ${report.policy}`)}
        ${other === null ? "" : fact("The primary follows", `another policy: ${other}`)}
        ${fact("Log of changes", `at sequence ${log.sequence} of epoch ${log.epoch} when the first site was asked`)}
        ${fact("Ledger", ledger === null ? "empty" : html`<pre>${ledger.checkpoint}</pre>`)}
        ${ledger === null ? "" : fact("Key of the checkpoint", html`<code>${ledger.verifier_key}</code><br /><small>Compare it with the key that you were given, then: kattegat ledger verify --key KEY</small>`)}
      </tbody>
    </table>
  </section>`;
}

function fact(name: string, value: string | Html): Html {
  return html`<tr>
    <th>${name}</th>
    <td>${value}</td>
  </tr>`;
}

function siteSection(site: SiteReport): Html {
  const place = site.country ?? (site.zone === null ? "nowhere" : `zone ${site.zone}`);
  const heading = html`<h3>${site.site} <small>${site.kind}, ${place}</small></h3>`;
  if (site.unseen !== null)
    return html`<article>
      ${heading}
      <p>Not seen: ${site.unseen}.</p>
      <table>
        <tbody>
          ${site.classes.map(classRow)}
        </tbody>
      </table>
    </article>`;
  const { shelves, hidden, pending, objects } = site;
  const facts = [
    ...shelves.map(
      ({ store, role, sequence, epoch }) => `${store} (${role}), at ${sequence} of epoch ${epoch}`,
    ),
    `${number(hidden)} hidden, ${number(pending)} on their way`,
    ...(objects === null
      ? []
      : [
          `${number(objects.count)} objects of ${number(Math.round(objects.bytes / 1_000))} kB, ${number(objects.stray.length)} of them stray${objects.opened === null ? "" : `, ${number(objects.opened)} opened`}`,
        ]),
  ];
  return html`<article>
    ${heading}
    <p>${facts.join(" · ")}</p>
    <table>
      <thead>
        <tr>
          <th>class</th>
          <th>copies</th>
          <th>may rest here</th>
          <th>rule, reason, reference</th>
        </tr>
      </thead>
      <tbody>
        ${site.classes.map(classRow)}
      </tbody>
    </table>
  </article>`;
}

function classRow({ class: name, copies, allowed, rules }: ClassReport): Html {
  const said = rules.map(
    ({ path, says, reason, reference }) =>
      html`<div>
        <code>${path}</code>
        ${says}${reason === null ? "" : html`: ${reason}`}${reference === null ? "" : html` (${reference})`}
      </div>`,
  );
  const mark = !allowed && copies > 0 ? "broken" : allowed ? "" : "refused";
  return html`<tr class="${mark}">
    <td>${name}</td>
    <td class="number">${number(copies)}</td>
    <td>${allowed ? "yes" : "no"}</td>
    <td>${said}</td>
  </tr>`;
}

function number(value: number): string {
  return value.toLocaleString("en");
}

import { expect, it } from "vitest";
import type { AuditReport } from "../audit/report.ts";
import { noFindings } from "../audit/site-tally.ts";
import { auditPage } from "./audit-page.ts";

const MARKUP = `<img src=x onerror=alert(1)>"'&`;

const report: AuditReport = {
  format: "kattegat-audit/1",
  asked: `kattegat residency audit ${MARKUP}`,
  started_at: "2026-11-26T09:00:00.000Z",
  finished_at: "2026-11-26T09:01:00.000Z",
  network_file: MARKUP,
  policy: "0123456789abcdef",
  policy_of_primary: MARKUP,
  log: { epoch: 1, sequence: "7" },
  ledger: { checkpoint: MARKUP, verifier_key: MARKUP },
  documents: 3,
  sites: [
    {
      site: "eu-fra",
      kind: "regional",
      country: "DE",
      zone: null,
      unseen: null,
      took_ms: 40,
      shelves: [{ site: "eu-fra", store: MARKUP, role: "serving", epoch: 1, sequence: "7", isWhole: true }],
      classes: [
        {
          class: MARKUP,
          copies: 1,
          allowed: false,
          rules: [
            { path: MARKUP, allows: false, until: null, says: MARKUP, reason: MARKUP, reference: MARKUP },
          ],
        },
      ],
      hidden: 0,
      pending: 1,
      findings: { ...noFindings(), leak: 1 },
      objects: { count: 1, bytes: 5, opened: 1, stray: [MARKUP] },
    },
  ],
  counts: { ...noFindings(), leak: 1 },
  stray_objects: 1,
  pending: 1,
  findings: [
    {
      kind: "leak",
      site: "eu-fra",
      store: MARKUP,
      document_id: MARKUP,
      document_sha256: "00",
      copy: null,
      class: MARKUP,
      detail: MARKUP,
    },
  ],
  findings_left_out: 2,
  repair: { documents: 1, objects: 1, sequence: "9", impossible: 0, waitingFor: [] },
  cannot_see: ["bytes"],
};

it("escapes whatever a store or a file says, and asks for nothing from elsewhere (I23)", () => {
  const page = auditPage(report);
  expect(page).not.toContain("<img");
  expect(page.match(/&lt;img src=x onerror=alert\(1\)&gt;/g)?.length).toBeGreaterThan(12);
  expect(page).toContain("default-src 'none'");
});

it("tells the findings before everything else, with those that are not listed", () => {
  const page = auditPage(report);
  const places = [
    "2 findings",
    "<h2>Findings",
    "2 further findings",
    "What was asked",
    "What each site holds",
  ];
  const found = places.map((text) => page.indexOf(text));
  expect(found.every((place) => place > 0)).toBe(true);
  expect(found).toEqual(found.toSorted((a, b) => a - b));
});

/** The shipped network file with a tenant, conditions of every kind and what lies beside the sites. */
import { readFileSync } from "node:fs";

const CLASSES = `
  acme-eu:
    description: Contracts of the tenant acme.
    personal_data: true
    narrows: eu
    store: { countries: [DK, DE], zones: [] }
    transit: { countries: [DK, DE], zones: [eu] }
    serve: { countries: [EU, GB] }
    cache: { zones: [] }
    retention:
      keep_days: 1826
      from: created_at
      reason: Limitation of claims.
      reference: forældelsesloven § 3
  sealed:
    description: Files that no provider under foreign law may hold.
    personal_data: true
    store: { countries: [DK, DE], zones: [eu] }
    transit: { countries: [DK, DE], zones: [eu] }
    serve: { countries: [DK] }
    cache: { zones: [] }
    operators:
      exclude_law: [US]
      reason: The CLOUD Act reaches data in the EU.
      reference: Art. 48 GDPR
  branches:
    description: Files that branches in third countries read.
    personal_data: true
    store: { countries: [EU], zones: [eu] }
    transit: { countries: [EU], zones: [eu] }
    serve: { countries: [EU, SG, IN] }
    cache: { zones: [eu] }
    transfers:
      - to: [SG]
        basis: Art. 46(2)(c)
        reason: Standard contractual clauses with the branch.
        reference: Decision (EU) 2021/914, module 1
        until: 2028-06-30
    retention:
      until: 2030-12-31
      reason: The project ends.
      reference: Art. 5(1)(e) GDPR
`;

const SECTIONS = `
tenants:
  acme: { collections: [acme-contracts, acme-mail], classes: [acme-eu, global] }

telemetry:
  - name: logs-dk
    signal: logs
    country: DK
    operator: { name: Example Hosting A/S, jurisdictions: [DK] }
    classes: [dk-only, eu, global, acme-eu, sealed, branches]
  - name: metrics-eu
    signal: metrics
    country: IE
    operator: { name: "Example Metrics, Inc.", jurisdictions: [IE, US] }
    classes: [eu, global, branches]

backups:
  - name: primary-daily
    of: dk-cph
    country: DK
    operator: { name: Example Hosting A/S, jurisdictions: [DK] }
    replicas: [DK]
    encryption: { algorithm: AES-256-GCM, keys_in: DK }

failover:
  - { of: dk-cph, to: dk-aar }

organisation:
  controller: Example Law ApS, København
  role: processor
  contact: privacy@example.dk
  data_protection_officer: dpo@example.dk
  purposes: [Search in case law and contracts]
  data_subjects: [Parties to proceedings, Employees of clients]
  data_categories: [Names, Facts of a case]
  security_measures: [Disks are encrypted]
`;

const SHIPPED = readFileSync(new URL("network.yaml", import.meta.url), "utf8");

export const POLICY_TEXT = `${SHIPPED.replace("\n# Vectors ---", `${CLASSES}\n# Vectors ---`)}${SECTIONS}`;

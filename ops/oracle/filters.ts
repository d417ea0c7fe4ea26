/** Filters of the oracle test, each with what it means written a second time. */
import type { Filter } from "@kattegat/protocol/filter.ts";
import type { OracleDocument } from "./exact-index.ts";

export interface OracleFilter {
  readonly filter: Filter | null;
  readonly isVisible: (document: OracleDocument) => boolean;
}

/** Between the two days on which the samples' texts are dated. */
const NEW = "2020-01-01";
const NEW_TIME = `${NEW}T00:00:00Z`;
/** Every third document is chosen by its id: more than a handful, fewer than the most that `has_id` takes. */
const CHOSEN_EVERY = 3;

const isNew = ({ publishedAt }: OracleDocument): boolean => publishedAt !== null && publishedAt >= NEW;
const isEnglish = ({ lang }: OracleDocument): boolean => lang === "en";
const isApproved = ({ metadata }: OracleDocument): boolean => metadata["osi_approved"] === true;

export function oracleFilters(documents: readonly OracleDocument[]): readonly OracleFilter[] {
  const chosen = documents.filter((_, at) => at % CHOSEN_EVERY === 0).map(({ id }) => id);
  const chosenIds = new Set(chosen);
  const english = { key: "lang", match: { value: "en" } } as const;
  const approved = { key: "osi_approved", match: { value: true } } as const;
  return [
    { filter: null, isVisible: () => true },
    { filter: { must: [english] }, isVisible: isEnglish },
    {
      filter: { must_not: [{ key: "residency", match: { value: "global" } }] },
      isVisible: ({ residency }) => residency !== "global",
    },
    { filter: { must: { key: "published_at", range: { gte: NEW_TIME } } }, isVisible: isNew },
    {
      filter: {
        should: [
          { key: "lang", match: { any: ["da", "sv", "fr"] } },
          { must: [approved], must_not: { key: "metadata.spdx_id", match: { value: "MIT" } } },
        ],
      },
      isVisible: (document) =>
        ["da", "sv", "fr"].includes(document.lang ?? "") ||
        (isApproved(document) && document.metadata["spdx_id"] !== "MIT"),
    },
    {
      filter: {
        min_should: {
          min_count: 2,
          conditions: [english, approved, { key: "published_at", range: { lt: NEW_TIME } }],
        },
      },
      isVisible: (document) =>
        [isEnglish(document), isApproved(document), !isNew(document)].filter(Boolean).length >= 2,
    },
    {
      filter: {
        must: [
          { has_id: chosen },
          { should: [{ is_empty: { key: "spdx_id" } }, { key: "url", values_count: { gte: 1 } }] },
        ],
      },
      isVisible: ({ id }) => chosenIds.has(id),
    },
  ];
}

/** Declares the tables of the system of record for typed queries; `migrations/` makes them. */
import {
  bigint,
  boolean,
  doublePrecision,
  integer,
  pgTable,
  primaryKey,
  smallint,
  text,
} from "drizzle-orm/pg-core";
import { bytea, instant, sequence } from "./columns.ts";

export const documents = pgTable("documents", {
  id: text("id").primaryKey(),
  /** The sequence of the last content write. */
  version: sequence("version").notNull(),
  /** The sequence of the last change of any kind. */
  sequence: sequence("sequence").notNull(),
  /** The sequence of the last change whose `put` carries this state; a settle carries none. */
  carried: sequence("carried").notNull(),
  epoch: integer("epoch").notNull(),
  collection: text("collection").notNull(),
  lang: text("lang"),
  residency: text("residency").notNull(),
  importance: doublePrecision("importance").notNull(),
  published_at: text("published_at"),
  pinned_tier: text("pinned_tier"),
  tier: text("tier").notNull(),
  /** The tier whose sites hold the document too until the new tier's sites have confirmed. */
  moving_from: text("moving_from"),
  predicted_use: doublePrecision("predicted_use").notNull(),
  score: doublePrecision("score").notNull(),
  observed_hits: doublePrecision("observed_hits").notNull(),
  observed_at: instant("observed_at"),
  classified_at: instant("classified_at").notNull(),
  digest: text("digest").notNull(),
  passage_count: integer("passage_count").notNull(),
  created_at: instant("created_at").notNull(),
  updated_at: instant("updated_at").notNull(),
  /** Title and metadata, sealed. */
  head: bytea("head").notNull(),
  /** The text, sealed. */
  body: bytea("body").notNull(),
  /** UTF-16 units of the text. */
  characters: integer("characters").notNull(),
  /** The sites where its last change planned the searchable copy, by the policy of that time. */
  held: text("held").array().notNull(),
});

/** The key of each document's content, wrapped by the key of its partition, which the keyring has. */
export const documentKeys = pgTable("document_keys", {
  document_id: text("document_id").primaryKey(),
  partition: smallint("partition").notNull(),
  key_version: integer("key_version").notNull(),
  wrapped: bytea("wrapped").notNull(),
  /** Names the key without telling it. */
  key_id: bytea("key_id").notNull(),
});

/** Keys of contents that were replaced, for as long as backups have them. */
export const replacedKeys = pgTable(
  "replaced_keys",
  {
    document_id: text("document_id").notNull(),
    key_id: bytea("key_id").notNull(),
    partition: smallint("partition").notNull(),
    key_version: integer("key_version").notNull(),
    wrapped: bytea("wrapped").notNull(),
    replaced_at: instant("replaced_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.document_id, table.key_id] })],
);

/** Partitions that lost a key: until their own is replaced, old pages and the WAL can be read with it. */
export const keyRotations = pgTable("key_rotations", {
  partition: smallint("partition").primaryKey(),
  since: instant("since").notNull(),
  /** A document was deleted, not only replaced. */
  urgent: boolean("urgent").notNull(),
  /** How often it lost one: a loss that comes while its key is being replaced stays to be dealt with. */
  losses: sequence("losses").notNull(),
});

/** No foreign key to `documents`: passages are written before the log is locked, the document after it. */
export const passages = pgTable(
  "passages",
  {
    document_id: text("document_id").notNull(),
    ordinal: integer("ordinal").notNull(),
    /** UTF-16 units of the document's text. */
    start_offset: integer("start_offset").notNull(),
    end_offset: integer("end_offset").notNull(),
    /** Sealed. */
    dense: bytea("dense").notNull(),
    /** By the model that is being prepared; null while there is none, or until the passage's turn comes. */
    dense_next: bytea("dense_next"),
    sparse: bytea("sparse").notNull(),
    /** The passage as the caller gave it beside a text, sealed; null when the offsets say it. */
    own_text: bytea("own_text"),
    heading: bytea("heading"),
  },
  (table) => [primaryKey({ columns: [table.document_id, table.ordinal] })],
);

export const changes = pgTable("changes", {
  sequence: sequence("sequence").primaryKey(),
  epoch: integer("epoch").notNull(),
  document_id: text("document_id").notNull(),
  version: sequence("version").notNull(),
  kind: text("kind", { enum: ["put", "delete", "settle"] }).notNull(),
  residency: text("residency").notNull(),
  residency_before: text("residency_before"),
  tier: text("tier").notNull(),
  moving_from: text("moving_from"),
  /** The sites that held the searchable copy by policy, so that no withdraw is ever lost. */
  held_before: text("held_before").array().notNull(),
  held_after: text("held_after").array().notNull(),
  committed_at: instant("committed_at").notNull(),
});

/** One row: the plan that every document was last compared with. */
export const placed = pgTable("placed", {
  only: boolean("only").primaryKey(),
  plan: text("plan").notNull(),
  policy: text("policy").notNull(),
  placed_at: instant("placed_at").notNull(),
});

/** One row: its lock puts sequences in commit order. */
export const logHead = pgTable("log_head", {
  only: boolean("only").primaryKey(),
  epoch: integer("epoch").notNull(),
  sequence: sequence("sequence").notNull(),
  at: instant("at").notNull(),
});

export const targets = pgTable(
  "targets",
  {
    site: text("site").notNull(),
    /** Of the copies that are this far. */
    model: text("model").notNull(),
    epoch: integer("epoch").notNull(),
    sequence: sequence("sequence").notNull(),
    lag_ms: doublePrecision("lag_ms").notNull(),
    lag_changes: bigint("lag_changes", { mode: "number" }).notNull(),
    parked: integer("parked").notNull(),
    healthy: boolean("healthy").notNull(),
    confirmed_at: instant("confirmed_at").notNull(),
    /** Of what was withdrawn up to here, nothing is left on its disks. */
    removed_epoch: integer("removed_epoch").notNull(),
    removed_sequence: sequence("removed_sequence").notNull(),
  },
  (table) => [primaryKey({ columns: [table.site, table.model] })],
);

/** Changes that a site refused for good: it has no copy of them, although its watermark passed them. */
export const refusedCopies = pgTable(
  "refused_copies",
  {
    site: text("site").notNull(),
    model: text("model").notNull(),
    sequence: sequence("sequence").notNull(),
    code: text("code").notNull(),
    at: instant("at").notNull(),
  },
  ({ site, model, sequence: refused }) => [primaryKey({ columns: [site, model, refused] })],
);

/** What anti-entropy found wrong at a site, with the change that heals it; the newest alone are kept. */
export const repairs = pgTable(
  "repairs",
  {
    sequence: sequence("sequence").notNull(),
    site: text("site").notNull(),
    document_id: text("document_id").notNull(),
    class: text("class").notNull(),
    kind: text("kind").notNull(),
    detail: text("detail").notNull(),
    at: instant("at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.sequence, table.site] })],
);

export const receipts = pgTable("receipts", {
  id: text("id").primaryKey(),
  document_id: text("document_id").notNull(),
  epoch: integer("epoch").notNull(),
  sequence: sequence("sequence").notNull(),
  /** Of the document's key: erased for good once that has a new key. */
  partition: smallint("partition").notNull(),
  requested_at: instant("requested_at").notNull(),
  /** When nothing of it was left on any site's disks. */
  completed_at: instant("completed_at"),
  /** When every site had hidden the document. */
  hidden_at: instant("hidden_at"),
  /** When what Postgres has left of it could no longer be opened. */
  key_destroyed_at: instant("key_destroyed_at"),
});

export const receiptSites = pgTable(
  "receipt_sites",
  {
    receipt_id: text("receipt_id").notNull(),
    site: text("site").notNull(),
    /** When the site had hidden the document. */
    confirmed_at: instant("confirmed_at"),
    /** When nothing of it was left on the site's disks. */
    removed_at: instant("removed_at"),
    /** How it was removed. */
    means: text("means"),
  },
  (table) => [primaryKey({ columns: [table.receipt_id, table.site] })],
);

export const termStatistics = pgTable("term_statistics", {
  version: text("version").primaryKey(),
  passages: bigint("passages", { mode: "number" }).notNull(),
  bytes: bytea("bytes").notNull(),
  created_at: instant("created_at").notNull(),
});

/** One row: the model of every vector in `passages`. */
export const embeddingModel = pgTable("embedding_model", {
  only: boolean("only").primaryKey(),
  model: text("model").notNull(),
  dimensions: integer("dimensions").notNull(),
  /** Whether pages of `passages` still hold vectors of a model that is gone. */
  rewrite_due: boolean("rewrite_due").notNull(),
});

/** At most one row: the model of every vector in `passages.dense_next`. */
export const embeddingNext = pgTable("embedding_next", {
  only: boolean("only").primaryKey(),
  model: text("model").notNull(),
  dimensions: integer("dimensions").notNull(),
  /** Every document whose last carrying change is not after it has its vectors. */
  embedded_to: sequence("embedded_to").notNull(),
  /** The log's sequence when all documents had them for the first time. */
  whole_at: sequence("whole_at"),
});

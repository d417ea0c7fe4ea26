/** The ledger's tables as drizzle types them. */
import { boolean, integer, pgTable, primaryKey, smallint, text } from "drizzle-orm/pg-core";
import { bytea, instant, sequence } from "./columns.ts";

/** The ledger of copies: one row for each entry, chained in order. */
export const ledgerEntries = pgTable("ledger_entries", {
  index: sequence("index").primaryKey(),
  /** SHA-256 of the document's id; null for an entry that is about none. */
  document: bytea("document"),
  /** Canonical JSON (RFC 8785). */
  entry: text("entry").notNull(),
  /** Its hash as a leaf (RFC 6962, section 2.1). */
  leaf: bytea("leaf").notNull(),
  /** SHA-256 of the chain before it and the leaf. */
  chain: bytea("chain").notNull(),
});

/** One row: its lock puts entries in order. */
export const ledgerHead = pgTable("ledger_head", {
  only: boolean("only").primaryKey(),
  size: sequence("size").notNull(),
  chain: bytea("chain").notNull(),
});

/** Roots of whole subtrees of 256, 65,536, … entries: level 8, 16, …. */
export const ledgerNodes = pgTable(
  "ledger_nodes",
  {
    level: smallint("level").notNull(),
    index: sequence("index").notNull(),
    hash: bytea("hash").notNull(),
  },
  (table) => [primaryKey({ columns: [table.level, table.index] })],
);

/** Which copies the ledger records of each document, as of the last checkpoint. */
export const ledgerDocuments = pgTable("ledger_documents", {
  document: bytea("document").primaryKey(),
  /** The first two bytes of the hash. */
  bucket: integer("bucket").notNull(),
  record: text("record").notNull(),
});

export const ledgerBuckets = pgTable("ledger_buckets", {
  bucket: integer("bucket").primaryKey(),
  hash: bytea("hash").notNull(),
});

/** One row: how many entries `ledger_documents` knows. */
export const ledgerFold = pgTable("ledger_fold", {
  only: boolean("only").primaryKey(),
  folded: sequence("folded").notNull(),
});

/** Signed heads of the tree (C2SP tlog-checkpoint). */
export const ledgerCheckpoints = pgTable("ledger_checkpoints", {
  size: sequence("size").primaryKey(),
  note: text("note").notNull(),
  made_at: instant("made_at").notNull(),
});

/** Up to where each site's confirmations stand in the ledger. */
export const ledgerConfirmed = pgTable("ledger_confirmed", {
  site: text("site").primaryKey(),
  /** Of copies that are there. */
  epoch: integer("epoch").notNull(),
  sequence: sequence("sequence").notNull(),
  /** Of copies that are gone. */
  removed_epoch: integer("removed_epoch").notNull(),
  removed_sequence: sequence("removed_sequence").notNull(),
});

CREATE TABLE "ledger_entries" (
  "index" bigint PRIMARY KEY,
  "document" bytea,
  "entry" text NOT NULL,
  "leaf" bytea NOT NULL,
  "chain" bytea NOT NULL
);
--> statement-breakpoint
CREATE INDEX "ledger_entries_document" ON "ledger_entries" ("document", "index") WHERE "document" IS NOT NULL;
--> statement-breakpoint
CREATE TABLE "ledger_head" (
  "only" boolean PRIMARY KEY DEFAULT true CHECK ("only"),
  "size" bigint NOT NULL,
  "chain" bytea NOT NULL
);
--> statement-breakpoint
INSERT INTO "ledger_head" ("size", "chain") VALUES (0, decode(repeat('00', 32), 'hex'));
--> statement-breakpoint
CREATE TABLE "ledger_nodes" (
  "level" smallint NOT NULL,
  "index" bigint NOT NULL,
  "hash" bytea NOT NULL,
  PRIMARY KEY ("level", "index")
);
--> statement-breakpoint
CREATE TABLE "ledger_documents" (
  "document" bytea PRIMARY KEY,
  "bucket" integer NOT NULL,
  "record" text NOT NULL
);
--> statement-breakpoint
CREATE INDEX "ledger_documents_bucket" ON "ledger_documents" ("bucket", "document");
--> statement-breakpoint
CREATE TABLE "ledger_buckets" (
  "bucket" integer PRIMARY KEY,
  "hash" bytea NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ledger_fold" (
  "only" boolean PRIMARY KEY DEFAULT true CHECK ("only"),
  "folded" bigint NOT NULL
);
--> statement-breakpoint
INSERT INTO "ledger_fold" ("folded") VALUES (0);
--> statement-breakpoint
CREATE TABLE "ledger_checkpoints" (
  "size" bigint PRIMARY KEY,
  "note" text NOT NULL,
  "made_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ledger_confirmed" (
  "site" text PRIMARY KEY,
  "epoch" integer NOT NULL,
  "sequence" bigint NOT NULL
);
--> statement-breakpoint
ALTER TABLE "receipts" ADD COLUMN "partition" smallint NOT NULL DEFAULT 0;
--> statement-breakpoint
ALTER TABLE "receipts" ALTER COLUMN "partition" DROP DEFAULT;
--> statement-breakpoint
CREATE INDEX "receipts_partition" ON "receipts" ("partition", "sequence");
--> statement-breakpoint
ALTER TABLE "receipt_sites" ADD COLUMN "removed_at" timestamp with time zone;
--> statement-breakpoint
CREATE INDEX "receipt_sites_open" ON "receipt_sites" ("site", "receipt_id") WHERE "removed_at" IS NULL;

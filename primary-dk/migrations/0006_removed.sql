ALTER TABLE "targets" ADD COLUMN "removed_epoch" integer NOT NULL DEFAULT 0, ADD COLUMN "removed_sequence" bigint NOT NULL DEFAULT 0;
--> statement-breakpoint
ALTER TABLE "targets" ALTER COLUMN "removed_epoch" DROP DEFAULT, ALTER COLUMN "removed_sequence" DROP DEFAULT;
--> statement-breakpoint
ALTER TABLE "receipts" ADD COLUMN "hidden_at" timestamp with time zone, ADD COLUMN "key_destroyed_at" timestamp with time zone;
--> statement-breakpoint
ALTER TABLE "receipt_sites" ADD COLUMN "means" text;
--> statement-breakpoint
UPDATE "receipts" SET "hidden_at" = "completed_at" WHERE "completed_at" IS NOT NULL;
--> statement-breakpoint
UPDATE "receipts" r SET "key_destroyed_at" = s."removed_at" FROM "receipt_sites" s WHERE s."receipt_id" = r."id" AND s."removed_at" IS NOT NULL;
--> statement-breakpoint
-- Of an open receipt nobody has asked yet whether a base on the disk still holds the document.
UPDATE "receipt_sites" s SET "removed_at" = NULL FROM "receipts" r WHERE r."id" = s."receipt_id" AND r."completed_at" IS NULL;
--> statement-breakpoint
UPDATE "receipt_sites" SET "means" = 'key destroyed' WHERE "removed_at" IS NOT NULL;
--> statement-breakpoint
CREATE INDEX "receipts_sequence" ON "receipts" ("sequence");
--> statement-breakpoint
CREATE INDEX "receipt_sites_shown" ON "receipt_sites" ("site", "receipt_id") WHERE "confirmed_at" IS NULL;
--> statement-breakpoint
ALTER TABLE "ledger_confirmed" ADD COLUMN "removed_epoch" integer NOT NULL DEFAULT 0, ADD COLUMN "removed_sequence" bigint NOT NULL DEFAULT 0;
--> statement-breakpoint
-- What is erased was recorded as soon as it was hidden; receipts that are open still have to hear of its removal.
UPDATE "ledger_confirmed" SET "removed_epoch" = "epoch", "removed_sequence" = least("sequence", coalesce((SELECT min("sequence") - 1 FROM "receipts" WHERE "completed_at" IS NULL), "sequence"));
--> statement-breakpoint
ALTER TABLE "ledger_confirmed" ALTER COLUMN "removed_epoch" DROP DEFAULT, ALTER COLUMN "removed_sequence" DROP DEFAULT;

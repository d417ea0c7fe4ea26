ALTER TABLE "passages" ADD COLUMN "dense_next" bytea;
--> statement-breakpoint
ALTER TABLE "passages" ALTER COLUMN "dense_next" SET STORAGE EXTERNAL;
--> statement-breakpoint
CREATE TABLE "embedding_next" (
  "only" boolean PRIMARY KEY DEFAULT true CHECK ("only"),
  "model" text NOT NULL,
  "dimensions" integer NOT NULL,
  "embedded_to" bigint NOT NULL,
  "whole_at" bigint
);
--> statement-breakpoint
ALTER TABLE "embedding_model" ADD COLUMN "rewrite_due" boolean NOT NULL DEFAULT false;
--> statement-breakpoint
ALTER TABLE "targets" ADD COLUMN "model" text;
--> statement-breakpoint
UPDATE "targets" SET "model" = (SELECT "model" FROM "embedding_model");
--> statement-breakpoint
DELETE FROM "targets" WHERE "model" IS NULL;
--> statement-breakpoint
ALTER TABLE "targets" ALTER COLUMN "model" SET NOT NULL;
--> statement-breakpoint
ALTER TABLE "targets" DROP CONSTRAINT "targets_pkey";
--> statement-breakpoint
ALTER TABLE "targets" ADD PRIMARY KEY ("site", "model");

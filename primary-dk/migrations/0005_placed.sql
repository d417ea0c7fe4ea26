ALTER TABLE "documents" ADD COLUMN "held" text[] NOT NULL DEFAULT '{}';
--> statement-breakpoint
UPDATE "documents" d SET "held" = c."held_after" FROM "changes" c WHERE c."sequence" = d."sequence";
--> statement-breakpoint
ALTER TABLE "documents" ALTER COLUMN "held" DROP DEFAULT;
--> statement-breakpoint
CREATE TABLE "placed" (
  "only" boolean PRIMARY KEY DEFAULT true CHECK ("only"),
  "plan" text NOT NULL,
  "policy" text NOT NULL,
  "placed_at" timestamp with time zone NOT NULL
);

CREATE TABLE "documents" (
  "id" text COLLATE "C" PRIMARY KEY,
  "version" bigint NOT NULL,
  "sequence" bigint NOT NULL,
  "carried" bigint NOT NULL,
  "epoch" integer NOT NULL,
  "collection" text NOT NULL,
  "title" text NOT NULL,
  "text" text NOT NULL,
  "lang" text,
  "residency" text NOT NULL,
  "metadata" jsonb NOT NULL,
  "importance" double precision NOT NULL,
  "published_at" text,
  "pinned_tier" text,
  "tier" text NOT NULL,
  "moving_from" text,
  "predicted_use" double precision NOT NULL,
  "score" double precision NOT NULL,
  "observed_hits" double precision NOT NULL,
  "observed_at" timestamp with time zone,
  "classified_at" timestamp with time zone NOT NULL,
  "digest" text NOT NULL,
  "passage_count" integer NOT NULL,
  "created_at" timestamp with time zone NOT NULL,
  "updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX "documents_tier_score" ON "documents" ("tier", "score", "id") WHERE "pinned_tier" IS NULL;
--> statement-breakpoint
CREATE INDEX "documents_moving" ON "documents" ("carried") WHERE "moving_from" IS NOT NULL;
--> statement-breakpoint
CREATE INDEX "documents_classified" ON "documents" ("classified_at") WHERE "pinned_tier" IS NULL;
--> statement-breakpoint
CREATE INDEX "documents_used" ON "documents" ("classified_at") WHERE "pinned_tier" IS NULL AND "observed_at" > "classified_at";
--> statement-breakpoint
CREATE TABLE "passages" (
  "document_id" text COLLATE "C" NOT NULL,
  "ordinal" integer NOT NULL,
  "start_offset" integer NOT NULL,
  "end_offset" integer NOT NULL,
  "own_text" text,
  "heading" text,
  "dense" bytea NOT NULL,
  "sparse" bytea NOT NULL,
  PRIMARY KEY ("document_id", "ordinal")
) WITH (toast_tuple_target = 8160);
--> statement-breakpoint
ALTER TABLE "passages" ALTER COLUMN "dense" SET STORAGE EXTERNAL, ALTER COLUMN "sparse" SET STORAGE EXTERNAL;
--> statement-breakpoint
CREATE TABLE "changes" (
  "sequence" bigint PRIMARY KEY,
  "epoch" integer NOT NULL,
  "document_id" text COLLATE "C" NOT NULL,
  "version" bigint NOT NULL,
  "kind" text NOT NULL,
  "residency" text NOT NULL,
  "residency_before" text,
  "tier" text NOT NULL,
  "moving_from" text,
  "held_before" text[] NOT NULL,
  "held_after" text[] NOT NULL,
  "committed_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX "changes_document" ON "changes" ("document_id");
--> statement-breakpoint
CREATE TABLE "log_head" (
  "only" boolean PRIMARY KEY DEFAULT true CHECK ("only"),
  "epoch" integer NOT NULL,
  "sequence" bigint NOT NULL,
  "at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
INSERT INTO "log_head" ("epoch", "sequence", "at") VALUES (1, 0, now());
--> statement-breakpoint
CREATE TABLE "targets" (
  "site" text PRIMARY KEY,
  "epoch" integer NOT NULL,
  "sequence" bigint NOT NULL,
  "lag_ms" double precision NOT NULL,
  "lag_changes" bigint NOT NULL,
  "parked" integer NOT NULL,
  "healthy" boolean NOT NULL,
  "confirmed_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "receipts" (
  "id" text PRIMARY KEY,
  "document_id" text COLLATE "C" NOT NULL,
  "epoch" integer NOT NULL,
  "sequence" bigint NOT NULL,
  "requested_at" timestamp with time zone NOT NULL,
  "completed_at" timestamp with time zone
);
--> statement-breakpoint
CREATE INDEX "receipts_open" ON "receipts" ("sequence") WHERE "completed_at" IS NULL;
--> statement-breakpoint
CREATE TABLE "receipt_sites" (
  "receipt_id" text NOT NULL REFERENCES "receipts" ("id") ON DELETE CASCADE,
  "site" text NOT NULL,
  "confirmed_at" timestamp with time zone,
  PRIMARY KEY ("receipt_id", "site")
);
--> statement-breakpoint
CREATE TABLE "term_statistics" (
  "version" text PRIMARY KEY,
  "passages" bigint NOT NULL,
  "bytes" bytea NOT NULL,
  "created_at" timestamp with time zone NOT NULL
);

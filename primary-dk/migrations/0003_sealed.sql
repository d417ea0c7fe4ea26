DO $$ BEGIN
  IF EXISTS (SELECT FROM "changes") THEN
    RAISE EXCEPTION 'this database was filled before contents were sealed: make a new data folder and ingest its documents again';
  END IF;
END $$;
--> statement-breakpoint
ALTER TABLE "documents" DROP COLUMN "title", DROP COLUMN "text", DROP COLUMN "metadata";
--> statement-breakpoint
ALTER TABLE "documents" ADD COLUMN "head" bytea NOT NULL, ADD COLUMN "body" bytea NOT NULL, ADD COLUMN "characters" integer NOT NULL;
--> statement-breakpoint
ALTER TABLE "documents" ALTER COLUMN "head" SET STORAGE EXTERNAL, ALTER COLUMN "body" SET STORAGE EXTERNAL;
--> statement-breakpoint
ALTER TABLE "passages" DROP COLUMN "own_text", DROP COLUMN "heading";
--> statement-breakpoint
ALTER TABLE "passages" ADD COLUMN "own_text" bytea, ADD COLUMN "heading" bytea;
--> statement-breakpoint
ALTER TABLE "passages" ALTER COLUMN "own_text" SET STORAGE EXTERNAL, ALTER COLUMN "heading" SET STORAGE EXTERNAL;
--> statement-breakpoint
CREATE TABLE "document_keys" (
  "document_id" text COLLATE "C" PRIMARY KEY,
  "partition" smallint NOT NULL,
  "key_version" integer NOT NULL,
  "wrapped" bytea NOT NULL,
  "key_id" bytea NOT NULL
) WITH (fillfactor = 60);
--> statement-breakpoint
CREATE INDEX "document_keys_partition" ON "document_keys" ("partition");
--> statement-breakpoint
CREATE TABLE "key_rotations" (
  "partition" smallint PRIMARY KEY,
  "since" timestamp with time zone NOT NULL,
  "urgent" boolean NOT NULL,
  "losses" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "replaced_keys" (
  "document_id" text COLLATE "C" NOT NULL,
  "key_id" bytea NOT NULL,
  "partition" smallint NOT NULL,
  "key_version" integer NOT NULL,
  "wrapped" bytea NOT NULL,
  "replaced_at" timestamp with time zone NOT NULL,
  PRIMARY KEY ("document_id", "key_id")
) WITH (fillfactor = 60);
--> statement-breakpoint
CREATE INDEX "replaced_keys_partition" ON "replaced_keys" ("partition");
--> statement-breakpoint
CREATE INDEX "replaced_keys_replaced_at" ON "replaced_keys" ("replaced_at");

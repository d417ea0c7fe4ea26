-- The range of a document in a tree of digests: the first 16 bits of the SHA-256 of its id. Immutable, since a database's encoding never changes.
CREATE FUNCTION "kattegat_leaf"(text) RETURNS integer
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT get_byte(sha256(convert_to($1, 'UTF8')), 0) * 256 + get_byte(sha256(convert_to($1, 'UTF8')), 1) $$;
--> statement-breakpoint
CREATE INDEX "documents_leaf" ON "documents" (kattegat_leaf("id"));
--> statement-breakpoint
CREATE TABLE "repairs" (
  "sequence" bigint NOT NULL,
  "site" text NOT NULL,
  "document_id" text NOT NULL,
  "class" text NOT NULL,
  "kind" text NOT NULL,
  "detail" text NOT NULL,
  "at" timestamp with time zone NOT NULL,
  PRIMARY KEY ("sequence", "site")
);

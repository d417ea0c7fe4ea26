-- Changes that a site refused for good: it has no copy of them, although its watermark passed them.
CREATE TABLE "refused_copies" (
  "site" text NOT NULL,
  "model" text NOT NULL,
  "sequence" bigint NOT NULL,
  "code" text NOT NULL,
  "at" timestamp with time zone NOT NULL,
  PRIMARY KEY ("site", "model", "sequence")
);

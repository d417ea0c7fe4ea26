CREATE TABLE "embedding_model" (
  "only" boolean PRIMARY KEY DEFAULT true CHECK ("only"),
  "model" text NOT NULL,
  "dimensions" integer NOT NULL
);

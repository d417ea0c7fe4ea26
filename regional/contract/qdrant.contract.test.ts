import { afterAll, beforeAll } from "vitest";
import { describeQdrant } from "./describe-qdrant.ts";
import { openQdrant } from "./qdrant-under-test.ts";
import type { QdrantUnderTest } from "./qdrant-under-test.ts";

let qdrant: QdrantUnderTest;

beforeAll(async () => {
  qdrant = await openQdrant();
});
afterAll(async () => {
  await qdrant?.stop();
});

describeQdrant(() => qdrant);

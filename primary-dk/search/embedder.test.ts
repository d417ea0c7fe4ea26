import { hashedModel } from "@kattegat/config/embedding-consistency.ts";
import { createHashedEmbedder } from "@kattegat/engine/embedding/hashed.ts";
import { expect, it } from "vitest";

it("gives the built-in model the name that the network file has to give it", () => {
  for (const dimensions of [8, 256, 384, 4_096])
    expect(createHashedEmbedder({ dimensions }).model).toBe(hashedModel(dimensions));
});

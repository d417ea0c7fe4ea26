/** What the server says of itself. */
import { describe, expect, it } from "vitest";
import type { Call, QdrantUnderTest } from "../qdrant-under-test.ts";

export function describeServer(call: Call, qdrant: () => QdrantUnderTest): void {
  describe("the server", () => {
    it("says who it is", async () => {
      const { status, body } = await call("GET", "/");
      expect(status).toBe(200);
      expect(body).toEqual({
        title: "qdrant - vector search engine",
        version: expect.any(String),
        commit: expect.stringMatching(/^[0-9a-f]{40}$/),
      });
    });

    it("answers its health in plain text, without a key too", async () => {
      for (const [path, text] of [
        ["/healthz", "healthz check passed"],
        ["/livez", "healthz check passed"],
        ["/readyz", "all shards are ready"],
      ]) {
        const response = await fetch(`${qdrant().url}${path}`);
        expect([response.status, await response.text()]).toEqual([200, text]);
      }
    });

    it("puts results into an envelope with status and time", async () => {
      const { status, body } = await call("GET", "/collections");
      expect(status).toBe(200);
      expect(body).toMatchObject({
        result: { collections: expect.any(Array) },
        status: "ok",
        time: expect.any(Number),
      });
    });

    it("leaves the result out of an error", async () => {
      const { body } = await call("GET", `/collections/${qdrant().newName()}`);
      expect(body).toMatchObject({ status: { error: expect.any(String) }, time: expect.any(Number) });
      expect(body).not.toHaveProperty("result");
    });
  });
}

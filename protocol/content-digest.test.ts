import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { formatDigest, parseDigest } from "./content-digest.ts";

const digest = new Uint8Array(createHash("sha256").update("lov").digest());

it("writes the header as RFC 9530 has it, and reads it back", () => {
  // Appendix B.1 of the RFC.
  const example = new Uint8Array(createHash("sha256").update('{"hello": "world"}\n').digest());
  expect(formatDigest(example)).toBe("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
  expect(parseDigest(formatDigest(digest))).toEqual(digest);
});

it.each(["", "sha-512=:AAAA:", "sha-256=:AAAA:", "sha-256=:AAA:", "sha-256=AAAA", "md5=:AAAA:"])(
  "takes %j for no digest",
  (header) => {
    expect(parseDigest(header)).toBeNull();
  },
);

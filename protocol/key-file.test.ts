import { describe, expect, it } from "vitest";
import { parseKey, parseKeySet } from "./key-file.ts";

const key = { kty: "OKP", kid: "dk-cph", crv: "Ed25519", x: "AAAA", key_ops: ["verify"] };

describe("a key file", () => {
  it("holds a key, or a set of them", () => {
    expect(parseKey(JSON.stringify(key), "a.jwk")).toEqual(key);
    expect(parseKeySet(JSON.stringify({ keys: [key] }), "jwks.json")).toEqual({ keys: [key] });
  });

  it.each([
    "",
    "{",
    "[]",
    '{"keys":[{}]}',
    '{"d":"secret"}',
    '{"kty":"OKP","d":"secret',
    '{"kty":"OKP","d":["secret",7]}',
  ])("is refused by its name, never by what it holds: %s (I17)", (text) => {
    for (const parse of [parseKey, parseKeySet]) {
      const message = expect.stringMatching(/^a\.jwk: expected a JSON Web Key( Set)?$/);
      expect(() => parse(text, "a.jwk")).toThrow(expect.objectContaining({ message }));
    }
  });
});

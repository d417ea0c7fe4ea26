import { hash } from "node:crypto";
import { AwsV4Signer } from "aws4fetch";
import fc from "fast-check";
import { expect, it } from "vitest";
import { authorizationOf, encodeStrictly } from "./signature-v4.ts";

const key = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };

it("signs as another implementation does, whatever stands in the path, the parameters, the headers and the body", async () => {
  const part = fc
    .string({ minLength: 1, maxLength: 8, unit: "grapheme" })
    .filter((text) => !/^\.{1,2}$|[%+/\\]/.test(text));
  const parts = fc.array(part, { minLength: 1, maxLength: 3 });
  const query = fc.dictionary(
    fc.stringMatching(/^[a-z-]{1,6}$/),
    fc.string({ maxLength: 6, unit: "grapheme" }),
    { maxKeys: 4 },
  );
  await fc.assert(
    fc.asyncProperty(
      parts,
      query,
      fc.constantFrom("GET", "PUT", "POST"),
      fc.string({ maxLength: 20 }),
      fc.stringMatching(/^[a-z0-9 ]{0,10}$/),
      async (path, parameters, method, body, note) => {
        const url = new URL(`https://s3.example.dk/${path.map(encodeStrictly).join("/")}`);
        for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
        const datetime = "20261126T120000Z";
        const bodySha256 = hash("sha256", body, "hex");
        const headers = { "x-amz-content-sha256": bodySha256, "x-amz-meta-note": note.trim() };
        const other = new AwsV4Signer({
          method,
          url: url.href,
          headers,
          ...key,
          service: "s3",
          region: "eu-north-1",
          datetime,
        });
        const signed = { ...headers, host: url.host, "x-amz-date": datetime };
        expect(
          authorizationOf({ method, url, headers: signed, bodySha256, datetime, region: "eu-north-1" }, key),
        ).toBe(await other.authHeader());
      },
    ),
    { numRuns: 500 },
  );
});

it("signs the example of Amazon's guide", () => {
  const url = new URL("https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J");
  const bodySha256 = hash("sha256", "", "hex");
  const datetime = "20130524T000000Z";
  const headers = { host: url.host, "x-amz-content-sha256": bodySha256, "x-amz-date": datetime };
  const example = {
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  };
  expect(
    authorizationOf({ method: "GET", url, headers, bodySha256, datetime, region: "us-east-1" }, example),
  ).toContain("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { startPrimary, streamed, type TestPrimary } from "../primary.fixture.ts";

let postgres: PostgresFixture;
let test: TestPrimary;
beforeAll(async () => {
  postgres = await startPostgres();
  test = await startPrimary(await postgres.database());
});
afterEach(() => {
  expect(test.errors.splice(0)).toEqual([]);
});
afterAll(async () => {
  await test.close();
  await postgres.stop();
});

const good = { title: "Lov", text: "§ 1. Loven gælder.", residency: "global" };
const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
const raw = (body: string | Uint8Array<ArrayBuffer>) =>
  test.client.send("/internal/documents/bad", { method: "PUT", body });

const BAD: readonly (readonly [
  name: string,
  body: string | Uint8Array<ArrayBuffer>,
  status: number,
  code: string,
])[] = [
  ["no body", "", 400, "bad_json"],
  ["malformed JSON", '{"title":', 400, "bad_json"],
  ["bytes that are not UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), 400, "bad_json"],
  ["a list", "[]", 400, "bad_request"],
  ["a number", "7", 400, "bad_request"],
  ["a wrong type", JSON.stringify({ ...good, title: 7 }), 400, "bad_request"],
  ["an unknown field", JSON.stringify({ ...good, titel: "x" }), 400, "bad_request"],
  ["neither text nor passages", JSON.stringify({ title: "x", residency: "eu" }), 400, "bad_request"],
  ["a text of 5 MiB", JSON.stringify({ ...good, text: "a".repeat(5 * 1024 * 1024) }), 400, "bad_request"],
  ["a body of 17 MiB", JSON.stringify({ ...good, text: "a".repeat(17 * 1024 * 1024) }), 413, "too_large"],
  ["NUL in the text", JSON.stringify({ ...good, text: "a\u0000b" }), 400, "bad_request"],
  ["NUL in the title", JSON.stringify({ ...good, title: "a\u0000b" }), 400, "bad_request"],
  ["NUL in metadata", JSON.stringify({ ...good, metadata: { a: "\u0000" } }), 400, "bad_request"],
  ["NUL in a metadata key", JSON.stringify({ ...good, metadata: { "\u0000": 1 } }), 400, "bad_request"],
  ["a lone surrogate in the text", `{"title":"x","residency":"eu","text":"\\ud800"}`, 400, "bad_request"],
  [
    "a lone surrogate in metadata",
    `{"title":"x","residency":"eu","text":"a","metadata":{"a":"\\udc00"}}`,
    400,
    "bad_request",
  ],
  [
    "metadata 100,000 levels deep",
    `{"title":"x","residency":"eu","text":"a","metadata":${nested(100_000)}}`,
    400,
    "bad_request",
  ],
  [
    "metadata of 33 KiB",
    JSON.stringify({ ...good, metadata: { a: "x".repeat(33 * 1024) } }),
    400,
    "bad_request",
  ],
  ["an unknown residency class", JSON.stringify({ ...good, residency: "mars" }), 400, "unknown_residency"],
  [
    "a class named like a method",
    JSON.stringify({ ...good, residency: "constructor" }),
    400,
    "unknown_residency",
  ],
  ["an importance above 1", JSON.stringify({ ...good, importance: 1.5 }), 400, "bad_request"],
  ["a date that is none", JSON.stringify({ ...good, published_at: "yesterday" }), 400, "bad_request"],
  ["an unknown tier", JSON.stringify({ ...good, tier: "lukewarm" }), 400, "bad_request"],
  [
    "a short vector",
    JSON.stringify({ title: "x", residency: "eu", passages: [{ text: "a", vector: [1, 2] }] }),
    400,
    "bad_vector",
  ],
  [
    "a vector of zeros",
    JSON.stringify({ title: "x", residency: "eu", passages: [{ text: "a", vector: Array(384).fill(0) }] }),
    400,
    "bad_vector",
  ],
  [
    "NaN in a vector",
    `{"title":"x","residency":"eu","passages":[{"text":"a","vector":[NaN]}]}`,
    400,
    "bad_json",
  ],
  [
    "infinity in a vector",
    `{"title":"x","residency":"eu","passages":[{"text":"a","vector":[1e999]}]}`,
    400,
    "bad_request",
  ],
];

describe("a document with", () => {
  it.each(BAD)("%s is refused with a stable code", async (_, body, status, code) => {
    const response = await raw(body);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect([response.status, (await response.json()).code]).toEqual([status, code]);
  });

  it("an id with a slash, a path step, or other characters is refused, encoded or not", async () => {
    for (const id of ["a%2Fb", "a%2525", "a%20b", "%C3%A6", "..%2F..", "a".repeat(257)]) {
      const response = await test.client.put(id, good);
      expect([400, 404]).toContain(response.status);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
    }
    expect((await test.client.put("a/b", good)).status).toBe(404);
    expect((await test.client.put("%ff", good)).status).toBe(400);
    expect((await test.client.put("a~b._-", good)).status).toBe(201);
  });

  it("extreme but valid values is stored", async () => {
    const metadata = {
      "": "",
      __proto: 1,
      deep: JSON.parse(nested(50)),
      big: 1e308,
      list: [null, true, "\u{1F600}"],
    };
    const odd = {
      ...good,
      title: "x".repeat(1_000),
      published_at: "0001-01-01",
      metadata,
      passages: [{ text: "a", vector: Array(384).fill(1e300) }],
      text: "\u2028 a \uFFFF",
    };
    const response = await test.client.put("odd", odd);
    expect([response.status, await response.clone().text()]).toEqual([201, expect.any(String)]);
    expect((await (await test.client.send("/internal/documents/odd")).json()).metadata).toEqual(metadata);
    expect((await test.client.put("empty", { ...good, text: "" })).status).toBe(201);
    expect((await test.client.put("year0", { ...good, published_at: "0000-01-01" })).status).toBeLessThan(
      500,
    );
  });

  it("a text of 4 MiB is stored, searched and read", async () => {
    const text = `${"Paragraf om lystfartøjer og havne. ".repeat(60)}\n\n`
      .repeat(1_900)
      .slice(0, 4 * 1024 * 1024 - 4_000);
    const response = await test.client.put("huge", { ...good, importance: 0.8, text });
    expect(response.status).toBe(201);
    expect((await test.client.search("lystfartøjer")).dense[0]?.content?.text).toContain("lystfartøjer");
    expect((await (await test.client.send("/internal/documents/huge")).json()).text).toBe(text);
    const { changes } = await test.client.feed("eu-fra", "0");
    expect(changes.length).toBeGreaterThan(0);
    await test.client.send("/internal/documents/huge", { method: "DELETE" });
  });
});

describe("a request", () => {
  it("without a site token, or for another zone than it names, is refused", async () => {
    const bare = await test.client.send("/internal/documents/x", { headers: { authorization: "" } });
    expect([bare.status, (await bare.json()).code]).toEqual([401, "unauthenticated"]);
    const unknown = await test.client.put("x", good, { "x-kattegat-zone": "mars" });
    expect((await unknown.json()).code).toBe("residency_refused");
  });

  it("to search with vectors or filters that do not fit is refused", async () => {
    const bad: readonly (readonly [Parameters<typeof test.client.search>[1], string])[] = [
      [{ dense: "AAAA" }, "bad_vector"],
      [{ dense: "A" }, "bad_vector"],
      [
        { dense: Buffer.from(new Float32Array(384).fill(Number.NaN).buffer).toString("base64") },
        "bad_vector",
      ],
      [{ lexical: { indices: "AAAAAA==", values: "" } }, "bad_vector"],
      [{ tiers: [] }, "bad_request"],
      [{ candidates: 1_000_000 }, "bad_request"],
      [{ filter: JSON.parse(`${'{"must":['.repeat(200)}${"]}".repeat(200)}`) }, "bad_request"],
    ];
    for (const [change, code] of bad) await expect(test.client.search("x", change)).rejects.toThrow(code);
  });

  it("for a receipt by what is no id is refused", async () => {
    for (const id of ["%00", "a%20b", "x".repeat(129)]) {
      const answer = await test.client.send(`/internal/receipts/${id}`);
      expect(answer.status, id).toBe(400);
      expect(await answer.json()).toMatchObject({ code: "bad_request" });
    }
  });

  it("to confirm or report use with a wrong shape is refused", async () => {
    for (const path of ["/internal/confirm", "/internal/usage"]) {
      expect((await test.client.send(path, { method: "POST", body: "{}" })).status).toBe(400);
      expect(
        (await test.client.send(path, { method: "POST", body: `"${"x".repeat(700_000)}"` })).status,
      ).toBe(413);
    }
    const unknown = await test.client.send("/internal/usage", {
      method: "POST",
      body: JSON.stringify({ site: "edge-eu", documents: [{ id: "a\u0000", hits: 1 }] }),
    });
    expect(unknown.status).toBe(400);
  });
});

describe("a batch", () => {
  it("answers each line in order, and a bad line fails alone", async () => {
    const lines = [
      { id: "b1", ...good },
      "{not json",
      "",
      { id: "b2/x", ...good },
      { id: "b3", ...good, residency: "mars" },
      { id: "b1", ...good, title: "Ny" },
      `{"id":"b4","title":"${"x".repeat(17 * 1024 * 1024)}"}`,
      { id: "b5", ...good, text: "sidst" },
    ];
    const results = await test.client.batch(lines);
    expect(results.map(({ line, status }) => [line, status])).toEqual([
      [1, 201],
      [2, 400],
      [4, 400],
      [5, 400],
      [6, 200],
      [7, 413],
      [8, 201],
    ]);
    expect(results.map(({ error }) => codeOf(error))).toEqual([
      undefined,
      "bad_json",
      "bad_request",
      "unknown_residency",
      undefined,
      "too_large",
      undefined,
    ]);
    expect(BigInt(String(results[4]?.["sequence"]))).toBeGreaterThan(
      BigInt(String(results[0]?.["sequence"])),
    );
    expect((await (await test.client.send("/internal/documents/b1")).json()).title).toBe("Ny");
  });

  it("answers lines before the sender has finished", async () => {
    const sent = new TransformStream<Uint8Array, Uint8Array>();
    const writer = sent.writable.getWriter();
    const answering = test.client.send("/internal/documents:batch", streamed(sent.readable));
    void writer.write(new TextEncoder().encode(`${JSON.stringify({ id: "early", ...good })}\n`));
    const reader = (await answering).body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toContain('"status":201');
    await writer.close();
    expect((await reader?.read())?.done).toBe(true);
  });

  it("of none is answered with none", async () => {
    expect(
      await (await test.client.send("/internal/documents:batch", { method: "POST", body: "\n\n" })).text(),
    ).toBe("");
  });

  it("is resumed by repeating it: what is there keeps its sequence", async () => {
    const lines = Array.from({ length: 50 }, (_, index) => ({
      id: `r${index}`,
      ...good,
      title: `Lov ${index}`,
    }));
    const first = await test.client.batch(lines.slice(0, 30));
    const again = await test.client.batch(lines);
    expect(again.slice(0, 30).map(({ sequence }) => sequence)).toEqual(first.map(({ sequence }) => sequence));
    expect(again.map(({ status }) => status)).toEqual([...Array(30).fill(200), ...Array(20).fill(201)]);
  });
});

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}

import { toCanonical } from "@kattegat/engine/vector/canonical.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { startPrimary, type TestPrimary } from "../primary.fixture.ts";

let postgres: PostgresFixture;
let test: TestPrimary;

beforeAll(async () => {
  postgres = await startPostgres();
  test = await startPrimary(await postgres.database());
});
afterAll(async () => {
  await test.close();
  await postgres.stop();
});

const law = {
  title: "Forvaltningsloven",
  text: "§ 19. En part skal høres, inden der træffes afgørelse.",
  residency: "global",
  importance: 0.8,
  lang: "da",
};

describe("a document", () => {
  it("is found by a search and carried by the feed as soon as its write is acknowledged", async () => {
    const response = await test.client.put("fvl", law);
    expect(response.status).toBe(201);
    const written = await response.json();
    expect(written).toMatchObject({
      id: "fvl",
      tier: "hot",
      residency: "global",
      passages: 1,
      planned_sites: ["dk-cph"],
    });
    const found = await test.client.search("partshøring før afgørelse");
    expect(found.dense[0]).toMatchObject({
      document_id: "fvl",
      ordinal: 1,
      tier: "hot",
      version: written.version,
      content: { title: "Forvaltningsloven", text: law.text },
    });
    expect(found.tiers[0]).toMatchObject({ status: "ok", watermark: written.sequence });
    const { changes, head } = await test.client.feed("eu-fra", "0");
    expect(changes.at(-1)?.sequence).toBe(head.sequence);
    expect(changes.every((change) => change.kind === "skip")).toBe(true);
  });

  it("keeps its version when the same content comes again", async () => {
    const first = await (await test.client.put("same", { ...law, metadata: { a: 1, b: [2] } })).json();
    const again = await test.client.put("same", { ...law, metadata: { b: [2], a: 1 } });
    expect(again.status).toBe(200);
    expect(await again.json()).toEqual(first);
  });

  it("is replaced only by a writer that knows its version when If-Match is given", async () => {
    const first = await (await test.client.put("cas", law)).json();
    const stale = await test.client.put("cas", { ...law, title: "B" }, { "if-match": '"999999"' });
    expect(stale.status).toBe(412);
    expect((await stale.json()).code).toBe("version_mismatch");
    const fresh = await test.client.put("cas", { ...law, title: "C" }, { "if-match": `"${first.version}"` });
    expect(fresh.status).toBe(200);
    const absent = await test.client.put("cas-absent", law, { "if-match": '"1"' });
    expect(absent.status).toBe(412);
  });

  it("is written by one writer alone when each demands that it be new", async () => {
    const isNew = { "if-none-match": "*" };
    expect((await test.client.put("new-only", law, isNew)).status).toBe(201);
    const second = await test.client.put("new-only", { ...law, title: "B" }, isNew);
    expect([second.status, (await second.json()).code]).toEqual([412, "version_mismatch"]);
    const same = await test.client.put("new-only", law, isNew);
    expect(same.status).toBe(412);
    const other = await test.client.put("new-only", law, { "if-none-match": '"7"' });
    expect(other.status).toBe(400);
  });

  it("reads back as it was written", async () => {
    await test.client.put("read", {
      ...law,
      metadata: { source: "lov" },
      published_at: "2014-04-22",
      tier: "cold",
    });
    const response = await test.client.send("/internal/documents/read");
    const document = await response.json();
    expect(document).toMatchObject({
      title: law.title,
      text: law.text,
      metadata: { source: "lov" },
      published_at: "2014-04-22T00:00:00.000Z",
      tier: "cold",
      pinned_tier: "cold",
      importance: 0.8,
    });
    expect(response.headers.get("etag")).toBe(`"${document.version}"`);
  });

  it("stands where the caller's passages say, with the caller's vectors rounded at unit length", async () => {
    const vector = Array.from({ length: 384 }, (_, index) => (index === 0 ? 3 : index === 1 ? 4 : 0));
    const response = await test.client.put("given", {
      title: "Given",
      residency: "global",
      tier: "cold",
      passages: [{ text: "først" }, { text: "dernæst", vector }],
    });
    expect(await response.json()).toMatchObject({
      passages: 2,
      tier: "cold",
      planned_sites: ["edge-global"],
    });
    expect((await (await test.client.send("/internal/documents/given")).json()).text).toBe(
      "først\n\ndernæst",
    );
    const { changes } = await test.client.feed("edge-global", "0");
    const put = changes.find((change) => change.kind === "put" && change.document_id === "given");
    const passage = put?.kind === "put" ? put.document.passages[1] : undefined;
    expect(passage?.text).toBe("dernæst");
    const floats = new Float32Array(new Uint8Array(Buffer.from(passage?.dense ?? "", "base64")).buffer);
    expect(floats).toEqual(toCanonical(Float32Array.from(vector, (value) => value / 5)));
    expect(Math.hypot(...floats)).toBeCloseTo(1, 6);
  });

  it("is gone from searches, reads and targets once deleted", async () => {
    await test.client.put("gone", { ...law, title: "Zebrafisk", text: "Zebrafisk svømmer hurtigt." });
    const response = await test.client.send("/internal/documents/gone", { method: "DELETE" });
    expect(response.status).toBe(202);
    const { receipt } = await response.json();
    expect((await test.client.search("zebrafisk")).lexical).toEqual([]);
    expect((await test.client.send("/internal/documents/gone")).status).toBe(404);
    const read = await (await test.client.send(receipt.replace("/v1/", "/internal/"))).json();
    expect(read).toMatchObject({ document_id: "gone", sites: [{ site: "archive-dk" }, { site: "dk-cph" }] });
    expect((await test.client.send("/internal/documents/gone", { method: "DELETE" })).status).toBe(404);
  });
});

describe("a class", () => {
  it("is written and read only through a zone that may carry it (I4)", async () => {
    const secret = { ...law, residency: "dk-only" };
    const refused = await test.client.put("secret", secret, { "x-kattegat-zone": "global" });
    expect(refused.status).toBe(403);
    expect((await refused.json()).code).toBe("residency_refused");
    expect((await test.client.put("secret", secret)).status).toBe(201);
    const read = await test.client.send("/internal/documents/secret", {
      headers: { "x-kattegat-zone": "global" },
    });
    expect((await read.json()).code).toBe("residency_refused");
    const foreign = await test.client.send("/internal/documents/secret", {
      headers: { "x-kattegat-classes": "eu,global" },
    });
    expect(foreign.status).toBe(403);
    const overwritten = await test.client.put("secret", law, { "x-kattegat-zone": "global" });
    expect((await overwritten.json()).code).toBe("residency_refused");
  });

  it("that no zone may carry is not searched, whatever the request claims (I4)", async () => {
    await test.client.put("dk-hidden", { ...law, residency: "dk-only", text: "Hemmelighedskræmmeri alene." });
    const asked = await test.client.search("hemmelighedskræmmeri", {
      zone: "global",
      classes: ["dk-only", "global"],
    });
    expect(asked.lexical).toEqual([]);
    const allowed = await test.client.search("hemmelighedskræmmeri");
    expect(allowed.lexical[0]?.document_id).toBe("dk-hidden");
  });

  it("of Denmark alone keeps its warm and cold documents at the primary", async () => {
    const written = await (
      await test.client.put("dk-cold", {
        ...law,
        residency: "dk-only",
        tier: "cold",
        text: "Frostsikker brønd.",
      })
    ).json();
    expect(written.planned_sites).toEqual(["dk-cph"]);
    expect((await test.client.search("frostsikker")).lexical[0]).toMatchObject({
      document_id: "dk-cold",
      tier: "cold",
    });
    expect((await test.client.search("frostsikker", { tiers: ["hot"] })).lexical).toEqual([]);
  });
});

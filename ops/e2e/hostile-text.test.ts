import { readNetwork } from "../configured-network.ts";
import { runningProcess } from "../local/running-process.ts";
import { readSettings } from "../settings.ts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestNetwork, type TestNetwork } from "./network.fixture.ts";

let network: TestNetwork;
beforeAll(async () => {
  network = await startTestNetwork({ samples: "few" });
}, 160_000);
afterAll(() => network?.stop());

const { model, dimensions } = readNetwork(readSettings({})).network.embedding;

/** Text that JSON can carry, and that a database, a path or a header cannot. */
const HOSTILE = {
  NUL: "a\u0000b",
  "half a surrogate pair": "a\ud800b",
  "a control character": "a\u0001\u007f\u009fb",
  "a line break": "a\r\nb",
  "a direction mark": "a\u202eb",
  nothing: "",
  "a path": "../../etc/passwd",
  "a percent sign": "%00%ff%",
  quotes: `'"; drop table documents; --`,
  length: "x".repeat(20_000),
} as const;

interface Question {
  readonly site: "public" | "dk-cph" | "eu-fra" | "edge-eu";
  readonly issuer?: "edge" | "replication" | "ops";
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const ranges = { depth: 0, indexes: [0] };
const KEY = "0123456789abcdef";
const at = { epoch: 1, sequence: "1" };
const filters = (text: string) => [
  { must: [{ key: text, match: { value: "x" } }] },
  { must: [{ key: "metadata.a", match: { value: text } }] },
  { must: [{ key: "title", match: { text } }] },
  { must: [{ key: "metadata.a", match: { any: [text] } }] },
  { must_not: [{ key: "metadata.a", match: { except: [text] } }] },
  { must: [{ has_id: [text] }] },
  { must: [{ key: "published_at", range: { gte: text } }] },
  { must: [{ is_empty: { key: text } }] },
];

/** Every route that takes a text, with the text in each place that it has. */
function questionsWith(text: string): readonly Question[] {
  const encoded = encodeURIComponent(text.toWellFormed());
  const search = {
    dense: null,
    lexical: null,
    model,
    filter: null,
    collection: "default",
    classes: ["eu"],
    zone: "eu",
    tiers: ["warm"],
    group_by: "document",
    candidates: 10,
    hydrated: 1,
    min_sequence: null,
    deadline_ms: 1_000,
  };
  const lexical = { indices: "BwAAAA==", values: "AACAPw==" };
  const searches = [
    ...filters(text).map((filter) => ({ ...search, lexical, filter })),
    { ...search, lexical, collection: text },
    { ...search, lexical, classes: [text] },
    { ...search, model: text },
    { ...search, zone: text },
    { ...search, lexical, min_sequence: text },
    { ...search, lexical, dense: text },
  ];
  const questions: Question[] = [
    ...filters(text).map((filter) => ({
      site: "public" as const,
      method: "POST",
      path: "/v1/search",
      body: { query: "havn", filter },
    })),
    { site: "public", method: "POST", path: "/v1/search", body: { query: text } },
    { site: "public", method: "POST", path: "/v1/search", body: { query: "havn", collection: text } },
    { site: "public", method: "POST", path: "/v1/search", body: { query: "havn", min_sequence: text } },
    { site: "public", path: `/v1/search?query=${encoded}` },
    { site: "public", path: `/v1/search?query=havn&collection=${encoded}` },
    { site: "public", path: `/v1/documents/${encoded}` },
    { site: "public", method: "DELETE", path: `/v1/documents/${encoded}` },
    { site: "public", path: `/v1/receipts/${encoded}` },
    ...[
      { title: text, text: "a", residency: "eu" },
      { title: "a", text, residency: "eu" },
      { title: "a", text: "a", residency: text },
      { title: "a", text: "a", residency: "eu", collection: text },
      { title: "a", text: "a", residency: "eu", lang: text },
      { title: "a", text: "a", residency: "eu", metadata: { [text]: text } },
      { title: "a", text: "a", residency: "eu", published_at: text },
      { title: "a", text: "a", residency: "eu", passages: [{ text }] },
    ].map((body) => ({ site: "public" as const, method: "PUT", path: "/v1/documents/hostile", body })),
  ];
  for (const site of ["dk-cph", "eu-fra"] as const)
    questions.push(
      ...searches.map((body) => ({
        site,
        issuer: "edge" as const,
        method: "POST",
        path: "/internal/search",
        body,
      })),
      {
        site,
        issuer: "edge",
        method: "POST",
        path: "/internal/passages",
        body: { zone: text, classes: [text], passages: [{ document_id: text, ordinal: 1 }] },
      },
      {
        site,
        issuer: "edge",
        method: "POST",
        path: "/internal/passages",
        body: { zone: "eu", classes: ["eu"], passages: [{ document_id: text, ordinal: 1 }] },
      },
    );
  for (const site of ["eu-fra", "edge-eu"] as const)
    questions.push(
      {
        site,
        issuer: "replication",
        method: "POST",
        path: "/internal/digests/ranges",
        body: { model: text, ...ranges },
      },
      {
        site,
        issuer: "replication",
        method: "POST",
        path: "/internal/digests/copies",
        body: { model, keys: [], documents: [text] },
      },
      { site, issuer: "replication", path: `/internal/watermark?model=${encoded}` },
    );
  questions.push(
    {
      site: "eu-fra",
      issuer: "replication",
      method: "POST",
      path: "/internal/editions:retire",
      body: { models: [text] },
    },
    { site: "edge-eu", issuer: "replication", path: `/internal/cold/objects/segments/${encoded}` },
    {
      site: "edge-eu",
      issuer: "replication",
      path: `/internal/cold/manifest?model=${encoded}&dimensions=${dimensions}`,
    },
    {
      site: "edge-eu",
      issuer: "replication",
      method: "POST",
      path: "/internal/digests/scrub",
      body: { model, from: { object: text, row: 0 }, rows: 10 },
    },
    {
      site: "edge-eu",
      issuer: "ops",
      method: "DELETE",
      path: `/internal/holdings/object?key=${encoded}`,
    },
  );
  const primary = (issuer: Question["issuer"], path: string, body?: unknown): Question => ({
    site: "dk-cph",
    ...(issuer === undefined ? {} : { issuer }),
    path,
    ...(body === undefined ? {} : { method: "POST", body }),
  });
  questions.push(
    primary("replication", `/internal/changes?target=${encoded}&after=0`),
    primary("replication", `/internal/changes?target=eu-fra&after=${encoded}`),
    primary("replication", `/internal/changes?target=eu-fra&after=0&model=${encoded}`),
    primary("replication", "/internal/confirm", { site: text, watermark: at, state: "ok" }),
    primary("replication", "/internal/confirm", { site: "eu-fra", model: text, watermark: at, parked: 0 }),
    primary("edge", "/internal/usage", { site: text, documents: [{ id: "a", hits: 1 }] }),
    primary("edge", "/internal/usage", { site: "edge-eu", documents: [{ id: text, hits: 1 }] }),
    primary("ops", `/internal/ledger/proof?document=${encoded}`),
    primary("ops", `/internal/ledger/sites?document=${encoded}`),
    primary("ops", `/internal/ledger/entries?document=${encoded}`),
    primary("ops", `/internal/digests/repairs?site=${encoded}`),
    primary("ops", `/internal/embeddings/${encoded}`),
    primary("replication", "/internal/digests/ranges", { target: text, ...ranges }),
    primary("replication", "/internal/digests/copies", { target: text, keys: [KEY] }),
    primary("replication", "/internal/digests/repairs", {
      site: "eu-fra",
      faults: [{ document_id: "a", class: text, kind: "extra", detail: text.slice(0, 500) }],
    }),
    primary("replication", "/internal/digests/repairs", {
      site: "eu-fra",
      faults: [{ document_id: text, class: "eu", kind: "extra", detail: "" }],
    }),
    primary("replication", "/internal/holdings:changed", { documents: [text] }),
    primary("ops", "/internal/holdings:repair", {
      documents: [{ document_id: text, class: "eu", from: ["eu-fra"] }],
    }),
    primary("ops", "/internal/holdings:repair", {
      documents: [{ document_id: "a", class: text, from: ["eu-fra"] }],
    }),
    primary("ops", "/internal/holdings:repair", {
      documents: [{ document_id: "a", class: "eu", from: [text] }],
    }),
    primary("ops", "/internal/documents:select", { filter: null, after: text }),
    ...filters(text).map((filter) => primary("ops", "/internal/documents:select", { filter, after: null })),
    {
      site: "dk-cph",
      issuer: "edge",
      path: "/internal/documents/a",
      headers: { "x-kattegat-zone": encoded, "x-kattegat-classes": encoded },
    },
  );
  return questions;
}

async function statusOf({ site, issuer, method = "GET", path, body, headers = {} }: Question) {
  const url = site === "public" || site === "edge-eu" ? network.url : runningProcess(network.data, site).url;
  const authorization =
    issuer === undefined ? `Bearer ${network.key}` : await network.authorization(site, { key: issuer });
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const code = /"code": ?"([a-z_]+)"/.exec(text)?.[1] ?? "";
  return { status: answer.status, code };
}

it.each(Object.entries(HOSTILE))("answers no question with %s by an error of its own", async (_, text) => {
  const wrong: string[] = [];
  for (const question of questionsWith(text)) {
    const { status, code } = await statusOf(question);
    // A model that nobody has is not ready.
    if (status < 500 || (status === 503 && code === "not_ready")) continue;
    wrong.push(
      `${status} ${code} ${question.site} ${question.path.slice(0, 60)} ${JSON.stringify(question.body ?? "").slice(0, 160)}`,
    );
  }
  expect(wrong).toEqual([]);
});

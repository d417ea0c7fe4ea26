/** A primary or regional on a loopback socket, with a few laws in memory. */
import { createServer, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { sparseDot } from "@kattegat/engine/lexical/bm25.ts";
import { decodeFloats, decodeIntegers } from "@kattegat/protocol/base64.ts";
import { compareCandidates } from "@kattegat/protocol/fuse.ts";
import {
  hydrateRequestSchema,
  siteSearchRequestSchema,
  type Candidate,
  type SiteSearchRequest,
  type SiteSearchResponse,
} from "@kattegat/protocol/site-search.ts";
import { createTokenVerifier } from "@kattegat/protocol/token-verifier.ts";
import type { JSONWebKeySet } from "jose";
import type { Law } from "./corpus.fixture.ts";

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface SiteServer {
  readonly url: string;
  readonly received: Received[];
  laws: readonly Law[];
  /** The models that it may be asked for. */
  models: string[];
  /** Its laws with vectors of a model; null for one of which `laws` are. */
  lawsOf: (model: string) => readonly Law[] | null;
  /** What the site does with the next requests: answers, is silent, or breaks the connection. */
  mood: "answers" | "hangs" | "breaks" | "refuses" | "talks nonsense" | "lacks texts";
  /** Its status for the tiers, with its watermark. */
  state: { status: "ok" | "stale" | "unavailable"; watermark: string };
  /** Changes an answer before it leaves. */
  tamper: (answer: SiteSearchResponse) => SiteSearchResponse;
  /** Answers whatever has no route here, as the routes of documents. */
  other: (request: Received) => { status: number; body: unknown; headers?: Record<string, string> };
  searches(): SiteSearchRequest[];
  close(): Promise<void>;
}

export async function serveSite({
  site,
  jwks,
}: {
  readonly site: string;
  readonly jwks: JSONWebKeySet;
}): Promise<SiteServer> {
  const verifier = createTokenVerifier({ jwks, site, now: Date.now, epoch: () => 1 });
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const received: Received = {
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        body: Buffer.concat(chunks).toString("utf8"),
      };
      self.received.push(received);
      if (self.mood === "hangs") return;
      if (self.mood === "breaks") return void request.socket.destroy();
      const answer = await verifier.verify(request.headers.authorization).then(
        () => answerOf(received),
        (error: unknown) => ({
          status: 401,
          body: { code: "unauthenticated", detail: String(error) },
          headers: {},
        }),
      );
      response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
      response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
    })().catch(() => request.socket.destroy());
  });

  function answerOf(request: Received): ReturnType<SiteServer["other"]> {
    if (self.mood === "refuses") return { status: 503, body: { code: "not_ready" } };
    if (self.mood === "talks nonsense") return { status: 200, body: '{"site":1}' };
    if (request.path === "/internal/search") {
      return {
        status: 200,
        body: self.tamper(searchOf(siteSearchRequestSchema.parse(JSON.parse(request.body)))),
      };
    }
    if (request.path === "/internal/passages") {
      if (self.mood === "lacks texts") return { status: 503, body: {} };
      const { passages } = hydrateRequestSchema.parse(JSON.parse(request.body));
      return { status: 200, body: { passages: passages.map(({ document_id }) => contentOf(document_id)) } };
    }
    return self.other(request);
  }

  function contentOf(id: string): NonNullable<Candidate["content"]> | null {
    const found = self.laws.find((law) => law.id === id);
    return found === undefined
      ? null
      : { title: `Lov ${id}`, text: found.text, lang: "da", metadata: found.metadata };
  }

  function searchOf(request: SiteSearchRequest): SiteSearchResponse {
    const visible = (self.lawsOf(request.model) ?? self.laws).filter(
      ({ tier, residency }) => request.tiers.includes(tier) && request.classes.includes(residency),
    );
    const listed = (scoreOf: (law: Law) => number): Candidate[] =>
      visible
        .map((law): Candidate => ({
          document_id: law.id,
          ordinal: 1,
          score: scoreOf(law),
          tier: law.tier,
          version: law.version,
          residency: law.residency,
        }))
        .filter(({ score }) => score !== 0)
        .toSorted(compareCandidates)
        .slice(0, request.candidates)
        .map((candidate, index) => {
          const content = contentOf(candidate.document_id);
          return index < request.hydrated && self.mood !== "lacks texts" && content !== null
            ? { ...candidate, content }
            : candidate;
        });
    const dense = request.dense === null ? null : decodeFloats(request.dense);
    const lexical =
      request.lexical === null
        ? null
        : { indices: decodeIntegers(request.lexical.indices), values: decodeFloats(request.lexical.values) };
    return {
      site,
      model: self.models.includes(request.model) ? request.model : null,
      ready: self.models,
      epoch: 1,
      tiers: request.tiers.map((tier) => ({ tier, ...self.state, lag_ms: 0 })),
      dense:
        dense === null
          ? []
          : listed((law) => law.dense.reduce((sum, value, index) => sum + value * (dense[index] ?? 0), 0)),
      lexical: lexical === null ? [] : listed((law) => sparseDot(law.sparse, lexical)),
    };
  }

  const self: SiteServer = {
    url: "",
    received: [],
    laws: [],
    models: ["hashed-384-v1"],
    lawsOf: () => null,
    mood: "answers",
    state: { status: "ok", watermark: "10" },
    tamper: (answer) => answer,
    other: () => ({ status: 404, body: { code: "not_found" } }),
    searches: () =>
      self.received
        .filter(({ path }) => path === "/internal/search")
        .map(({ body }) => siteSearchRequestSchema.parse(JSON.parse(body))),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close").catch(() => null);
    },
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return Object.assign(self, {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
  });
}

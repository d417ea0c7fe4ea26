import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createFetch } from "./fetch.ts";
import { createSiteClient, type Answer, type SiteClient } from "./site-client.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listening(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("expected a port");
  return `http://127.0.0.1:${address.port}`;
}

interface Site {
  readonly client: SiteClient;
  /** Of all connections, in the order in which they came. */
  readonly sockets: readonly Socket[];
  readonly url: string;
}

async function site(handler: Handler, options: Parameters<typeof createFetch>[0] = {}): Promise<Site> {
  const sockets: Socket[] = [];
  // As long as any server promises: the client may not believe it.
  const server = createServer({ keepAliveTimeout: 600_000 }, handler);
  server.on("connection", (socket) => sockets.push(socket));
  servers.push(server);
  const url = await listening(server);
  return { url, sockets, client: clientOf(url, options) };
}

function clientOf(url: string, options: Parameters<typeof createFetch>[0] = {}): SiteClient {
  const authorization = (): Promise<string> => Promise.resolve("Bearer test");
  return createSiteClient({ site: "eu-fra", baseUrl: url, fetch: createFetch(options), authorization });
}

/** Resolves when the client has closed the connection, or it broke. */
function closed(socket: Socket): Promise<unknown> {
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once("close", resolve));
}

const never = new AbortController().signal;
const json = (answer: Answer): Promise<unknown> => answer.json();
const bytes = async (answer: Answer): Promise<number> => (await answer.arrayBuffer()).byteLength;
const ask = <T>(
  { client }: Pick<Site, "client">,
  use: (answer: Answer) => Promise<T>,
  { path = "/", timeoutMs = 20_000, signal = never } = {},
): Promise<T> => client.request(path, { timeoutMs, signal }, use);

const told = async (asked: Promise<unknown>): Promise<unknown> => {
  try {
    return await asked;
  } catch (error) {
    return error;
  }
};

const SECRET = "Hr. Jensen, CPR 010203-1234";
/** A handler by path; every other path answers with the socket that it came by. */
const byPath =
  (handlers: Readonly<Record<string, Handler>>): Handler =>
  (request, response) =>
    (handlers[request.url ?? ""] ?? ((_, answer) => answer.end('{"ok":true}')))(request, response);

describe("a request that gets no answer", () => {
  it("is `unavailable` when nobody listens", async () => {
    const { url } = await site(() => {});
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
    const error = await told(ask({ client: clientOf(url) }, json));
    expect(error).toMatchObject({ code: "unavailable", message: expect.stringContaining("ECONNREFUSED") });
  });

  it("is `timeout` when the server is silent, before its head and in the middle of its body", async () => {
    const silent = await site(
      byPath({
        "/head": () => {},
        "/body": (_, response) => response.writeHead(200, { "content-length": "10" }).write("{"),
        "/chunks": (_, response) => response.writeHead(200).write("{"),
      }),
    );
    for (const path of ["/head", "/body", "/chunks"])
      for (const use of [json, bytes])
        expect(await told(ask(silent, use, { path, timeoutMs: 60 }))).toMatchObject({
          code: "timeout",
          message: "eu-fra did not answer within 60 ms.",
        });
    // What was given up holds no connection: more than a site has were.
    for (let at = 0; at < 10; at += 1) await told(ask(silent, json, { path: "/head", timeoutMs: 20 }));
    expect(await ask(silent, json)).toEqual({ ok: true });
  });

  it("is `unavailable` when the connection breaks, before the head, in the body, in an error's body", async () => {
    const cut = { "content-length": "1000", "content-type": "application/problem+json" };
    const broken = await site(
      byPath({
        "/head": (request) => request.socket.destroy(),
        "/body": (request, response) =>
          response.writeHead(200, cut).write('{"a":', () => request.socket.destroy()),
        "/chunks": (request, response) =>
          response.writeHead(200).write('{"a":', () => request.socket.destroy()),
        "/error": (request, response) =>
          response.writeHead(500, cut).write('{"code":', () => request.socket.destroy()),
      }),
    );
    for (const path of ["/head", "/body", "/chunks", "/error"])
      for (const use of [json, bytes])
        expect(await told(ask(broken, use, { path }))).toMatchObject({ code: "unavailable" });
    expect(await ask(broken, json)).toEqual({ ok: true });
  });

  it("ends at once when whoever asked stops, while it waits and while it reads", async () => {
    const silent = await site((_, response) => response.writeHead(200).write("{"));
    const stopping = new AbortController();
    const reading = told(ask(silent, json, { signal: stopping.signal }));
    const streaming = told(
      ask(
        silent,
        async (answer) => {
          for await (const _ of answer.body ?? []) stopping.abort();
          return null;
        },
        { signal: stopping.signal },
      ),
    );
    expect(await reading).toMatchObject({ code: "unavailable" });
    expect(await streaming).toMatchObject({ code: "unavailable" });
    expect(await told(ask(silent, json, { signal: stopping.signal }))).toMatchObject({ code: "unavailable" });
  });

  it("waits behind no request that has been given up", async () => {
    const one = await site(byPath({ "/head": () => {} }), { connections: 1 });
    const first = told(ask(one, json, { path: "/head", timeoutMs: 300 }));
    expect(await told(ask(one, json, { timeoutMs: 30 }))).toMatchObject({ code: "timeout" });
    expect(await ask(one, json)).toEqual({ ok: true });
    expect(await first).toMatchObject({ code: "timeout" });
  });
});

describe("an answer that is not what was asked for", () => {
  const page = `<html>${SECRET}</html>`;

  it("is `unavailable` when it is no JSON, and is never quoted (I17)", async () => {
    const proxy = await site(
      byPath({
        "/page": (_, response) => response.end(page),
        "/text": (_, response) => response.end(`{"text": "${SECRET}" x}`),
        "/cut": (_, response) => response.end(`{"text": "${SECRET}`),
        "/empty": (_, response) => response.end(),
      }),
    );
    for (const path of ["/page", "/text", "/cut", "/empty"]) {
      const error = await told(ask(proxy, json, { path }));
      expect(error).toMatchObject({ code: "unavailable", message: expect.stringContaining("Expected JSON") });
      for (let at = error; at instanceof Error; at = at.cause)
        expect(at.message + at.stack).not.toMatch(/Jensen|html|text"/);
    }
  });

  it("is told by its status alone when an error is no problem document", async () => {
    const proxy = await site((request, response) => {
      response.writeHead(Number(request.url?.slice(1)), { location: "/elsewhere" }).end(page);
    });
    const codes = {
      302: "unavailable",
      401: "unauthenticated",
      404: "not_found",
      413: "too_large",
      502: "unavailable",
    };
    for (const [status, code] of Object.entries(codes))
      expect(await told(ask(proxy, json, { path: `/${status}` }))).toMatchObject({
        code,
        message: `eu-fra answered ${status} without a problem document.`,
      });
  });

  it("is the site's own error when that is a problem document", async () => {
    const problem = {
      type: "about:blank",
      title: "t",
      status: 409,
      detail: "d",
      code: "divergence",
      request_id: "r",
    };
    const refusing = await site((_, response) => response.writeHead(409).end(JSON.stringify(problem)));
    expect(await told(ask(refusing, json))).toMatchObject({ code: "divergence", message: "d" });
  });
});

describe("an answer beyond the bound", () => {
  /** As much as anybody takes. */
  const flood: Handler = (_, response) => {
    const piece = Buffer.alloc(64 * 1_024, " ");
    const more = (): void => {
      while (!response.destroyed && response.write(piece));
    };
    response.on("drain", more);
    more();
  };
  const options = { wholeBytesMax: 100_000 };

  it("is refused, and its connection closed, whether or not it says how long it is", async () => {
    const large = await site(
      byPath({
        "/declared": (_, response) => response.end(Buffer.alloc(100_001, " ")),
        "/endless": flood,
      }),
      options,
    );
    for (const path of ["/declared", "/endless"])
      for (const use of [json, bytes]) {
        // No code that a stream would take for a poisoned change.
        expect(await told(ask(large, use, { path }))).toMatchObject({
          code: "internal",
          message: "Expected an answer of at most 100000 bytes; more came.",
        });
        await Promise.all(large.sockets.map(closed));
      }
  });

  it("is told by its status when it is an error's", async () => {
    const failing = await site((request, response) => {
      response.statusCode = 500;
      flood(request, response);
    }, options);
    expect(await told(ask(failing, json))).toMatchObject({ code: "unavailable" });
  });

  it("is taken up to the bound, to the last byte", async () => {
    const full = await site(
      byPath({
        "/declared": (_, response) => response.end(Buffer.alloc(100_000, " ")),
        "/chunks": (_, response) => {
          for (let at = 0; at < 100; at += 1) response.write(Buffer.alloc(1_000, at));
          response.end();
        },
      }),
      options,
    );
    expect(await ask(full, bytes, { path: "/declared" })).toBe(100_000);
    const whole = await ask(full, async (answer) => new Uint8Array(await answer.arrayBuffer()), {
      path: "/chunks",
    });
    expect(whole).toEqual(Uint8Array.from({ length: 100_000 }, (_, at) => Math.floor(at / 1_000)));
  });
});

describe("a connection", () => {
  const problem = '{"title":"no"}';

  it("is used again after an error that was answered", async () => {
    const kept = await site(byPath({ "/no": (_, response) => response.writeHead(500).end(problem) }), {
      connections: 1,
    });
    expect(await ask(kept, json)).toEqual({ ok: true });
    expect(await told(ask(kept, json, { path: "/no" }))).toMatchObject({ code: "unavailable" });
    expect(await ask(kept, json)).toEqual({ ok: true });
    expect(kept.sockets).toHaveLength(1);
  });

  it("that broke is replaced for the next request", async () => {
    const broken = await site(byPath({ "/head": (request) => request.socket.destroy() }));
    expect(await ask(broken, json)).toEqual({ ok: true });
    expect(await told(ask(broken, json, { path: "/head" }))).toMatchObject({ code: "unavailable" });
    expect(await ask(broken, json)).toEqual({ ok: true });
    expect(broken.sockets).toHaveLength(2);
  });

  it("whose answer was left in the middle is closed, and holds up no other request", async () => {
    const left = await site(
      byPath({ "/long": (_, response) => response.writeHead(200).write("x".repeat(1_000)) }),
      { connections: 1 },
    );
    const first = ask(
      left,
      async (answer) => {
        for await (const part of answer.body ?? []) return part.byteLength;
        return 0;
      },
      { path: "/long" },
    );
    expect(await first).toBeGreaterThan(0);
    expect(await ask(left, json)).toEqual({ ok: true });
    expect(left.sockets).toHaveLength(2);
  });

  it("is closed after two idle seconds, however long the server would keep it", async () => {
    const idle = await site(byPath({}));
    expect(await ask(idle, json)).toEqual({ ok: true });
    await Promise.all(idle.sockets.map(closed));
    expect(await ask(idle, json)).toEqual({ ok: true });
    expect(idle.sockets).toHaveLength(2);
  });

  it("carries what was asked, and gives headers by any case of their names", async () => {
    const echo = await site((request, response) => {
      const { authorization, "x-more": more } = request.headers;
      response.setHeader("ETag", '"1"').setHeader("x-two", ["a", "b"]);
      request.on("data", (body: Buffer) =>
        response.end(JSON.stringify([request.method, authorization, more, body.toString()])),
      );
    });
    const request = { method: "PUT", headers: { "x-more": "m" }, timeoutMs: 5_000, signal: never } as const;
    for (const body of ["æ", new TextEncoder().encode("æ")])
      expect(
        await echo.client.request("/", { ...request, body }, async ({ headers, ...answer }) => [
          await answer.json(),
          headers.get("etag"),
          headers.get("ETag"),
          headers.get("x-none"),
        ]),
      ).toEqual([["PUT", "Bearer test", "m", "æ"], '"1"', '"1"', null]);
  });
});

/** The real command as a child process, with an edge on a loopback socket that answers as a test says. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Census } from "@kattegat/protocol/census.ts";
import type { Document } from "@kattegat/protocol/documents.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { NetworkStatus } from "@kattegat/protocol/network-status.ts";
import { problemOf } from "@kattegat/protocol/problem.ts";
import type { SearchResponse } from "@kattegat/protocol/search.ts";
import { dataFolder, prepareFolder } from "../local/folder.ts";
import { ensureKeys } from "../local/keys.ts";
import { ROOT } from "../settings.ts";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

export interface CommandHost {
  readonly data: string;
  readonly url: string;
  /** Ids of the documents that were acknowledged, in the order in which they came. */
  readonly stored: string[];
  /** How many batches were turned away as `unavailable`. */
  turnedAway: number;
  /** What the edge does with a batch whose first document has this id. */
  takes: (firstId: string) => boolean;
  refuses: (id: string) => boolean;
  health: NetworkStatus["sites"][number]["health"];
  /** The model that is being prepared. */
  next: NetworkStatus["next"];
  /** What a primary counts; without it there is none. */
  census: Census | null;
  /** The one document that can be read. */
  document: Document | null;
  /** Thrown one after the other instead of answers to deletions; then nothing is there. */
  erasures: KattegatError[];
  /** Thrown instead of an answer to a search. */
  refusal: KattegatError | null;
  start(args: readonly string[], options?: StartOptions): RunningCommand;
  run(args: readonly string[], options?: StartOptions): Promise<Ended>;
  close(): Promise<void>;
}

interface StartOptions {
  readonly input?: string;
  /** Leaves the standard input open for the test to write. */
  readonly isInputOpen?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
}

const ANSWER: SearchResponse = {
  hits: [],
  partial: false,
  tiers: [],
  not_served: [],
  sequence: "7",
  took_ms: 1,
};

/** Has keys as a network that ran once. */
export async function hostCommands(): Promise<CommandHost> {
  const data = mkdtempSync(join(tmpdir(), "kattegat-command-"));
  const folder = dataFolder(data);
  prepareFolder(folder);
  await ensureKeys(folder);
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => answer(request, Buffer.concat(parts).toString("utf8"), response));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;

  function answer(request: IncomingMessage, body: string, response: ServerResponse): void {
    const { url: path = "", headers, method } = request;
    const { authorization = "" } = headers;
    try {
      const failed = method === "DELETE" ? host.erasures.shift() : undefined;
      if (failed !== undefined) throw failed;
      if (path === "/v1/search" && host.refusal !== null) throw host.refusal;
      if (path === "/v1/search") response.end(JSON.stringify(ANSWER));
      else if (path === "/v1/network") response.end(JSON.stringify(statusOf(host)));
      else if (path === "/internal/census" && authorization.startsWith("Bearer ey"))
        response.end(JSON.stringify(host.census));
      else if (path === `/v1/documents/${host.document?.id}`) response.end(JSON.stringify(host.document));
      else if (path === "/v1/documents:batch") response.end(batchOf(body));
      else throw new KattegatError("not_found", path);
    } catch (error) {
      const problem = problemOf(error, "test");
      response.writeHead(problem.status, { "content-type": "application/problem+json" });
      response.end(JSON.stringify(problem));
    }
  }

  function batchOf(body: string): string {
    const documents = body
      .split("\n")
      .filter((line) => line !== "")
      .map((line): { id: string } => JSON.parse(line));
    if (!host.takes(documents[0]?.id ?? "")) {
      host.turnedAway += 1;
      throw new KattegatError("unavailable", "The primary does not answer.");
    }
    const results = documents.map(({ id }, index) => {
      const place = { line: index + 1, id };
      if (host.refuses(id))
        return { ...place, status: 400, error: { code: "bad_request", detail: "not this one" } };
      host.stored.push(id);
      return { ...place, status: 201, sequence: String(host.stored.length) };
    });
    return results.map((result) => `${JSON.stringify(result)}\n`).join("");
  }

  const host: CommandHost = {
    data,
    url: `http://127.0.0.1:${port}`,
    stored: [],
    turnedAway: 0,
    takes: () => true,
    refuses: () => false,
    health: "ok",
    next: undefined,
    census: null,
    document: null,
    erasures: [],
    refusal: null,
    start(args, { input, isInputOpen = false, environment = {} } = {}) {
      const child = spawn(process.execPath, ["--no-warnings", join(ROOT, "ops", "kattegat.ts"), ...args], {
        cwd: data,
        env: {
          PATH: process.env["PATH"],
          // Each of a test's many processes loads the same files.
          NODE_COMPILE_CACHE: folder.compileCache,
          KATTEGAT_DATA: data,
          KATTEGAT_PORT: String(port),
          ...environment,
        },
        stdio: [input === undefined && !isInputOpen ? "ignore" : "pipe", "pipe", "pipe"],
      });
      if (input !== undefined) child.stdin?.end(input);
      return { child, ended: endOf(child) };
    },
    run: (args, options) => host.start(args, options).ended,
    async close() {
      server.closeAllConnections();
      server.close();
      rmSync(data, { recursive: true, force: true });
    },
  };
  return host;
}

async function endOf(child: ChildProcess): Promise<Ended> {
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code] = await once(child, "close");
  return { code: typeof code === "number" ? code : null, stdout, stderr };
}

function statusOf({
  health,
  next,
  census,
  url,
}: Pick<CommandHost, "health" | "next" | "census" | "url">): NetworkStatus {
  const site: NetworkStatus["sites"][number] = {
    id: "eu-fra",
    kind: "regional",
    country: "DE",
    city: "Frankfurt",
    tiers: ["warm"],
    health,
    epoch: 1,
    watermark: "7",
    lag_ms: 0,
    lag_changes: 0,
    parked: 0,
    url: null,
  };
  return {
    sequence: "7",
    epoch: 1,
    sites: census === null ? [site] : [{ ...site, id: "dk-cph", kind: "primary", health: "ok", url }, site],
    tiers: [],
    classes: [],
    model: { id: "hashed-384-v1", dimensions: 384 },
    ...(next === undefined ? {} : { next }),
    policy: null,
    statistics_version: null,
  };
}

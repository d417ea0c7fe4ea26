/** A whole local network for a test, in a temporary folder on free ports. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { parseKey } from "@kattegat/protocol/key-file.ts";
import { createTokenSigner } from "@kattegat/protocol/token-signer.ts";
import getPort, { portNumbers } from "get-port";
import { dataFolder } from "../local/folder.ts";
import { ROOT } from "../settings.ts";

/** Below the ports that the kernel gives to clients and to servers without a choice (32,768 on), which other tests use meanwhile. */
const PORT_FIRST = 20_000;
const PORT_LAST = 31_000;
/** A network takes a dozen ports in a row: two that start at the same time seldom meet. */
const PORTS_EACH = 100;
const NETWORKS = 100;

export interface TestNetwork {
  readonly url: string;
  readonly key: string;
  readonly data: string;
  get(path: string): Promise<Response>;
  /** At the edge of zone eu unless `url` names another. */
  post(
    path: string,
    body: string,
    options?: { readonly url?: string; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<Response>;
  /** Runs the operator's command on this network. */
  kattegat(...args: readonly string[]): Promise<CommandOutcome>;
  /** What a request to the site is signed with, by the key of a sender who says that he is `issuer`. */
  authorization(site: string, sender: { readonly key: string; readonly issuer?: string }): Promise<string>;
  stop(): Promise<void>;
}

export interface CommandOutcome {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

/** Below the time that hooks of tests allow, so that a late network is stopped rather than left. */
const START_MS_MAX = 140_000;
/** The rows of every process. */
const LOG_LINES_SHOWN = 20;

/** Rejects with the network stopped when it is not ready in time. */
export async function startTestNetwork({
  samples,
  startMsMax = START_MS_MAX,
  data: given = null,
  environment = {},
}: {
  readonly samples: "all" | "few" | "none";
  readonly startMsMax?: number;
  /** A folder that stays when the network stops; without one the network gets its own. */
  readonly data?: string | null;
  readonly environment?: Readonly<Record<string, string>>;
}): Promise<TestNetwork> {
  const data = given ?? makeDataFolder();
  const first = PORT_FIRST + PORTS_EACH * Math.floor(Math.random() * NETWORKS);
  const port = await getPort({ port: portNumbers(first, PORT_LAST) });
  const child = spawn(process.execPath, [join(ROOT, "ops", "start.ts")], {
    cwd: ROOT,
    // oxlint-disable-next-line node/no-process-env -- the child needs the path and home of this process
    env: {
      ...process.env,
      KATTEGAT_DATA: data,
      KATTEGAT_PORT: String(port),
      KATTEGAT_SAMPLE: samples,
      ...environment,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await exited;
    if (given === null) rmSync(data, { recursive: true, force: true });
  };
  // A start that fails, or that outlasts its hook, gives the test nothing to stop.
  const abandoned = (): boolean => child.kill("SIGTERM");
  process.once("exit", abandoned);
  void exited.then(() => process.off("exit", abandoned));
  await untilReady(child.stdout, { exited, startMsMax }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const url = `http://127.0.0.1:${port}`;
  const key = readFileSync(join(data, "keys", "admin.key"), "utf8").trim();
  return {
    url,
    key,
    data,
    get: (path) => again(() => fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } })),
    post: (path, body, { url: at = url, headers = {} } = {}) =>
      again(() =>
        fetch(`${at}${path}`, {
          method: "POST",
          body,
          headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
        }),
      ),
    kattegat: (...args) => runCommand(["ops/kattegat.ts", ...args], { KATTEGAT_DATA: data, NO_COLOR: "1" }),
    authorization(site, { key: name, issuer = name }) {
      const path = dataFolder(data).signingKey(name);
      const privateJwk = parseKey(readFileSync(path, "utf8"), path);
      const options = { privateJwk, issuer, now: Date.now, epoch: () => 1 };
      return createTokenSigner(options).authorization(site);
    },
    stop,
  };
}

/** Makes a folder that Postgres, which refuses to run as root, can reach as its own user. */
export function makeDataFolder(): string {
  const data = mkdtempSync(join(tmpdir(), "kattegat-e2e-"));
  chmodSync(data, 0o755);
  return data;
}

/** Runs a script of this repository to its end. */
export async function runCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<CommandOutcome> {
  const child = spawn(process.execPath, ["--no-warnings", ...args], {
    cwd: ROOT,
    // oxlint-disable-next-line node/no-process-env -- the child needs the path and home of this process
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (part: Buffer) => (stdout += part.toString()));
  child.stderr.on("data", (part: Buffer) => (stderr += part.toString()));
  const [code]: unknown[] = await once(child, "close");
  return { code, stdout, stderr };
}

/** Resolves at the line that says so; rejects with the last lines of the log when it does not come in time. */
async function untilReady(
  output: Readable,
  { exited, startMsMax }: { readonly exited: Promise<void>; readonly startMsMax: number },
): Promise<void> {
  const log: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (what: string): void =>
        reject(new Error(`${what}; its log ended with:\n${log.slice(-LOG_LINES_SHOWN).join("\n")}`));
      createInterface({ input: output }).on("line", (line) => {
        log.push(line);
        if (line.startsWith("ready ")) resolve();
      });
      timer = setTimeout(() => fail(`the network is not ready after ${startMsMax} ms`), startMsMax);
      void exited.then(() => fail("the network ended before it was ready"));
    });
  } finally {
    clearTimeout(timer);
  }
}

/** Asks once more: a connection that lay idle while the test computed may have been closed by the server meanwhile. */
function again(ask: () => Promise<Response>): Promise<Response> {
  return ask().catch(ask);
}

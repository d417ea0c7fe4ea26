/** A whole local network in a temporary folder, started as a user starts it. */
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { createInterface } from "node:readline";
import { runningProcess } from "@kattegat/ops/local/running-process.ts";
import getPort, { portNumbers } from "get-port";

const ROOT = join(import.meta.dirname, "..");
/** Twice the promise for a first start. */
const START_MS_MAX = 120_000;
/** Below the ports that the kernel gives to clients: the network takes a dozen in a row. */
const PORT_FIRST = 18_000;
const PORT_LAST = 19_900;

export interface BenchNetwork {
  readonly url: string;
  readonly key: string;
  readonly data: string;
  readonly pid: number;
  /** Seconds from the command to its `ready` line. */
  readonly startSeconds: number;
  stop(): Promise<void>;
}

/** Starts `npm start`'s program; `data` names the folder of an earlier start, which then stays. */
export async function startNetwork(options: {
  readonly sample: boolean;
  readonly data?: string;
  readonly environment?: Readonly<Record<string, string>>;
}): Promise<BenchNetwork> {
  const data = options.data ?? mkdtempSync(join(tmpdir(), "kattegat-bench-"));
  // Postgres refuses to run as root, so its own user must be able to reach its folder.
  chmodSync(data, 0o755);
  const config = join(data, "network.yaml");
  writeFileSync(config, unlimited(readFileSync(join(ROOT, "config", "network.yaml"), "utf8")));
  const port = await getPort({ port: portNumbers(PORT_FIRST, PORT_LAST) });
  const started = performance.now();
  const child = spawn(process.execPath, [join(ROOT, "ops", "start.ts")], {
    cwd: ROOT,
    env: {
      ...process.env,
      ...options.environment,
      KATTEGAT_CONFIG: config,
      KATTEGAT_DATA: data,
      KATTEGAT_PORT: String(port),
      ...(options.sample ? {} : { KATTEGAT_SAMPLE: "none" }),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const ready = await readyLine(child.stdout, exited);
  const startSeconds = (performance.now() - started) / 1_000;
  const [, url, keyFile] = ready;
  if (url === undefined || keyFile === undefined || child.pid === undefined)
    throw new Error("the network printed no ready line");
  return {
    url,
    key: readFileSync(isAbsolute(keyFile) ? keyFile : join(ROOT, keyFile), "utf8").trim(),
    data,
    pid: child.pid,
    startSeconds,
    async stop() {
      child.kill("SIGTERM");
      await exited;
      if (options.data === undefined) rmSync(data, { recursive: true, force: true });
    },
  };
}

export function pidOf(network: BenchNetwork, name: string): number {
  const { pid } = runningProcess(network.data, name);
  if (pid === null) throw new Error(`no process ${name} is running`);
  return pid;
}

/** One key asks for all callers here, so the bound for one key must not be what is measured. */
function unlimited(networkFile: string): string {
  const raised = networkFile.replace(
    /key_requests_per_second_max: \d+/,
    "key_requests_per_second_max: 100000",
  );
  if (raised === networkFile) throw new Error("the network file bounds no key's requests");
  return raised;
}

async function readyLine(output: NodeJS.ReadableStream, exited: Promise<void>): Promise<RegExpExecArray> {
  const lines = createInterface({ input: output });
  const found = new Promise<RegExpExecArray>((resolve) => {
    lines.on("line", (line) => {
      const match = /^ready (\S+) key (\S+)$/.exec(line.trim());
      if (match !== null) resolve(match);
    });
  });
  const failed = (reason: string) => () => Promise.reject(new Error(`the network did not start: ${reason}`));
  const late = new Promise((resolve) => setTimeout(resolve, START_MS_MAX).unref());
  return Promise.race([
    found,
    exited.then(failed("it exited")),
    late.then(failed(`not ready in ${START_MS_MAX} ms`)),
  ]);
}

/** Child processes of the tests: the servers as they are deployed, on free ports. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface Running {
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcess;
  /** Every line that it wrote. */
  readonly lines: readonly string[];
  kill(signal: "SIGKILL" | "SIGTERM" | "SIGSTOP" | "SIGCONT"): Promise<void>;
}

/** Resolves when the port is bound; rejects with the output when the process ends before that. */
export async function startProcess(
  entry: URL,
  environment: Readonly<Record<string, string>>,
  { fileKibMax = null }: { readonly fileKibMax?: number | null } = {},
): Promise<Running> {
  // POSIX counts in blocks of 512 bytes; a write beyond fails as one on a full disk does.
  const limited = ["-c", `ulimit -f ${2 * (fileKibMax ?? 0)}; exec "$0" "$@"`, process.execPath];
  const [command, args] = fileKibMax === null ? [process.execPath, []] : ["/bin/sh", limited];
  const child = spawn(command, [...args, entry.pathname], {
    env: { PATH: "/usr/bin:/bin", LOG_LEVEL: "info", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        lines.push(line);
        const port = /^\{"level":30,"time":\d+,.*"port":(\d+),"msg":"listening"\}$/.exec(line)?.[1];
        if (port !== undefined) resolve(Number(port));
      });
    }
    // `close` comes after the last line, `exit` may come before it.
    child.once("close", (code) =>
      reject(new Error(`ended with ${String(code)} before it listened:\n${lines.join("\n")}`)),
    );
  });
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    child,
    lines,
    async kill(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      if (signal === "SIGKILL" || signal === "SIGTERM") await once(child, "close");
    },
  };
}

export function startQdrant(
  folder: string,
  environment: Readonly<Record<string, string>> = {},
  limits: { readonly fileKibMax?: number | null } = {},
): Promise<Running> {
  const entry = new URL("./embedded-qdrant/main.ts", import.meta.url);
  return startProcess(entry, { KATTEGAT_DATA: folder, PORT: "0", ...environment }, limits);
}

export interface Folder {
  readonly path: string;
  remove(): Promise<void>;
}

export async function temporaryFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "kattegat-regional-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

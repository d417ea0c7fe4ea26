/** One supervised child process. */
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { openLog } from "./log-file.ts";
import { NO_ENDS, afterEnd } from "./restarts.ts";

/** Services promise to stop within five seconds; what lives longer is ended. Stores follow, so all is over in ten. */
const STOP_MS_MAX = 5_000;
/** The slowest first start, Postgres making its cluster, takes a few seconds on a slow disk. */
const LISTEN_MS_MAX = 45_000;

export interface ChildSpec {
  readonly name: string;
  readonly script: string;
  /** Flags of Node itself, such as its heap limits. */
  readonly nodeFlags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly logPath: string;
}

export interface ChildEvents {
  /** A line worth a person's attention. */
  readonly notice: (name: string, text: string) => void;
  /** A warning out of the process's own log. */
  readonly warned: (name: string, text: string) => void;
  readonly changed: () => void;
}

export interface Child {
  readonly name: string;
  pid(): number | null;
  /** Resolves when the process first listens; rejects when it cannot. */
  readonly listening: Promise<void>;
  /** Resolves with why, when the process stays down. */
  readonly down: Promise<Error>;
  /** Resolves when the process has ended, at the latest after five seconds. */
  stop(): Promise<void>;
}

/** Starts the process, and again whenever it ends, until `stop`. */
// oxlint-disable-next-line max-lines-per-function -- a factory: its verbs share state that they alone may touch
export function startChild(spec: ChildSpec, events: ChildEvents): Child {
  const log = openLog(spec.logPath);
  const { promise: listening, resolve: listens, reject: failed } = Promise.withResolvers<void>();
  listening.catch(() => {});
  const { promise: down, resolve: staysDown } = Promise.withResolvers<Error>();
  let current: ChildProcess | null = null;
  let restarts = NO_ENDS;
  let hasListened = false;
  let stopping = false;
  let timer: NodeJS.Timeout | null = null;
  let ended = Promise.resolve();
  let lastError = "";
  let isHopeless = false;

  const launch = (): void => {
    const startedMs = performance.now();
    const child = spawn(process.execPath, [...spec.nodeFlags, spec.script], {
      // A group of its own: Ctrl-C in the terminal reaches the supervisor alone, and what a killed process leaves behind can be ended.
      detached: true,
      env: { ...spec.environment },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    current = child;
    const { promise, resolve } = Promise.withResolvers<void>();
    ended = promise;
    const deadline = setTimeout(() => {
      events.notice(spec.name, `does not listen after ${LISTEN_MS_MAX / 1_000} s; ended`);
      endGroup(child, "SIGKILL");
    }, LISTEN_MS_MAX);
    const line = (text: string): void => {
      log.write(text);
      const record = logRecordOf(text);
      if (record?.msg === "listening") {
        clearTimeout(deadline);
        if (hasListened)
          events.notice(spec.name, `is back after ${Math.round(performance.now() - startedMs)} ms`);
        hasListened = true;
        events.changed();
        listens();
      } else if (record === null) {
        if (!CRASH_FRAME.test(text)) lastError = text;
      } else if (record.level >= WARN) {
        lastError = record.msg;
        isHopeless ||= record.level >= FATAL;
        events.warned(spec.name, record.msg);
      }
    };
    for (const stream of [child.stdout, child.stderr])
      if (stream !== null) createInterface({ input: stream }).on("line", line);
    child.on("error", (error) => log.write(String(error)));
    child.on("close", (code, signal) => {
      clearTimeout(deadline);
      endGroup(child, "SIGKILL");
      current = null;
      resolve();
      if (!stopping) restartAfter(performance.now() - startedMs, signal ?? `code ${code ?? "?"}`);
    });
  };

  const restartAfter = (aliveMs: number, how: string): void => {
    const decision = afterEnd(restarts, { aliveMs });
    restarts = decision.state;
    const because = lastError === "" ? "" : `: ${lastError.slice(0, 300)}`;
    const isLast = isHopeless || (!hasListened && restarts.ends >= START_ATTEMPTS_MAX);
    if (decision.kind === "give-up" || isLast) {
      const times = restarts.ends === 1 ? "" : ` ${restarts.ends} times`;
      events.notice(spec.name, `ended (${how})${times} and stays down; its log is ${spec.logPath}${because}`);
      const error = new Error(`${spec.name} does not start (${how}); its log is ${spec.logPath}${because}`);
      failed(error);
      staysDown(error);
      events.changed();
      return;
    }
    events.notice(spec.name, `ended (${how}); starts again in ${decision.delayMs} ms${because}`);
    events.changed();
    timer = setTimeout(launch, decision.delayMs);
  };

  launch();
  return {
    name: spec.name,
    pid: () => current?.pid ?? null,
    listening,
    down,
    async stop() {
      stopping = true;
      if (timer !== null) clearTimeout(timer);
      failed(new Error(`${spec.name} was stopped`));
      const child = current;
      if (child === null) return;
      child.kill("SIGTERM");
      const last = setTimeout(() => endGroup(child, "SIGKILL"), STOP_MS_MAX);
      await ended;
      clearTimeout(last);
      log.close();
    },
  };
}

/** A process that never came up this often has a cause that waiting does not mend. */
const START_ATTEMPTS_MAX = 4;

/** Lines around the message of a crash: the stack, brackets, the version of Node. */
const CRASH_FRAME = /^(\s|$|[}\]]|Node\.js v|file:)/;

/** Pino's number for warnings. */
const WARN = 40;
/** Pino's number for what ends a process; a service says it only where another start would end the same way. */
const FATAL = 60;

function logRecordOf(line: string): { readonly level: number; readonly msg: string } | null {
  if (!line.startsWith("{")) return null;
  try {
    const record: unknown = JSON.parse(line);
    if (typeof record !== "object" || record === null || !("msg" in record)) return null;
    return {
      level: "level" in record && typeof record.level === "number" ? record.level : 30,
      msg: String(record.msg),
    };
  } catch {
    return null;
  }
}

/** Ends every process that the child left in its group. */
function endGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is empty, which is what was wanted.
  }
}

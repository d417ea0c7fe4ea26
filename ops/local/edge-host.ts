/** Helper process that runs both edge zones in one workerd. */
import { execFile } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { Log, LogLevel, Miniflare } from "miniflare";
import { z } from "zod";
import { isBundled } from "./bundle-inputs.ts";
import { endWithParent, required, say } from "./host.ts";

/** The youngest date that the pinned workerd accepts. */
const COMPATIBILITY_DATE = "2026-08-06";

/** Bundling takes half a second; a machine under load may need ten times as long. */
const BUNDLE_MS_MAX = 30_000;

/** A dead workerd is noticed within this time. */
const PULSE_MS = 500;

/** What the supervisor tells about one zone. */
export const edgeWorkerSchema = z.object({
  site: z.string(),
  port: z.int(),
  bindings: z.record(z.string(), z.string()),
  buckets: z.record(z.string(), z.string()),
});
export type EdgeWorker = z.infer<typeof edgeWorkerSchema>;

/**
 * On two cores V8 has one helper thread. When that waits for a collection while it compiles, the sweep that it was to do never ends, and
 * workerd turns in its message loop for ever: no zone answers any more. A collector that needs no helper has no such wait.
 */
const V8_FLAGS = "--single-threaded-gc";

class HostLog extends Log {
  override log(message: string): void {
    say(message, {}, /error/i.test(message) ? 40 : 30);
  }
}

const workers = z.array(edgeWorkerSchema).parse(JSON.parse(required("KATTEGAT_EDGE_WORKERS")));
const folder = required("KATTEGAT_DATA");
// A process of its own: the bundler's memory goes back when it ends, and this one lives as long as the network.
const bundler = join(import.meta.dirname, "edge-bundle.ts");
if (!isBundled(folder, bundler))
  await promisify(execFile)(
    process.execPath,
    // The same flags, so that both share what is compiled.
    [...process.execArgv, bundler, folder],
    { timeout: BUNDLE_MS_MAX },
  );
const modules = readdirSync(folder)
  .filter((name) => name.endsWith(".js") || name.endsWith(".wasm"))
  .map((name) =>
    name.endsWith(".js")
      ? {
          type: "ESModule" as const,
          // Where the source map lies, which the host reads when the Worker throws.
          path: join(folder, name),
          contents: readFileSync(join(folder, name), "utf8"),
        }
      : {
          type: "CompiledWasm" as const,
          path: join(folder, name),
          contents: new Uint8Array(readFileSync(join(folder, name))),
        },
  )
  // The first module is the Worker's entry.
  .toSorted((a, b) => b.type.localeCompare(a.type));
// oxlint-disable-next-line node/no-process-env -- miniflare takes flags of V8 from nowhere else
process.env["MINIFLARE_WORKERD_V8_FLAGS"] ??= V8_FLAGS;
const runtime = new Miniflare({
  host: "127.0.0.1",
  port: 0,
  cf: false,
  telemetry: { enabled: false },
  log: new HostLog(LogLevel.WARN),
  r2Persist: required("KATTEGAT_R2"),
  handleRuntimeStdio: (stdout: Readable, stderr: Readable) => {
    for (const stream of [stdout, stderr])
      stream
        .setEncoding("utf8")
        .on("data", (text: string) => process.stdout.write(text.endsWith("\n") ? text : `${text}\n`));
  },
  workers: workers.map(({ site, port, bindings, buckets }) => ({
    name: site,
    modulesRoot: folder,
    modules,
    compatibilityDate: COMPATIBILITY_DATE,
    compatibilityFlags: ["nodejs_compat"],
    bindings,
    r2Buckets: buckets,
    unsafeDirectSockets: [{ host: "127.0.0.1", port }],
  })),
});
await runtime.ready;
const pulses = workers.map(({ port }) => watchPulse(port));
endWithParent(async () => {
  for (const pulse of pulses) clearInterval(pulse);
  await runtime.dispose();
});
say("listening", { ports: workers.map(({ port }) => port) });

/** Miniflare does not notice that its workerd was killed; the supervisor starts an edge that ends. */
function watchPulse(port: number): NodeJS.Timeout {
  return setInterval(() => {
    const socket = connect({ host: "127.0.0.1", port }, () => socket.destroy());
    socket.on("error", (error) => {
      if (!("code" in error) || error.code !== "ECONNREFUSED") return;
      say(`nothing listens on port ${port} any more`, {}, 40);
      process.exit(1);
    });
  }, PULSE_MS);
}

/** Helper process that runs both edge zones in one workerd. */
import type { Readable } from "node:stream";
import { Log, LogLevel, Miniflare } from "miniflare";
import { z } from "zod";
import { bundleWorker } from "./edge-bundle.ts";
import { endWithParent, required, say } from "./host.ts";

/** The youngest date that the pinned workerd accepts. */
const COMPATIBILITY_DATE = "2026-08-06";

/** What the supervisor tells about one zone. */
export const edgeWorkerSchema = z.object({
  site: z.string(),
  port: z.int(),
  bindings: z.record(z.string(), z.string()),
  buckets: z.record(z.string(), z.string()),
});
export type EdgeWorker = z.infer<typeof edgeWorkerSchema>;

class HostLog extends Log {
  override log(message: string): void {
    say(message, {}, /error/i.test(message) ? 40 : 30);
  }
}

const workers = z.array(edgeWorkerSchema).parse(JSON.parse(required("KATTEGAT_EDGE_WORKERS")));
const modules = await bundleWorker();
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
    modulesRoot: "/",
    modules: modules.map((module) => ({ ...module, path: `/${module.path}` })),
    compatibilityDate: COMPATIBILITY_DATE,
    compatibilityFlags: ["nodejs_compat"],
    bindings,
    r2Buckets: buckets,
    unsafeDirectSockets: [{ host: "127.0.0.1", port }],
  })),
});
endWithParent(() => runtime.dispose());
await runtime.ready;
say("listening", { ports: workers.map(({ port }) => port) });

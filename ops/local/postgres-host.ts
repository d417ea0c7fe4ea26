/** Helper process that runs the embedded Postgres. */
import { endWithParent, required, say } from "./host.ts";
import { startCluster } from "./postgres.ts";

const port = Number(required("PORT"));
const cluster = await startCluster({
  folder: required("KATTEGAT_DATA"),
  passwordFile: required("KATTEGAT_POSTGRES_PASSWORD_FILE"),
  port,
  report: (line) => say(line),
}).catch((error: unknown) => {
  // The supervisor shows the log's last line: the reason, not the end of a stack.
  say(error instanceof Error ? error.message : String(error), {}, 60);
  process.exit(1);
});
endWithParent(() => cluster.stop());
void cluster.ended.then(() => process.exit(1));
await cluster.ready;
say("listening", { port });

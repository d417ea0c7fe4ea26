/** Helper process that runs the embedded Postgres. */
import { endWithParent, required, say } from "./host.ts";
import { startCluster } from "./postgres.ts";

const port = Number(required("PORT"));
const cluster = await startCluster({
  folder: required("KATTEGAT_DATA"),
  passwordFile: required("KATTEGAT_POSTGRES_PASSWORD_FILE"),
  port,
  report: (line) => say(line),
});
endWithParent(() => cluster.stop());
void cluster.ended.then(() => process.exit(1));
await cluster.ready;
say("listening", { port });

/** A whole local network for a test, in a temporary folder on free ports. */
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import getPort from "get-port";
import { ROOT } from "../settings.ts";

export interface TestNetwork {
  readonly url: string;
  readonly key: string;
  readonly data: string;
  post(path: string, body: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  stop(): Promise<void>;
}

export async function startTestNetwork({
  samples,
}: {
  readonly samples: "all" | "few" | "none";
}): Promise<TestNetwork> {
  const data = mkdtempSync(join(tmpdir(), "kattegat-e2e-"));
  // Postgres refuses to run as root, so its own user must be able to reach its folder.
  chmodSync(data, 0o755);
  const port = await getPort();
  const child = spawn(process.execPath, [join(ROOT, "ops", "start.ts")], {
    cwd: ROOT,
    // oxlint-disable-next-line node/no-process-env -- the child needs the path and home of this process
    env: { ...process.env, KATTEGAT_DATA: data, KATTEGAT_PORT: String(port), KATTEGAT_SAMPLE: samples },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.startsWith("ready ")) resolve();
    });
    void exited.then(() => reject(new Error("the network ended before it was ready")));
  });
  const url = `http://127.0.0.1:${port}`;
  const key = readFileSync(join(data, "keys", "admin.key"), "utf8").trim();
  return {
    url,
    key,
    data,
    async post(path, body, headers = {}) {
      const ask = (): Promise<Response> =>
        fetch(`${url}${path}`, {
          method: "POST",
          body,
          headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
        });
      // A connection that lay idle while the test computed may have been closed by the server meanwhile.
      return ask().catch(ask);
    },
    async stop() {
      child.kill("SIGTERM");
      await exited;
      rmSync(data, { recursive: true, force: true });
    },
  };
}

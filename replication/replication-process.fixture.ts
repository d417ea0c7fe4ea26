/** The replication service as a process of its own, which can be killed. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exportJWK, generateKeyPair } from "jose";

export interface ReplicationProcess {
  /** Sends SIGKILL, which nothing can catch; resolves when the process is gone. */
  kill(): Promise<void>;
}

export interface ReplicationProcesses {
  start(): ReplicationProcess;
  /** Kills what still runs, removes the folder. */
  close(): Promise<void>;
}

/** Sites that are not given are nowhere. */
export async function replicationProcesses(
  sites: Readonly<Record<string, string>>,
  { basePassagesMin }: { readonly basePassagesMin: number },
): Promise<ReplicationProcesses> {
  const folder = mkdtempSync(join(tmpdir(), "kattegat-replication-"));
  const { privateKey, publicKey } = await generateKeyPair("EdDSA", { extractable: true });
  const about = { kid: "test", alg: "EdDSA" };
  writeFileSync(join(folder, "key.json"), JSON.stringify({ ...(await exportJWK(privateKey)), ...about }));
  const keys = [{ ...(await exportJWK(publicKey)), ...about }];
  writeFileSync(join(folder, "keys.json"), JSON.stringify({ keys }));
  const nowhere = "http://127.0.0.1:9";
  const environment = {
    KATTEGAT_CONFIG: fileURLToPath(import.meta.resolve("@kattegat/config/network.yaml")),
    KATTEGAT_SIGNING_KEY: join(folder, "key.json"),
    KATTEGAT_JWKS: join(folder, "keys.json"),
    KATTEGAT_SITES: JSON.stringify({ "eu-fra": nowhere, "eu-arn": nowhere, "edge-eu": nowhere, ...sites }),
    KATTEGAT_ARCHIVES: JSON.stringify({ "archive-dk": nowhere }),
    AWS_ACCESS_KEY_ID: "nobody",
    AWS_SECRET_ACCESS_KEY: "nothing",
    KATTEGAT_SPOOL: folder,
    KATTEGAT_BASE_PASSAGES_MIN: String(basePassagesMin),
    LOG_LEVEL: "silent",
  };
  const running = new Set<ReplicationProcess>();
  return {
    start() {
      const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts")], {
        // oxlint-disable-next-line node/no-process-env -- the child needs the path of this process
        env: { PATH: process.env["PATH"] ?? "", ...environment },
        stdio: ["ignore", "ignore", "inherit"],
      });
      const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
      const started: ReplicationProcess = {
        async kill() {
          running.delete(started);
          child.kill("SIGKILL");
          await gone;
        },
      };
      running.add(started);
      return started;
    },
    async close() {
      for (const process of running) await process.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

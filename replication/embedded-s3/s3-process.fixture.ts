/** The embedded S3 server as a process, which can be killed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Bucket, type BucketOptions } from "../archive/bucket.ts";
import { createFetch } from "../fetch.ts";
import { sleep } from "../sleep.ts";

export const BUCKET = "kattegat-archive-test";
export const KEY = { accessKeyId: "test-key", secretAccessKey: "a secret of the tests" };

export interface S3Process {
  readonly pid: number | undefined;
  readonly url: string;
  kill(): Promise<void>;
}

/** `fileKibMax` makes writes of larger files fail as on a full disk. */
export async function startS3(
  folder: string,
  { fileKibMax = null }: { readonly fileKibMax?: number | null } = {},
): Promise<S3Process> {
  const entry = join(import.meta.dirname, "main.ts");
  // POSIX counts in blocks of 512 bytes.
  const limited = ["-c", `ulimit -f ${2 * (fileKibMax ?? 0)}; exec "$0" "$@"`, process.execPath, entry];
  const [command, args] = fileKibMax === null ? [process.execPath, [entry]] : ["/bin/sh", limited];
  const child = spawn(command, args, {
    env: {
      PATH: "/usr/bin:/bin",
      PORT: "0",
      KATTEGAT_DATA: folder,
      KATTEGAT_BUCKETS: BUCKET,
      AWS_ACCESS_KEY_ID: KEY.accessKeyId,
      AWS_SECRET_ACCESS_KEY: KEY.secretAccessKey,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { promise: listening, resolve, reject } = Promise.withResolvers<number>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const port = /"port":(\d+),"msg":"listening"/.exec(line)?.[1];
    if (port !== undefined) resolve(Number(port));
  });
  const gone = once(child, "exit").then(() => reject(new Error("it ended before it listened")));
  const port = await listening;
  return {
    pid: child.pid,
    url: `http://127.0.0.1:${port}`,
    async kill() {
      child.kill("SIGKILL");
      await gone;
    },
  };
}

export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "kattegat-s3-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export function bucketAt(place: Pick<BucketOptions, "endpoint"> & Partial<BucketOptions>): Bucket {
  return new Bucket({
    name: BUCKET,
    region: "us-east-1",
    ...KEY,
    sessionToken: null,
    fetch: createFetch(),
    sleep,
    random: () => 0.1,
    ...place,
  });
}

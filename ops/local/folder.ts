/** The places inside the data folder. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

export interface DataFolder {
  readonly root: string;
  readonly adminKey: string;
  readonly callerKeys: string;
  /** What signs the ledger of copies. */
  readonly ledgerKey: string;
  /** What the primary's keyring is sealed by. */
  readonly rootKey: string;
  /** What the embedded S3 servers of the archives are asked with. */
  readonly archiveKey: string;
  readonly jwks: string;
  readonly lock: string;
  readonly network: string;
  readonly samples: string;
  readonly postgres: string;
  readonly postgresPassword: string;
  readonly r2: string;
  readonly compileCache: string;
  readonly ingest: string;
  signingKey(sender: string): string;
  log(name: string): string;
  /** The own folder of one service. */
  site(name: string): string;
}

export function dataFolder(root: string): DataFolder {
  const keys = join(root, "keys");
  return {
    root,
    adminKey: join(keys, "admin.key"),
    callerKeys: join(keys, "callers.json"),
    ledgerKey: join(keys, "ledger.pem"),
    rootKey: join(keys, "root.key"),
    archiveKey: join(keys, "archive.json"),
    jwks: join(keys, "jwks.json"),
    lock: join(root, "lock.json"),
    network: join(root, "network.json"),
    samples: join(root, "samples.json"),
    postgres: join(root, "postgres"),
    postgresPassword: join(keys, "postgres.password"),
    r2: join(root, "r2"),
    compileCache: join(root, "cache"),
    ingest: join(root, "ingest"),
    signingKey: (sender) => join(keys, `${sender}.jwk`),
    log: (name) => join(root, "logs", `${name}.log`),
    site: (name) => join(root, "sites", name),
  };
}

/** Makes the folders; only their owner may look into `keys`. */
export function prepareFolder(folder: DataFolder): void {
  mkdirSync(folder.root, { recursive: true });
  mkdirSync(dirname(folder.adminKey), { recursive: true, mode: 0o700 });
  for (const path of [dirname(folder.log("x")), folder.r2, folder.compileCache, folder.ingest])
    mkdirSync(path, { recursive: true });
}

/** Replaces a file in one step, so that a reader never sees half of it. */
export function replaceFile(
  path: string,
  text: string,
  { mode = 0o644 }: { readonly mode?: number } = {},
): void {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, text, { mode });
  renameSync(draft, path);
}

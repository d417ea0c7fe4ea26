/** The archives of the local network: their servers, and how these are asked. */
import type { BucketSettings } from "@kattegat/replication/archive/open-bucket.ts";
import type { Settings } from "../settings.ts";
import type { DataFolder } from "./folder.ts";
import { readArchiveKey } from "./keys.ts";
import {
  runningSites,
  withoutPassword,
  type ExternalEngine,
  type LocalProcess,
  type PlanOptions,
  type Service,
} from "./plan.ts";
import { s3Name } from "./process-names.ts";

type ArchiveAccess = Omit<BucketSettings, "endpoints">;

/** One key for all archives: the user's where he names a server, else one that was made for the embedded ones. */
export function archiveAccess(
  { archiveUrls, archiveAccess: given }: Settings,
  folder: DataFolder,
): ArchiveAccess {
  return archiveUrls.size > 0
    ? given
    : { ...readArchiveKey(folder), region: "us-east-1", sessionToken: undefined };
}

/** As the variables that a process reads. */
function keyVariables(access: ArchiveAccess): Readonly<Record<string, string>> {
  const { region, accessKeyId, secretAccessKey, sessionToken } = access;
  return {
    AWS_REGION: region,
    ...(accessKeyId === undefined ? {} : { AWS_ACCESS_KEY_ID: accessKeyId }),
    ...(secretAccessKey === undefined ? {} : { AWS_SECRET_ACCESS_KEY: secretAccessKey }),
    ...(sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: sessionToken }),
  };
}

/** An embedded S3 server for each archive that has none, and what replication is told of all of them. */
export function planArchives(
  { network, settings, folder, ports }: PlanOptions,
  service: Service,
): { readonly processes: readonly LocalProcess[]; readonly external: readonly ExternalEngine[] } & {
  readonly environment: Readonly<Record<string, string>>;
} {
  const external: ExternalEngine[] = [];
  const processes: LocalProcess[] = [];
  const urls: Record<string, string> = {};
  const access = archiveAccess(settings, folder);
  for (const { id, bucket } of runningSites(network, "archive")) {
    const given = settings.archiveUrls.get(id);
    const name = s3Name(id);
    const url = given ?? `http://127.0.0.1:${ports.get(name) ?? ""}`;
    urls[id] = url;
    if (given !== undefined) {
      external.push({ site: id, role: "S3 (ARCHIVE_URL)", url: withoutPassword(given) });
      continue;
    }
    const spec = service(name, "replication/embedded-s3/main.ts", "helper", {
      KATTEGAT_BUCKETS: bucket?.name ?? "",
      ...keyVariables(access),
    });
    processes.push({ spec, site: id, role: "embedded S3", url, after: [], readiness: [url] });
  }
  if (Object.keys(urls).length === 0) return { processes, external, environment: {} };
  return {
    processes,
    external,
    environment: { KATTEGAT_ARCHIVES: JSON.stringify(urls), ...keyVariables(access) },
  };
}

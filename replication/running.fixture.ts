/** Replication that runs between loopback servers until the test ends. */
import { createFetch } from "./fetch.ts";
import { createPrimary } from "./primary.ts";
import { createReplication, type Replication } from "./replication.ts";
import { createSiteClient, type SiteClient } from "./site-client.ts";
import { sleep } from "./sleep.ts";
import type { Target } from "./target.ts";

export const silent = { warn: () => undefined, error: () => undefined, info: () => undefined };
const closing: (() => Promise<void>)[] = [];

/** Ends what the test began, the last first. */
export async function closeAll(): Promise<void> {
  for (const close of closing.splice(0).toReversed()) await close();
}

/** Closes this at the end of the test too. */
export function closeLater(...closes: readonly (() => Promise<void>)[]): void {
  closing.push(...closes);
}

export function clientOf(site: string, { url }: { readonly url: string }): SiteClient {
  return createSiteClient({
    site,
    baseUrl: url,
    fetch: createFetch(),
    authorization: () => Promise.resolve("Bearer test"),
  });
}

/** Starts replication; the returned `kill` leaves it as SIGKILL would: nothing is written on the way out. */
export function started(
  primary: { readonly url: string },
  ...targets: readonly Target[]
): { readonly replication: Replication; kill(): Promise<void> } {
  const stopping = new AbortController();
  const replication = createReplication({
    targets,
    primary: createPrimary(clientOf("dk-cph", primary)),
    now: Date.now,
    random: () => 0.1,
    sleep,
    log: silent,
    epochSeen: () => undefined,
  });
  const running = replication.run(stopping.signal);
  const kill = async (): Promise<void> => {
    stopping.abort();
    await running;
  };
  closeLater(kill);
  return { replication, kill };
}

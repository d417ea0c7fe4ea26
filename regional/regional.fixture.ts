/** A regional site in front of an embedded server, with the log that it is told. */
import { expect } from "vitest";
import { startQdrant, temporaryFolder } from "./process.fixture.ts";
import { batch, search, startSite } from "./site.fixture.ts";
import type { SiteAnswer, SiteProcess } from "./site.fixture.ts";

export interface RegionalUnderTest {
  readonly site: SiteProcess;
  /** Where the store itself answers. */
  readonly qdrantUrl: string;
  /** The sequence that `next` gave last. */
  sequence(): number;
  next(): number;
  /** The ids that a search of the collection finds by vector, best first. */
  found(collection: string, overrides?: Parameters<typeof search>[0]): Promise<string[]>;
  /** Applies the changes, up to the last sequence unless `options` say otherwise. */
  apply(
    changes: Parameters<typeof batch>[0],
    options?: Partial<Parameters<typeof batch>[1]>,
  ): Promise<SiteAnswer>;
  stop(): Promise<void>;
}

export async function startRegional(): Promise<RegionalUnderTest> {
  const folder = await temporaryFolder();
  const qdrant = await startQdrant(`${folder.path}/qdrant`);
  const site = await startSite(folder.path, [qdrant.url]);
  let sequence = 0;
  return {
    site,
    qdrantUrl: qdrant.url,
    sequence: () => sequence,
    next: () => (sequence += 1),
    async found(collection, overrides = {}) {
      const { status, body } = await site.post("/internal/search", search({ collection, ...overrides }));
      expect(status, JSON.stringify(body)).toBe(200);
      return body.dense.map((candidate: { document_id: string; ordinal: number }) =>
        overrides.group_by === "passage"
          ? `${candidate.document_id}#${candidate.ordinal}`
          : candidate.document_id,
      );
    },
    apply: (changes, options = {}) =>
      site.post("/internal/apply", batch(changes, { watermark: sequence, ...options })),
    async stop() {
      await site.kill("SIGTERM");
      await qdrant.kill("SIGTERM");
      await folder.remove();
    },
  };
}

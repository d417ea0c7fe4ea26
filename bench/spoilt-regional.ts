/** Faults in a regional's Qdrant, made through its own API. */
import { qdrantName } from "@kattegat/ops/local/process-names.ts";
import { runningProcess } from "@kattegat/ops/local/running-process.ts";
import { QdrantClient } from "@qdrant/js-client-rest";
import { z } from "zod";
import type { BenchNetwork } from "./network.ts";
import type { Spoiler } from "./spoiler.ts";

const SITE = "eu-fra";

export async function openRegional(network: BenchNetwork): Promise<Spoiler> {
  const { url } = runningProcess(network.data, qdrantName(SITE));
  const client = new QdrantClient({ url, checkCompatibility: false });
  const { collections } = await client.getCollections();
  const passages = collections.find(({ name }) => name.startsWith("kattegat_passages"))?.name ?? "";
  const wait = true;
  return {
    site: SITE,
    async spoil(kind, document, at) {
      const filter = { must: [{ key: "document_id", match: { value: document } }] };
      const { points } = await client.scroll(passages, { filter, with_payload: true, with_vector: true });
      const ids = points.map(({ id }) => id);
      const [point] = points;
      if (point === undefined) throw new Error(`expected points of ${document}`);
      const vector = z.record(z.string(), z.any()).parse(point.vector);
      switch (kind) {
        case "missing":
          await client.delete(passages, { wait, points: ids });
          return document;
        case "stale":
          await client.setPayload(passages, { wait, payload: { version: "0" }, points: ids });
          return document;
        case "corrupted": {
          const payload = { ...point.payload, text: `${String(point.payload?.["text"])} rettet` };
          const spoilt = { ...vector, dense: vector["dense"].toReversed() };
          // Half of them in the text, half in the vector.
          const isText = at % 2 === 0;
          const changed = {
            id: point.id,
            payload: isText ? payload : { ...point.payload },
            vector: isText ? vector : spoilt,
          };
          await client.upsert(passages, { wait, points: [changed] });
          return document;
        }
        case "extra": {
          const id = `never-${at}`;
          const payload = { ...point.payload, document_id: id };
          await client.upsert(passages, { wait, points: [{ id: crypto.randomUUID(), vector, payload }] });
          return id;
        }
        default:
          return kind satisfies never;
      }
    },
    storeBytes: () => Promise.resolve(null),
  };
}

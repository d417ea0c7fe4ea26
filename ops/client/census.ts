/** Asks a running primary how many documents of each class and tier there are. */
import { censusSchema, type Census } from "@kattegat/protocol/census.ts";
import type { PrimaryClient } from "./primary-client.ts";

export async function readCensus(primary: PrimaryClient): Promise<Census> {
  return censusSchema.parse(await (await primary.get("/internal/census")).json());
}

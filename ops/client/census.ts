/** Asks a running primary how many documents of each class and tier there are. */
import { censusSchema, type Census } from "@kattegat/protocol/census.ts";
import type { OperatorClient } from "./operator-client.ts";

export async function readCensus(primary: OperatorClient): Promise<Census> {
  return await primary.json(censusSchema, "/internal/census");
}

/** Asks a running primary how many documents of each class and tier there are. */
import { censusSchema, OPERATOR, type Census } from "@kattegat/protocol/census.ts";
import { errorOfProblem, problemSchema } from "@kattegat/protocol/problem.ts";
import { createTokenSigner } from "@kattegat/protocol/token-signer.ts";
import type { JWK } from "jose";
import { NoConnectionError, type Client } from "./client.ts";

/** The primary scans its table of documents once: seconds at a million. */
const ANSWER_MS_MAX = 60_000;

/** @throws {NoConnectionError} when no primary can be reached, {KattegatError} when it refuses. */
export async function readCensus(
  client: Client,
  { privateJwk }: { readonly privateJwk: JWK },
): Promise<Census> {
  const { sites, epoch } = await client.network();
  const primary = sites.find(({ kind, health }) => kind === "primary" && health !== "not_running");
  if (primary === undefined || primary.url === null)
    throw new NoConnectionError("The network does not tell the address of its primary.");
  const signer = createTokenSigner({
    privateJwk,
    issuer: OPERATOR,
    now: Date.now,
    epoch: () => epoch,
  });
  const headers = { authorization: await signer.authorization(primary.id) };
  const response = await fetch(`${primary.url}/internal/census`, {
    headers,
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  }).catch((cause: unknown) => {
    throw new NoConnectionError(`No answer from the primary at ${primary.url}.`, { cause });
  });
  const body: unknown = await response.json();
  if (response.ok) return censusSchema.parse(body);
  throw errorOfProblem(problemSchema.parse(body));
}

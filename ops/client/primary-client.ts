/** The primary as the operator asks it, beside the public contract. */
import { errorOfProblem, problemSchema } from "@kattegat/protocol/problem.ts";
import { OPERATOR } from "@kattegat/protocol/site-token.ts";
import { createTokenSigner } from "@kattegat/protocol/token-signer.ts";
import type { JWK } from "jose";
import { NoConnectionError, type Client } from "./client.ts";

/** A proof waits for a checkpoint, which takes in whatever was recorded since the last. */
const ANSWER_MS_MAX = 60_000;

export interface PrimaryClient {
  /** Resolves with a successful answer; throws a `KattegatError` or a `NoConnectionError`. */
  get(path: string, query?: Readonly<Record<string, string>>): Promise<Response>;
  post(path: string, body: unknown): Promise<Response>;
}

/** Finds the primary through the network's own status; signs with the operator's key. */
export async function primaryClient(
  client: Client,
  { privateJwk }: { readonly privateJwk: JWK },
): Promise<PrimaryClient> {
  const { sites, epoch } = await client.network();
  const primary = sites.find(({ kind, health }) => kind === "primary" && health !== "not_running");
  if (primary === undefined || primary.url === null)
    throw new NoConnectionError("The network does not tell the address of its primary.");
  const { id, url } = primary;
  const signer = createTokenSigner({ privateJwk, issuer: OPERATOR, now: Date.now, epoch: () => epoch });
  const send = async (address: URL, init: RequestInit): Promise<Response> => {
    const headers = { authorization: await signer.authorization(id), "content-type": "application/json" };
    const signal = AbortSignal.timeout(ANSWER_MS_MAX);
    const response = await fetch(address, { ...init, headers, signal }).catch((cause: unknown) => {
      throw new NoConnectionError(`No answer from the primary at ${url}.`, { cause });
    });
    if (response.ok) return response;
    throw errorOfProblem(problemSchema.parse(await response.json()));
  };
  return {
    async get(path, query = {}) {
      const address = new URL(path, url);
      for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
      return await send(address, {});
    },
    post: async (path, body) =>
      await send(new URL(path, url), { method: "POST", body: JSON.stringify(body) }),
  };
}

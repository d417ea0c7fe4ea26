/** Where the contract suite's server is. */
export interface ContractSettings {
  readonly url: string | null;
  readonly apiKey: string | null;
}

export function contractSettings(): ContractSettings {
  const { QDRANT_URL, QDRANT_API_KEY } = process.env;
  return { url: QDRANT_URL?.replace(/\/$/, "") ?? null, apiKey: QDRANT_API_KEY ?? null };
}

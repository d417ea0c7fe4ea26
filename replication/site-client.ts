/** HTTP from replication to one site. */
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { errorOfProblem, problemSchema } from "@kattegat/protocol/problem.ts";

/** The part of `fetch` that replication uses. */
export type Fetch = (url: string, init: FetchInit) => Promise<Answer>;

type Method = "GET" | "HEAD" | "PUT" | "POST" | "DELETE";

export interface FetchInit {
  readonly method: Method;
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: AsyncIterable<Uint8Array> | null;
  json(): Promise<unknown>;
  arrayBuffer(): Promise<ArrayBuffer>;
}

export interface SiteRequest {
  readonly method?: Method;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Sends requests with a site token; `use` reads the answer under the same deadline. */
export interface SiteClient {
  readonly site: string;
  /**
   * Resolves with what `use` makes of a successful answer.
   *
   * @throws {KattegatError} the site's own error, or `unavailable` or `timeout` when it gave none.
   */
  request<T>(path: string, request: SiteRequest, use: (response: Answer) => Promise<T>): Promise<T>;
}

export function createSiteClient(options: {
  readonly site: string;
  readonly baseUrl: string;
  readonly fetch: Fetch;
  readonly authorization: (site: string) => Promise<string>;
}): SiteClient {
  const { site } = options;
  return {
    site,
    async request(path, request, use) {
      const deadline = AbortSignal.timeout(request.timeoutMs);
      try {
        const response = await options.fetch(new URL(path, options.baseUrl).href, {
          method: request.method ?? "GET",
          headers: { ...request.headers, authorization: await options.authorization(site) },
          signal: AbortSignal.any([deadline, request.signal]),
          ...(request.body === undefined ? {} : { body: request.body }),
        });
        if (!response.ok) throw await errorOf(response, site);
        return await use(response);
      } catch (error) {
        if (error instanceof KattegatError) throw error;
        if (deadline.aborted)
          throw new KattegatError("timeout", `${site} did not answer within ${request.timeoutMs} ms.`, {
            cause: error,
          });
        throw new KattegatError("unavailable", `${site} does not answer: ${reasonOf(error)}.`, {
          cause: error,
        });
      }
    },
  };
}

/** The problem that the site sent, else what its status alone says. */
async function errorOf(response: Answer, site: string): Promise<KattegatError> {
  const problem = problemSchema.safeParse(await response.json().catch(() => null));
  if (problem.success) return errorOfProblem(problem.data);
  const code = codeOfStatus(response.status);
  return new KattegatError(code, `${site} answered ${response.status} without a problem document.`);
}

function codeOfStatus(status: number): KattegatError["code"] {
  if (status === 404) return "not_found";
  if (status === 412) return "conflict";
  if (status === 413) return "too_large";
  return status === 401 ? "unauthenticated" : "unavailable";
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

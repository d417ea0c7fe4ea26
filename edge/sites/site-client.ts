/** Requests to other sites. */
import { KattegatError, isErrorCode } from "@kattegat/protocol/errors.ts";
import type { TokenSigner } from "@kattegat/protocol/token-signer.ts";
import type { z } from "zod";
import { CLOSED, next, type BreakerEvent, type BreakerState } from "./breaker.ts";

/** What a request carries on from the caller's. */
export interface RequestContext {
  readonly requestId: string;
  readonly traceparent: string;
}

export interface SiteRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: BodyInit | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly context: RequestContext;
}

export interface SiteClient {
  /** @throws {KattegatError} `unavailable` when the site does not answer or was silent too often, `timeout` when the signal ends the wait. */
  send(site: string, request: SiteRequest): Promise<Response>;
  /** @throws {KattegatError} as `send`, and `unavailable` for an answer that is no 200 in the schema's form. */
  ask<T>(site: string, schema: z.ZodType<T>, request: SiteRequest): Promise<T>;
  stateOf(site: string): BreakerState;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** An answer of 2,000 candidates with texts is a tenth of this; a hostile site may not fill the isolate. */
const ANSWER_BYTES_MAX = 32 * 1_024 * 1_024;

// oxlint-disable-next-line max-lines-per-function -- a factory: its verbs share state that they alone may touch
export function createSiteClient(options: {
  readonly urls: ReadonlyMap<string, string>;
  readonly signer: TokenSigner;
  readonly fetch: Fetch;
  readonly now: () => number;
}): SiteClient {
  const states = new Map<string, BreakerState>();
  const stateOf = (site: string): BreakerState => states.get(site) ?? CLOSED;

  function tell(site: string, kind: BreakerEvent["kind"]): boolean {
    const step = next(stateOf(site), { kind, atMs: options.now() });
    states.set(site, step.state);
    return step.allowed;
  }

  async function send(site: string, request: SiteRequest): Promise<Response> {
    const url = options.urls.get(site);
    if (url === undefined) throw new KattegatError("unavailable", `No address is known for ${site}.`);
    if (!tell(site, "ask"))
      throw new KattegatError("unavailable", `${site} did not answer lately; it is tried again soon.`, {
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      });
    const startedAt = options.now();
    try {
      const response = await options.fetch(`${url}${request.path}`, {
        method: request.method,
        body: request.body ?? null,
        headers: {
          ...request.headers,
          authorization: await options.signer.authorization(site),
          "x-request-id": request.context.requestId,
          traceparent: request.context.traceparent,
        },
        signal: request.signal,
        redirect: "manual",
      });
      // A site that answers is alive; one behind a dead process answers 502 or 504 from its proxy.
      tell(site, response.status === 502 || response.status === 504 ? "failure" : "success");
      return response;
    } catch (cause) {
      // A caller's own short wait says nothing about the site, and may not close it to others.
      if (!request.signal.aborted || options.now() - startedAt >= SILENCE_MS_MIN) tell(site, "failure");
      if (request.signal.aborted)
        throw new KattegatError("timeout", `${site} did not answer in time.`, {
          cause,
          retryAfterSeconds: RETRY_AFTER_SECONDS,
        });
      throw new KattegatError("unavailable", `${site} cannot be reached.`, {
        cause,
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      });
    }
  }

  return {
    send,
    stateOf,
    async ask(site, schema, request) {
      const startedAt = options.now();
      const response = await send(site, request);
      try {
        if (!response.ok) throw await refusalOf(site, response);
        if (Number(response.headers.get("content-length") ?? 0) > ANSWER_BYTES_MAX)
          throw new KattegatError("unavailable", `${site} answered too much.`);
        const value: unknown = await response.json();
        const result = schema.safeParse(value);
        if (!result.success)
          throw new KattegatError("unavailable", `${site} answered in a form that this edge does not know.`);
        return result.data;
      } catch (cause) {
        if (cause instanceof KattegatError) throw cause;
        if (request.signal.aborted) {
          if (options.now() - startedAt >= SILENCE_MS_MIN) tell(site, "failure");
          throw new KattegatError("timeout", `${site} did not answer in time.`, { cause });
        }
        throw new KattegatError("unavailable", `${site} answered in a form that this edge does not know.`, {
          cause,
        });
      }
    },
  };
}

/** Ten round trips inside Europe: a site that is silent for so long is not well. */
const SILENCE_MS_MIN = 500;
/** As long as an open breaker waits. */
const RETRY_AFTER_SECONDS = 2;

async function refusalOf(site: string, response: Response): Promise<KattegatError> {
  const problem: unknown = await response.json().catch(() => null);
  const code: unknown =
    typeof problem === "object" && problem !== null && "code" in problem ? problem.code : null;
  return new KattegatError(
    "unavailable",
    `${site} answered ${response.status}${isErrorCode(code) ? ` ${code}` : ""}.`,
  );
}

/** Thrown errors as problem documents on a Hono app. */
import type { Context, Env, Hono, MiddlewareHandler } from "hono";
import { ERROR_KINDS, KattegatError } from "../errors.ts";
import { PROBLEM_MEDIA_TYPE, problemOf } from "../problem.ts";

export const REQUEST_ID_HEADER = "x-request-id";
const REQUEST_ID = /^[A-Za-z0-9_-]{8,64}$/;

/** The id of this request, as `requestIds` set it on the answer. */
export function requestIdOf(context: Context): string {
  return context.res.headers.get(REQUEST_ID_HEADER) ?? "unknown";
}

/** Gives each answer an id: the caller's when it has the form of one, else a new one. */
export function requestIds(newId: () => string): MiddlewareHandler {
  return async (context, next) => {
    const given = context.req.header(REQUEST_ID_HEADER);
    context.header(REQUEST_ID_HEADER, given !== undefined && REQUEST_ID.test(given) ? given : newId());
    await next();
  };
}

/** Answers every thrown error as a problem document; `report` hears of those that are no operating errors. */
export function answerProblems<E extends Env>(
  app: Hono<E>,
  report: (error: unknown, requestId: string) => void,
): void {
  app.notFound((context) =>
    problemAnswer(
      context,
      new KattegatError("not_found", `There is no ${context.req.method} ${context.req.path}.`),
    ),
  );
  app.onError((error, context) => {
    if (!(error instanceof KattegatError)) report(error, requestIdOf(context));
    return problemAnswer(context, error);
  });
}

function problemAnswer(context: Context, error: unknown): ReturnType<Context["newResponse"]> {
  const problem = problemOf(error, requestIdOf(context));
  const headers: Record<string, string> = { "content-type": PROBLEM_MEDIA_TYPE };
  if (error instanceof KattegatError && error.retryAfterSeconds !== null)
    headers["retry-after"] = String(error.retryAfterSeconds);
  return context.newResponse(JSON.stringify(problem), { status: ERROR_KINDS[problem.code].status, headers });
}

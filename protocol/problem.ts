/** The body of an error answer (RFC 9457). */
import { z } from "zod";
import { ERROR_KINDS, KattegatError, isErrorCode, type ErrorCode } from "./errors.ts";

export const PROBLEM_MEDIA_TYPE = "application/problem+json";

const codes = Object.keys(ERROR_KINDS).filter(isErrorCode);

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(codes),
    request_id: z.string(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  })
  .meta({ id: "Problem", description: "What went wrong (RFC 9457); `code` is stable." });

export type Problem = z.infer<typeof problemSchema>;

/** Turns any thrown value into a problem; what is not an operating error becomes `internal` and shows nothing. */
export function problemOf(error: unknown, requestId: string): Problem {
  const known = error instanceof KattegatError ? error : null;
  const code: ErrorCode = known?.code ?? "internal";
  const kind = ERROR_KINDS[code];
  return {
    type: `urn:kattegat:error:${code}`,
    title: kind.title,
    status: kind.status,
    detail:
      known?.message ?? "The request failed inside Kattegat; the request id finds it in the site's log.",
    code,
    request_id: requestId,
    ...(known !== null && known.errors.length > 0 ? { errors: [...known.errors] } : {}),
  };
}

/** A problem that came from another site, as the error that it was there. */
export function errorOfProblem(problem: Problem): KattegatError {
  return new KattegatError(problem.code, problem.detail, { errors: problem.errors ?? [] });
}

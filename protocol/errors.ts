/** The closed table of operating errors. */

export interface ErrorKind {
  readonly status: number;
  readonly title: string;
  /** Whether the same request can succeed later without a change. */
  readonly retryable: boolean;
  readonly fault: "caller" | "network";
}

/** Every code that a Kattegat response can carry; codes are never renamed or reused. */
export const ERROR_KINDS = {
  bad_json: { status: 400, title: "The body is not JSON", retryable: false, fault: "caller" },
  bad_request: { status: 400, title: "The request is not valid", retryable: false, fault: "caller" },
  bad_vector: { status: 400, title: "The vector does not fit the model", retryable: false, fault: "caller" },
  bad_filter: { status: 400, title: "The filter is not valid", retryable: false, fault: "caller" },
  bad_document: {
    status: 422,
    title: "The passages of the document cannot be made",
    retryable: false,
    fault: "caller",
  },
  unknown_residency: {
    status: 400,
    title: "The residency class is not known",
    retryable: false,
    fault: "caller",
  },
  no_legal_site: {
    status: 422,
    title: "No site may hold this document in this tier",
    retryable: false,
    fault: "caller",
  },
  unauthenticated: { status: 401, title: "A valid key is required", retryable: false, fault: "caller" },
  forbidden: { status: 403, title: "The key lacks the scope", retryable: false, fault: "caller" },
  residency_refused: {
    status: 403,
    title: "This site may not carry this document",
    retryable: false,
    fault: "caller",
  },
  not_found: { status: 404, title: "There is nothing here", retryable: false, fault: "caller" },
  method_not_allowed: {
    status: 405,
    title: "The method is not allowed here",
    retryable: false,
    fault: "caller",
  },
  version_mismatch: {
    status: 412,
    title: "The document has another version",
    retryable: false,
    fault: "caller",
  },
  too_large: { status: 413, title: "The body is too large", retryable: false, fault: "caller" },
  unsupported_media_type: {
    status: 415,
    title: "The media type is not supported",
    retryable: false,
    fault: "caller",
  },
  too_many_requests: { status: 429, title: "Too many requests", retryable: true, fault: "caller" },
  divergence: {
    status: 409,
    title: "The copy has other content at the same fence",
    retryable: false,
    fault: "network",
  },
  stale_epoch: { status: 409, title: "The sender's epoch is over", retryable: false, fault: "network" },
  conflict: { status: 409, title: "The state has changed meanwhile", retryable: true, fault: "network" },
  unavailable: {
    status: 503,
    title: "A site that is needed does not answer",
    retryable: true,
    fault: "network",
  },
  not_ready: { status: 503, title: "The site is not ready", retryable: true, fault: "network" },
  timeout: { status: 504, title: "The deadline passed", retryable: true, fault: "network" },
  internal: { status: 500, title: "Something is wrong in Kattegat", retryable: true, fault: "network" },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERROR_KINDS;

/** One bad field: `pointer` is a JSON pointer (RFC 6901) into the request. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

/** An operating error on its way to a problem document. */
export class KattegatError extends Error {
  override readonly name = "KattegatError";
  readonly code: ErrorCode;
  readonly errors: readonly FieldError[];
  readonly retryAfterSeconds: number | null;

  /** `detail` says what was expected, what came and what to do; it never holds a document's or query's text. */
  constructor(
    code: ErrorCode,
    detail: string,
    options: {
      readonly errors?: readonly FieldError[];
      readonly retryAfterSeconds?: number;
      readonly cause?: unknown;
    } = {},
  ) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.errors = options.errors ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }
}

/** The code by which an error is counted or told. */
export function codeOf(error: unknown): ErrorCode {
  return error instanceof KattegatError ? error.code : "internal";
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(ERROR_KINDS, value);
}

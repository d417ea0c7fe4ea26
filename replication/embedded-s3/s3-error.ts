/** An error in S3's own words. */

const STATUS = {
  AccessDenied: 403,
  BadDigest: 400,
  EntityTooLarge: 413,
  InsufficientStorage: 507,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  MalformedXML: 400,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NotImplemented: 501,
  PreconditionFailed: 412,
  RequestTimeTooSkewed: 403,
  SignatureDoesNotMatch: 403,
} as const;

export class S3Error extends Error {
  override readonly name = "S3Error";
  readonly code: keyof typeof STATUS;

  constructor(code: keyof typeof STATUS, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }

  get status(): number {
    return STATUS[this.code];
  }
}

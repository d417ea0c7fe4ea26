/** An answer of Qdrant's that says no. */
export class QdrantError extends Error {
  override readonly name = "QdrantError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** What Qdrant can and this server cannot. */
export function notImplemented(what: string): QdrantError {
  return new QdrantError(
    501,
    `Not implemented by the embedded server: ${what}. Point QDRANT_URL at a real Qdrant to use it.`,
  );
}

export function wrongInput(detail: string): QdrantError {
  return new QdrantError(400, `Wrong input: ${detail}`);
}

/** A body that is JSON of another form. */
export function formatError(detail: string): QdrantError {
  return new QdrantError(400, `Format error in JSON body: ${detail}`);
}

export function validationError(field: string, detail: string): QdrantError {
  return new QdrantError(422, `Validation error in JSON body: [${field}: ${detail}]`);
}

export function noCollection(name: string): QdrantError {
  return new QdrantError(404, `Not found: Collection \`${name}\` doesn't exist!`);
}

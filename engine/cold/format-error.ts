/** A cold object that cannot be read as what it claims to be: damaged, cut off, or of another version. */
export class ColdFormatError extends Error {
  override readonly name = "ColdFormatError";
}

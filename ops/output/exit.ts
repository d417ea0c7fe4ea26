/** The exit codes of every command. */
export const EXIT = { done: 0, finding: 1, usage: 2, refused: 3 } as const;

/** The command was called in a way that cannot be done. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

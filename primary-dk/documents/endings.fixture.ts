/** Texts that end the thread of a test, or fail in it. */
export const ENDINGS = {
  exit: "Tråden slutter.",
  error: "Tråden kaster.",
  /** The thread goes on. */
  failure: "Tråden kan ikke.",
  /** When it has been answered. */
  late: "Tråden lover for meget.",
  /** Not when it is the thread's first document. */
  once: "Tråden slutter, hvis den har gjort andet før.",
} as const;

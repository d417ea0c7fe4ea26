/** What engine/ needs of Web APIs that every runtime has: a subset, merged with the runtime's own types where it has some. */
interface AbortSignal {
  readonly aborted: boolean;
}
declare var AbortSignal: { timeout(milliseconds: number): AbortSignal };

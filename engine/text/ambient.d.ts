/** What engine/ needs of Web APIs that every runtime has: a subset, merged with the runtime's own types where it has some. */
interface AbortSignal {
  readonly aborted: boolean;
}
// A global that the runtimes' own types declare with var: let or const would clash with them.
// oxlint-disable-next-line no-var
declare var AbortSignal: { timeout(milliseconds: number): AbortSignal };

/** What tests inside workerd get from their runner. */

/** A file's text. */
declare module "*?raw" {
  const text: string;
  export default text;
}

declare namespace Cloudflare {
  interface Env {
    readonly COLD: R2Bucket;
  }
}

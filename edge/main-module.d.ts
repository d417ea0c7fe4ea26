import type * as worker from "./worker.ts";

declare global {
  namespace Cloudflare {
    /** What the Worker's own exports are, for `exports` of `cloudflare:workers`. */
    interface GlobalProps {
      mainModule: typeof worker;
    }
  }
}

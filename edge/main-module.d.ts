/** What the Worker's own exports are, for `exports` of `cloudflare:workers`. */
declare namespace Cloudflare {
  interface GlobalProps {
    mainModule: typeof import("./worker.ts");
  }
}

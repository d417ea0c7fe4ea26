/** Entry of `npm start`. */
import { enableCompileCache } from "node:module";

// Compiling what a start loads takes half a second; modules loaded from here on come from the cache.
enableCompileCache();
await import("./local/main.ts");

/** Entry of the operator's command. */
import { enableCompileCache } from "node:module";
import { listenForInterruption } from "./output/interruption.ts";

// Loading the rest takes most of a second, in which an interrupt would otherwise end the process without a word.
const interruption = listenForInterruption();
enableCompileCache();
const { runCommandLine } = await import("./command-line.ts");
await runCommandLine(interruption);

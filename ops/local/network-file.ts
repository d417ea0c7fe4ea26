/** What the local network tells the command about itself. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { replaceFile } from "./folder.ts";

const processSchema = z.object({
  name: z.string(),
  site: z.string(),
  role: z.string(),
  url: z.string(),
  pid: z.int().nullable(),
});
const runningNetworkSchema = z.object({
  pid: z.int(),
  started_at: z.string(),
  ready: z.boolean(),
  edges: z.record(z.string(), z.string()),
  processes: z.array(processSchema),
});

/** `edges`: zone → public address. */
export type RunningNetwork = z.infer<typeof runningNetworkSchema>;

export function writeRunningNetwork(path: string, network: RunningNetwork): void {
  replaceFile(path, JSON.stringify(network, null, 2));
}

/** Null when no network ever ran on this folder. */
export function readRunningNetwork(path: string): RunningNetwork | null {
  try {
    const parsed = runningNetworkSchema.safeParse(JSON.parse(readFileSync(path, "utf8")));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

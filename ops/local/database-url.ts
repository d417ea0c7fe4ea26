/** The address of the system of record. */
import { existsSync, readFileSync } from "node:fs";
import type { Settings } from "../settings.ts";
import { dataFolder, type DataFolder } from "./folder.ts";
import { processLives } from "./lock.ts";
import { readRunningNetwork } from "./network-file.ts";
import { POSTGRES } from "./process-names.ts";

export function embeddedDatabaseUrl(folder: DataFolder, port: number): string {
  const password = readFileSync(folder.postgresPassword, "utf8").trim();
  return `postgres://kattegat:${password}@127.0.0.1:${port}/postgres`;
}

/** The database that the settings name, else that of the network which runs on the data folder; null when none runs. */
export function databaseUrlOf(settings: Settings): string | null {
  if (settings.databaseUrl !== null) return settings.databaseUrl;
  const folder = dataFolder(settings.data);
  const running = readRunningNetwork(folder.network);
  const postgres = running?.processes.find(({ name }) => name === POSTGRES);
  if (running === null || postgres === undefined) return null;
  if (!processLives(running.pid) || !existsSync(folder.postgresPassword)) return null;
  return embeddedDatabaseUrl(folder, Number(new URL(postgres.url).port));
}

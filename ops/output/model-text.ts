/** The models of a network as text for a person. */
import type { NetworkStatus } from "@kattegat/protocol/network-status.ts";
import { table } from "./table.ts";

/** What `embedding status` tells of one site and model. */
export interface EditionStatus {
  readonly model: string;
  readonly site: string;
  readonly tiers: readonly string[];
  readonly watermark: string | null;
  readonly lag_changes: number | null;
  readonly ready: boolean;
  readonly reason: string | null;
}

export interface ModelStatus {
  readonly serving: string;
  readonly next: string | null;
  /** The model that a search of every tier asks for now. */
  readonly searches_use: string;
  /** Passages with a vector of the model to come, of how many; null without one. */
  readonly embedded: number | null;
  readonly passages: number | null;
  readonly whole_at: string | null;
  readonly editions: readonly EditionStatus[];
}

/** Whether there is nothing to wait for. */
export function isSettled({ editions }: ModelStatus): boolean {
  return editions.every(({ ready }) => ready);
}

export function modelStatusOf({ model, next, sites }: NetworkStatus): ModelStatus {
  const serving = sites
    .filter(({ health, tiers }) => health !== "not_running" && tiers.length > 0)
    .map(({ id, tiers, health, watermark, lag_changes }): EditionStatus => ({
      model: model.id,
      site: id,
      tiers,
      watermark,
      lag_changes,
      ready: health === "ok",
      reason: health === "ok" ? null : health,
    }));
  const coming = next?.sites.map((site): EditionStatus => ({ model: next.id, ...site })) ?? [];
  return {
    serving: model.id,
    next: next?.id ?? null,
    searches_use: next?.serves === true ? next.id : model.id,
    embedded: next?.embedded ?? null,
    passages: next?.passages ?? null,
    whole_at: next?.whole_at ?? null,
    editions: [...serving, ...coming],
  };
}

export function formatModelStatus(
  status: ModelStatus,
  { configShown }: { readonly configShown: string },
): string {
  const rows = status.editions.map(({ model, site, tiers, watermark, lag_changes, ready, reason }) => [
    model,
    site,
    tiers.join(" "),
    watermark ?? "–",
    lag_changes === null ? "" : count(lag_changes),
    ready ? "ready" : (reason ?? "not ready"),
  ]);
  return [
    ...summary(status, configShown),
    "",
    ...table([["model", "site", "tiers", "watermark", "behind", "state"], ...rows], { right: [3, 4] }),
  ].join("\n");
}

function summary(status: ModelStatus, configShown: string): readonly string[] {
  const { serving, next, embedded, passages, searches_use: used } = status;
  if (next === null) return [`${serving} serves; ${configShown} names no next model.`];
  return [
    `${serving} serves, ${next} is being prepared: ${count(embedded ?? 0)} of ${count(passages ?? 0)} passages are embedded.`,
    `Searches use ${used}.`,
    ...(isSettled(status)
      ? [
          `Every site has it whole. To end the change, name ${next} as the embedding in ${configShown}, without next, and restart.`,
        ]
      : []),
  ];
}

function count(value: number): string {
  return value.toLocaleString("en");
}

/** Whether replication does all of its work. */
import type { StreamStatus } from "./stream-status.ts";

/** Why it is not ready; empty when it is. Copies of a model that is only being prepared are waited for by nobody. */
export function unreadiness(
  streams: readonly StreamStatus[],
  { lagMsMax }: { readonly lagMsMax: number },
): readonly string[] {
  return streams.flatMap((stream): string[] => {
    if (stream.is_next) return [];
    if (stream.state === "halted") return [`${stream.site}: halted with ${stream.code ?? "an error"}`];
    if (!stream.answers) return [`${stream.site}: it does not answer`];
    if (stream.watermark === null) return [`${stream.site}: its watermark is not known yet`];
    if (stream.lag_ms === null) return [`${stream.site}: its lag is not known yet`];
    if (stream.lag_ms > lagMsMax)
      return [
        `${stream.site}: ${stream.lag_changes ?? 0} changes and ${Math.round(stream.lag_ms)} ms behind, at most ${lagMsMax} ms are in bounds`,
      ];
    return [];
  });
}

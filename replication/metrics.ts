/** Prometheus metrics of the streams. */
import type { Comparison } from "@kattegat/protocol/digests.ts";
import { Counter, Gauge, Registry, collectDefaultMetrics } from "prom-client";
import type { StreamStatus } from "./stream-status.ts";

/** Values are read when they are asked for, so a stream knows nothing of metrics. Labels hold sites only: an id would leak. */
export function createMetrics(
  streams: () => readonly StreamStatus[],
  comparisons: () => ReadonlyMap<string, Comparison>,
): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "kattegat_" });
  const gauge = (name: string, help: string, value: (stream: StreamStatus) => number | null): void => {
    new Gauge({
      name: `kattegat_replication_${name}`,
      help,
      labelNames: ["target", "model"],
      registers: [registry],
      collect() {
        this.reset();
        for (const stream of streams()) {
          const number = value(stream);
          if (number !== null) this.set(labelsOf(stream), number);
        }
      },
    });
  };
  const counter = (name: string, help: string, value: (stream: StreamStatus) => number): void => {
    new Counter({
      name: `kattegat_replication_${name}_total`,
      help,
      labelNames: ["target", "model"],
      registers: [registry],
      collect() {
        this.reset();
        for (const stream of streams()) this.inc(labelsOf(stream), value(stream));
      },
    });
  };
  gauge(
    "lag_milliseconds",
    "Age of the first commit that the target has not stored.",
    ({ lag_ms }) => lag_ms,
  );
  gauge("lag_changes", "Sequences that the target is behind the log.", ({ lag_changes }) => lag_changes);
  gauge("halted", "1 when the stream needs a person.", ({ state }) => (state === "halted" ? 1 : 0));
  gauge("silent", "1 while the target does not answer.", ({ answers }) => (answers ? 0 : 1));
  counter("applied", "Changes that the target took.", ({ applied }) => applied);
  counter("refused", "Changes that the target refused for good.", ({ parked }) => parked);
  counter(
    "wrong_refusals",
    "Answers that refused what the target was not sent as a copy; each halts its stream.",
    (stream) => stream.wrong_refusals,
  );
  counter("retries", "Attempts that failed and were made again.", ({ retries }) => retries);
  compareMetrics(registry, comparisons);
  return registry;
}

function compareMetrics(registry: Registry, comparisons: () => ReadonlyMap<string, Comparison>): void {
  const counters: readonly (readonly [string, string, (comparison: Comparison) => number])[] = [
    ["rounds", "Comparisons of the target's copies with what is planned there.", ({ rounds }) => rounds],
    ["faults", "Copies that were found wrong.", ({ found }) => found],
    ["repairs", "Changes written to heal them.", ({ repaired }) => repaired],
    ["bytes", "Bytes of bodies that comparing took.", ({ bytes }) => bytes],
    [
      "scrubbed_bytes",
      "Bytes of an archive's lists and objects that were read over and over.",
      (comparison) => comparison.scrubbed_bytes,
    ],
  ];
  for (const [name, help, value] of counters)
    new Counter({
      name: `kattegat_compare_${name}_total`,
      help,
      labelNames: ["target"],
      registers: [registry],
      collect() {
        this.reset();
        for (const [target, comparison] of comparisons()) this.inc({ target }, value(comparison));
      },
    });
  const gauges: readonly (readonly [string, string, (comparison: Comparison) => number])[] = [
    [
      "unhealed",
      "Faults of the last round that repairs have not healed, or that the log cannot name.",
      ({ unhealed }) => unhealed,
    ],
    [
      "unread",
      "Documents that differ and could not be read when they were last asked for.",
      ({ unread }) => unread,
    ],
  ];
  for (const [name, help, value] of gauges)
    new Gauge({
      name: `kattegat_compare_${name}`,
      help,
      labelNames: ["target"],
      registers: [registry],
      collect() {
        for (const [target, comparison] of comparisons()) this.set({ target }, value(comparison));
      },
    });
}

/** A site has a second stream while a model is being prepared, which alone is told by its model. */
function labelsOf({ site, model, is_next: isNext }: StreamStatus): { target: string; model?: string } {
  return isNext ? { target: site, model } : { target: site };
}

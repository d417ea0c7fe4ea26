/** Prometheus metrics of the streams. */
import { Counter, Gauge, Registry, collectDefaultMetrics } from "prom-client";
import type { StreamStatus } from "./stream-status.ts";

/** Values are read when they are asked for, so a stream knows nothing of metrics. Labels hold sites only: an id would leak. */
export function createMetrics(streams: () => readonly StreamStatus[]): Registry {
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
  counter("retries", "Attempts that failed and were made again.", ({ retries }) => retries);
  return registry;
}

/** A site has a second stream while a model is being prepared, which alone is told by its model. */
function labelsOf({ site, model, is_next: isNext }: StreamStatus): { target: string; model?: string } {
  return isNext ? { target: site, model } : { target: site };
}

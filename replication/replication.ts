/** The streams of all targets side by side. */
import { createConfirmer } from "./confirmer.ts";
import { createPulse } from "./pulse.ts";
import type { Primary } from "./primary.ts";
import { createReadAhead } from "./read-ahead.ts";
import { createRemoval } from "./removal.ts";
import { runStream, type StreamOptions } from "./run-stream.ts";
import { createStreamMonitor, logFields, type MonitorOptions, type StreamStatus } from "./stream-status.ts";
import type { Target } from "./target.ts";
import { createTimeline } from "./timeline.ts";

export interface Replication {
  status(): readonly StreamStatus[];
  /** Resolves when the signal has aborted, after every stream has let go of its target. */
  run(signal: AbortSignal): Promise<void>;
}

/** Streams share the timeline only; what stops one leaves the others alone. */
export function createReplication(options: {
  readonly targets: readonly Target[];
  readonly primary: Primary;
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: StreamOptions["sleep"];
  readonly log: MonitorOptions["log"];
  /** Hears the epoch of each answer of the feed. */
  readonly epochSeen: (epoch: number) => void;
}): Replication {
  const { primary, now, random, sleep, log } = options;
  const timeline = createTimeline();
  const streams = options.targets.map((target) => {
    const pulse = createPulse({
      probe: (signal) => (target.probe ?? target.watermark)(signal),
      sleep,
      changed(answers, error) {
        if (answers) log.info(logFields(target), "answers again");
        else log.warn({ ...logFields(target), err: error }, "does not answer");
        confirmer.poke();
      },
    });
    const removal = createRemoval({
      removed: (signal) => target.removed(signal),
      sleep,
      changed: () => confirmer.poke(),
    });
    const monitor = createStreamMonitor({
      target,
      timeline,
      now,
      log,
      answers: pulse.answers,
      removed: removal.latest,
      changed: () => confirmer.poke(),
    });
    const confirmer = createConfirmer({
      primary,
      status: monitor.status,
      parking: monitor.parking,
      sleep,
      failed: (error) => log.warn({ ...logFields(target), err: error }, "confirm failed"),
    });
    const observer: StreamOptions["observer"] = {
      ...monitor,
      read(answer) {
        options.epochSeen(answer.head.epoch);
        target.upkeep?.heard(answer.head);
        monitor.read(answer);
      },
    };
    const feed = createReadAhead(primary, sleep);
    return { target, feed, monitor, confirmer, observer, pulse, removal };
  });
  return {
    status: () => streams.map(({ monitor }) => monitor.status()),
    async run(signal) {
      await Promise.all(
        streams.flatMap(({ target, feed, confirmer, observer, pulse, removal }) => [
          runStream({ target, feed, random, sleep, observer }, signal),
          confirmer.run(signal),
          pulse.run(signal),
          removal.run(signal),
          target.upkeep?.run(signal),
        ]),
      );
    },
  };
}

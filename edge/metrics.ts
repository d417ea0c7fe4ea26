/** Counters of this isolate in Prometheus' text form. */

/** Upper bounds in seconds: the tiers' promises are among them. */
const SECONDS_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10] as const;
/** Label values come from closed lists; a bound in case one does not. */
const SERIES_MAX = 2_000;

type Labels = Readonly<Record<string, string>>;

export interface Metrics {
  count(name: CounterName, labels: Labels): void;
  observe(name: HistogramName, labels: Labels, seconds: number): void;
  /** The exposition; gauges are read at that moment. */
  render(gauges: readonly Gauge[]): string;
}

export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly value: number;
  readonly labels?: Labels;
}

const COUNTERS = {
  kattegat_edge_requests_total: "Requests answered, by route and status.",
  kattegat_edge_tier_reports_total: "Tiers asked, by site, tier, status and cache.",
  kattegat_edge_partial_answers_total: "Searches answered without a site that was asked.",
} as const;
type CounterName = keyof typeof COUNTERS;

const HISTOGRAMS = {
  kattegat_edge_request_seconds: "Time to the answer's first byte, by route.",
  kattegat_edge_tier_seconds: "Time that a site took, by site and tier.",
} as const;
type HistogramName = keyof typeof HISTOGRAMS;

interface Observed {
  readonly buckets: number[];
  sum: number;
  count: number;
}

export function createMetrics(): Metrics {
  const counters = new Map<string, number>();
  const histograms = new Map<string, Observed>();
  const isRoom = (key: string, series: ReadonlyMap<string, unknown>): boolean =>
    series.has(key) || series.size < SERIES_MAX;
  return {
    count(name, labels) {
      const key = `${name}${braces(labels)}`;
      if (isRoom(key, counters)) counters.set(key, (counters.get(key) ?? 0) + 1);
    },
    observe(name, labels, seconds) {
      const key = `${name} ${inner(labels)}`;
      if (!isRoom(key, histograms)) return;
      const observed = histograms.get(key) ?? { buckets: SECONDS_BUCKETS.map(() => 0), sum: 0, count: 0 };
      histograms.set(key, observed);
      observed.sum += seconds;
      observed.count += 1;
      for (const [index, bound] of SECONDS_BUCKETS.entries()) {
        if (seconds <= bound) observed.buckets[index] = (observed.buckets[index] ?? 0) + 1;
      }
    },
    render(gauges) {
      const lines: string[] = [];
      for (const [name, help] of Object.entries(COUNTERS)) {
        lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} counter`);
        for (const [key, value] of counters) if (nameOf(key) === name) lines.push(`${key} ${value}`);
      }
      for (const [name, help] of Object.entries(HISTOGRAMS)) {
        lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} histogram`);
        for (const [key, observed] of histograms) {
          if (nameOf(key) === name) lines.push(...histogramLines(name, key.slice(name.length + 1), observed));
        }
      }
      for (const [name, group] of Map.groupBy(gauges, (gauge) => gauge.name)) {
        lines.push(`# HELP ${name} ${group[0]?.help ?? ""}`, `# TYPE ${name} gauge`);
        for (const { value, labels } of group) lines.push(`${name}${braces(labels ?? {})} ${value}`);
      }
      return `${lines.join("\n")}\n`;
    },
  };
}

function histogramLines(name: string, labels: string, { buckets, sum, count }: Observed): string[] {
  const beside = labels === "" ? "" : `${labels},`;
  const around = labels === "" ? "" : `{${labels}}`;
  return [
    ...SECONDS_BUCKETS.map((bound, index) => `${name}_bucket{${beside}le="${bound}"} ${buckets[index] ?? 0}`),
    `${name}_bucket{${beside}le="+Inf"} ${count}`,
    `${name}_sum${around} ${sum}`,
    `${name}_count${around} ${count}`,
  ];
}

function nameOf(key: string): string {
  return /^[a-z_]+/.exec(key)?.[0] ?? "";
}

function braces(labels: Labels): string {
  const text = inner(labels);
  return text === "" ? "" : `{${text}}`;
}

function inner(labels: Labels): string {
  return Object.entries(labels)
    .map(
      ([name, value]) =>
        `${name}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`,
    )
    .join(",");
}

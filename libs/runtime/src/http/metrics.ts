import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Most different values of one label whose values come from outside; further ones are counted as `other`. */
export const labelValuesMax = 200;

/** Longest wait for gauges to be brought up to date, in milliseconds: Prometheus waits ten seconds for everything. */
const refreshTimeoutMs = 3_000;

/** Values of labels by name. */
export type Labels = Readonly<Record<string, string | number>>;

/** A number that only grows. */
export interface CounterMetric {
  readonly add: (labels?: Labels, count?: number) => void;
}
/** A number that goes up and down. */
export interface GaugeMetric {
  readonly set: (labels: Labels, value: number) => void;
  /** Forgets all values, before a whole set is written anew: what has none is not shown. */
  readonly reset: () => void;
}
/** Durations in seconds. */
export interface HistogramMetric {
  readonly observe: (labels: Labels, seconds: number) => void;
}

/** What a process counts about itself, in Prometheus' text format. */
export interface Metrics {
  readonly counter: (name: string, help: string, labels?: readonly string[]) => CounterMetric;
  readonly gauge: (name: string, help: string, labels?: readonly string[]) => GaugeMetric;
  readonly histogram: (
    name: string,
    help: string,
    labels: readonly string[],
    buckets: readonly number[],
  ) => HistogramMetric;
  /** Called before each reading, to bring gauges up to date. When it fails, `tocsin_metrics_complete` is 0. */
  readonly beforeRead: (refresh: () => Promise<void>) => void;
  readonly read: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

/**
 * Makes the metrics of one process, beside the usual ones of Node (`process_*`, `nodejs_*`). Names follow
 * https://prometheus.io/docs/practices/naming/: prefix `tocsin_`, base units, `_total` for counters.
 */
export const createMetrics = (): Metrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const refreshes: (() => Promise<void>)[] = [];
  const bounded = boundLabels();
  const complete = new Gauge({
    name: 'tocsin_metrics_complete',
    help: '1 when every gauge below is of now; 0 when the database could not be asked, and some are older.',
    registers: [registry],
  });
  return {
    counter: (name, help, labels = []) => {
      const counter = new Counter({ name, help, labelNames: [...labels], registers: [registry] });
      return {
        add: (values = {}, count = 1) => {
          counter.inc(bounded(name, values), count);
        },
      };
    },
    gauge: (name, help, labels = []) => {
      const gauge = new Gauge({ name, help, labelNames: [...labels], registers: [registry] });
      const forget = (): void => (labels.length === 0 ? gauge.remove() : gauge.reset());
      // What is not known yet is not shown: a zero would be taken for what was seen.
      forget();
      return {
        set: (values, value) => {
          gauge.set(bounded(name, values), value);
        },
        reset: forget,
      };
    },
    histogram: (name, help, labels, buckets) => {
      const histogram = new Histogram({
        name,
        help,
        labelNames: [...labels],
        buckets: [...buckets],
        registers: [registry],
      });
      return {
        observe: (values, seconds) => {
          histogram.observe(bounded(name, values), seconds);
        },
      };
    },
    beforeRead: (refresh) => {
      refreshes.push(refresh);
    },
    read: async () => {
      complete.set((await withinTime(Promise.allSettled(refreshes.map((refresh) => refresh())))) ? 1 : 0);
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
};

/** Whether all of them went well, and in time. One that is late may still end; its gauges are then shown the next time. */
const withinTime = async (refreshed: Promise<readonly PromiseSettledResult<void>[]>): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), refreshTimeoutMs);
  });
  const done = refreshed.then((results) => results.every(({ status }) => status === 'fulfilled'));
  return Promise.race([done, late]).finally(() => clearTimeout(timer));
};

/** Job types and table names come from outside: a metric must not grow without end because of them. */
const boundLabels = (): ((metric: string, labels: Labels) => Record<string, string | number>) => {
  const seen = new Map<string, Set<string>>();
  return (metric, labels) =>
    Object.fromEntries(
      Object.entries(labels).map(([label, value]) => {
        const slot = `${metric} ${label}`;
        const values = seen.get(slot) ?? new Set<string>();
        seen.set(slot, values);
        const text = String(value);
        if (values.has(text)) return [label, value];
        if (values.size >= labelValuesMax) return [label, 'other'];
        values.add(text);
        return [label, value];
      }),
    );
};

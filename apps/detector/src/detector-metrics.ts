import { canaryTable } from '@tocsin/alert-model';
import type { FailureKind, FailureSignal, SuccessSignal } from '@tocsin/alert-model';
import type { CounterMetric, GaugeMetric, Metrics } from '@tocsin/runtime';

/** What a job did, in the words that job systems use for it. */
export type JobEvent = Exclude<FailureKind, 'dead'> | 'dead_lettered' | 'succeeded' | 'retried';

/** What the detector counts about its work. */
export interface DetectorMetrics {
  /** An outcome or a condition that this process was the first to announce, a success it sent, a job its janitor requeued. */
  readonly jobEvent: (event: JobEvent, jobType: string) => void;
  readonly polled: (table: string, result: 'ok' | 'failed') => void;
  /** A table was read to the end: nothing that was to be seen is left. */
  readonly readToEnd: (table: string) => void;
  /** How far the cursor of a table is behind the database's clock, in seconds. */
  readonly cursorLag: (table: string, seconds: number) => void;
}

/** For a detector that nobody asks. */
export const noMetrics: DetectorMetrics = {
  jobEvent: () => {},
  polled: () => {},
  readToEnd: () => {},
  cursorLag: () => {},
};

/** Counts failures and conditions; a failure that Tocsin makes itself is none of anybody's jobs. */
export const countFailures = (
  metrics: DetectorMetrics,
  signals: readonly Pick<FailureSignal, 'table' | 'kind' | 'jobType'>[],
): void => {
  for (const { table, kind, jobType } of signals)
    if (table !== canaryTable) metrics.jobEvent(kind === 'dead' ? 'dead_lettered' : kind, jobType);
};

/** Counts successes that were sent because an open alert waits for them. */
export const countSuccesses = (
  metrics: DetectorMetrics,
  signals: readonly Pick<SuccessSignal, 'table' | 'jobType'>[],
): void => {
  for (const { table, jobType } of signals) if (table !== canaryTable) metrics.jobEvent('succeeded', jobType);
};

/** What the table says of a job at such an event. */
const statusOf = (event: JobEvent): string => {
  switch (event) {
    case 'failed':
      return 'failed';
    case 'dead_lettered':
      return 'dead';
    case 'succeeded':
    case 'partial':
      return 'succeeded';
    case 'stuck':
    case 'zero_throughput':
      return 'running';
    case 'stalled':
    case 'retried':
      return 'pending';
    case 'overdue':
    case 'deadline':
    case 'unhealthy':
      return 'none';
    default:
      return event satisfies never;
  }
};

/** Makes them; see docs/telemetry.md for every name. */
export const createDetectorMetrics = (metrics: Metrics): DetectorMetrics => {
  const jobEvents: CounterMetric = metrics.counter(
    'tocsin_job_events_total',
    'What jobs did, as far as Tocsin tells of it, by event, job type and status of the row.',
    ['event', 'job_type', 'status'],
  );
  const polls: CounterMetric = metrics.counter('tocsin_detector_polls_total', 'Looks at a watched table.', [
    'table',
    'result',
  ]);
  const lastPoll: GaugeMetric = metrics.gauge(
    'tocsin_detector_last_poll_timestamp_seconds',
    'When a watched table was last read to the end.',
    ['table'],
  );
  const lag: GaugeMetric = metrics.gauge(
    'tocsin_detector_cursor_lag_seconds',
    'How far the cursor of a watched table is behind the clock of its database.',
    ['table'],
  );
  return {
    jobEvent: (event, jobType) => jobEvents.add({ event, job_type: jobType, status: statusOf(event) }),
    polled: (table, result) => polls.add({ table, result }),
    readToEnd: (table) => lastPoll.set({ table }, Date.now() / 1_000),
    cursorLag: (table, seconds) => lag.set({ table }, seconds),
  };
};

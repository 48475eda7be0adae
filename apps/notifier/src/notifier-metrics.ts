import { auditChecks } from '@tocsin/alert-service';
import type { ServiceObserver } from '@tocsin/alert-service';
import type { CounterMetric, GaugeMetric, HistogramMetric, Metrics, Queryable } from '@tocsin/runtime';
import type { SelfWatchStatus } from './self-watch/self-watch.ts';

/** Bounds of the buckets for how long a provider takes, in seconds. */
const durationBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;
/** Gauges that need the database are read at most this often, in milliseconds, however often somebody asks. */
const refreshEveryMs = 10_000;

/** Unaccounted failures counted one by one. */
const unaccountedMax = 100_000;

/** What the notifier counts about its work. */
export interface NotifierMetrics {
  readonly signalsIngested: CounterMetric;
  readonly alertsOpened: CounterMetric;
  readonly alertsResolved: CounterMetric;
  readonly digestsSealed: CounterMetric;
  readonly attempts: CounterMetric;
  readonly attemptSeconds: HistogramMetric;
  readonly providerEvents: CounterMetric;
  readonly auditClean: GaugeMetric;
  readonly auditProblems: GaugeMetric;
  readonly deadmanPinged: GaugeMetric;
  readonly canarySeconds: GaugeMetric;
  readonly canaryArrived: GaugeMetric;
}

// Open alerts are few next to resolved ones; index alerts_open_by_id holds just those.
const openText = `
select state, severity, count(*)::integer as count
from tocsin.alerts
where state <> 'resolved' and key <> 'job/tocsin/canary'
group by state, severity`;
// Of index outcomes_unaccounted. More than so many are as bad as any number, and counting them would take its time.
const unaccountedText = `
select count(*)::integer as count
from (select from tocsin.outcomes where disposition is null limit ${unaccountedMax}) as outcomes`;
const channelsText = `
select channel, parked_at is not null as parked, coalesce(open_until > clock_timestamp(), false) as open
from tocsin.channel_states
-- Names with a blank are turns to try a channel again, not channels.
where channel not like '% %'`;

/**
 * Makes them; see docs/telemetry.md for every name.
 *
 * @param database for the gauges that are read from tables
 */
export const createNotifierMetrics = (
  metrics: Metrics,
  database: Queryable,
  monotonicMs: () => number = () => performance.now(),
): NotifierMetrics => {
  const open = metrics.gauge('tocsin_alerts_open', 'Open alerts.', ['state', 'severity']);
  const unaccounted = metrics.gauge(
    'tocsin_failures_unaccounted',
    'Failures that were announced and of which no notifier has decided yet; more than a few for long is a problem.',
  );
  const parked = metrics.gauge('tocsin_channel_parked', '1 while a channel is parked.', ['channel']);
  const circuit = metrics.gauge('tocsin_channel_circuit_open', '1 while nothing is tried on a channel.', ['channel']);
  const refresh = async (): Promise<void> => {
    const alerts = await database.query<{ state: string; severity: string; count: number }>(openText);
    const left = await database.query<{ count: number }>(unaccountedText);
    const channels = await database.query<{ channel: string; parked: boolean; open: boolean }>(channelsText);
    open.reset();
    for (const { state, severity, count } of alerts.rows) open.set({ state, severity }, count);
    unaccounted.set({}, left.rows[0]?.count ?? 0);
    parked.reset();
    circuit.reset();
    for (const state of channels.rows) {
      parked.set({ channel: state.channel }, Number(state.parked));
      circuit.set({ channel: state.channel }, Number(state.open));
    }
  };
  let last: { readonly atMs: number; readonly refreshed: Promise<void> } | null = null;
  // What is asked for often, or by several at once, is read once; an error is an error for all of them.
  metrics.beforeRead(() => {
    if (last === null || monotonicMs() - last.atMs >= refreshEveryMs)
      last = { atMs: monotonicMs(), refreshed: refresh() };
    return last.refreshed;
  });
  return {
    signalsIngested: metrics.counter(
      'tocsin_signals_ingested_total',
      'Signals taken into the log, by what became of them.',
      ['result'],
    ),
    alertsOpened: metrics.counter('tocsin_alerts_opened_total', 'Alerts opened by this process.', ['severity']),
    alertsResolved: metrics.counter('tocsin_alerts_resolved_total', 'Alerts resolved by this process.', ['reason']),
    digestsSealed: metrics.counter('tocsin_digests_sealed_total', 'Digests sealed by this process.', [
      'route',
      'purpose',
    ]),
    attempts: metrics.counter('tocsin_delivery_attempts_total', 'Attempts at a provider.', [
      'channel',
      'outcome',
      'reason',
    ]),
    attemptSeconds: metrics.histogram(
      'tocsin_delivery_duration_seconds',
      'How long attempts at a provider took.',
      ['channel'],
      durationBuckets,
    ),
    providerEvents: metrics.counter('tocsin_provider_events_total', "Events of a provider's webhook.", [
      'provider',
      'event',
    ]),
    auditClean: metrics.gauge('tocsin_audit_clean', '1 when the last audit found nothing.'),
    auditProblems: metrics.gauge('tocsin_audit_problems', 'What the last audit found, by check.', ['check']),
    deadmanPinged: metrics.gauge(
      'tocsin_deadman_last_ping_timestamp_seconds',
      "When the dead-man's switch was last told that all is well.",
    ),
    canarySeconds: metrics.gauge('tocsin_canary_seconds', 'How long the last canary took from table to outbox.'),
    canaryArrived: metrics.gauge('tocsin_canary_last_timestamp_seconds', 'When the last canary arrived.'),
  };
};

/** Counts what the service does. */
export const observerOf = (metrics: NotifierMetrics): ServiceObserver => ({
  ingested: (result) => {
    for (const [name, count] of Object.entries(result))
      if (count > 0) metrics.signalsIngested.add({ result: name }, count);
  },
  decided: (decided) => {
    for (const { decision, version, severity, reason } of decided) {
      if (version === 1) metrics.alertsOpened.add({ severity: severity ?? 'error' });
      if (decision === 'AlertResolved')
        metrics.alertsResolved.add({ reason: reason.startsWith('resolved by ') ? 'operator' : reason });
    }
  },
  sealed: ({ route, purpose }) => metrics.digestsSealed.add({ route, purpose }),
  attempted: (channel, outcome, tookMs) => {
    const reason = outcome.outcome === 'accepted' ? '' : outcome.reason;
    metrics.attempts.add({ channel, outcome: outcome.outcome, reason });
    metrics.attemptSeconds.observe({ channel }, tookMs / 1_000);
  },
});

/** Shows what the watch over Tocsin itself last saw. */
export const showSelfWatch = (metrics: NotifierMetrics, status: SelfWatchStatus): void => {
  const { audit, deadmanPingedAtMs, canaryTookMs, canaryArrivedAtMs } = status;
  if (audit !== null) {
    metrics.auditClean.set({}, Number(audit.clean));
    metrics.auditProblems.reset();
    for (const check of auditChecks)
      metrics.auditProblems.set({ check }, audit.problems.find((problem) => problem.check === check)?.count ?? 0);
  }
  if (deadmanPingedAtMs !== null) metrics.deadmanPinged.set({}, deadmanPingedAtMs / 1_000);
  if (canaryTookMs !== null) metrics.canarySeconds.set({}, canaryTookMs / 1_000);
  if (canaryArrivedAtMs !== null) metrics.canaryArrived.set({}, canaryArrivedAtMs / 1_000);
};

import type { SuccessSignal } from '@tocsin/alert-model';
import { compareInstants, stepName } from '@tocsin/alert-model';
import type { WatchedAlert } from '@tocsin/event-store';
import { findSuccesses, watchedWorkMax } from '@tocsin/job-sources';
import type { FoundSuccess, JobSource, WatchedWork } from '@tocsin/job-sources';
import { countSuccesses } from './detector-metrics.ts';
import type { DetectorContext, DetectorSession } from './detector-ports.ts';
import { enqueueSignals } from './send-failures.ts';
import type { TableState, WatchedAlertStep } from './table-state.ts';

/** Open alerts loaded by one statement. */
export const alertsPerPageMax = 500;
/** Steps looked up in one poll; open alerts beyond take their turn in the next ones. */
const stepsPerLookMax = 10_000;
/** A success that an alert does not know of is sent again after this long, in milliseconds. */
const successResendAfterMs = 600_000;

/**
 * Looks whether the work that open alerts wait for has succeeded since, and sends what is news to the alert. Goes through
 * the open alerts in turn, at most once round and at most `stepsPerLookMax` steps.
 *
 * @param alongside run in the first transaction, so that heartbeat and cursor cost no transaction of their own
 * @param stepsMax steps looked up; default `stepsPerLookMax`
 * @returns how many signals were sent
 */
export const lookForSuccesses = async (
  context: DetectorContext,
  state: TableState,
  source: JobSource,
  alongside: (session: DetectorSession) => Promise<void>,
  stepsMax = stepsPerLookMax,
): Promise<number> => {
  const { successes } = state;
  const news: News = new Map();
  let extra: typeof alongside | null = alongside;
  let left = stepsMax;
  let roundDone = false;
  while (left > 0 && !roundDone) {
    if (successes.page === null || extra !== null) {
      const wanted = successes.page === null;
      const alerts = await context.store.transaction('detector.watch', async (session) => {
        await extra?.(session);
        return wanted ? session.watchedAlerts(successes.after, alertsPerPageMax) : [];
      });
      extra = null;
      if (wanted) {
        successes.lastPage = alerts.length < alertsPerPageMax;
        successes.after = successes.lastPage ? null : (alerts.at(-1)?.id ?? null);
        successes.page = stepsOf(alerts);
      }
    }
    const chunk = take(successes.page, Math.min(left, watchedWorkMax));
    if (chunk.exhausted) {
      successes.page = null;
      roundDone = successes.lastPage;
    }
    left -= Math.max(1, chunk.steps.length);
    const found = await findSuccesses(state.table.pool, source, chunk.steps.map(workOf));
    keepNews(context, state, chunk.steps, found, news);
  }
  return sendSuccesses(context, state, source, news);
};

/** Successes that are news to some alert: the signal, and the alerts it is news to. */
export type News = Map<string, { readonly signal: SuccessSignal; readonly told: readonly string[] }>;

/** Adds those successes that their alerts do not know of yet. */
export const keepNews = (
  context: DetectorContext,
  state: TableState,
  steps: readonly WatchedAlertStep[],
  found: readonly FoundSuccess[],
  news: News,
): void => {
  for (const { n, signal } of found) {
    const step = steps[n];
    if (step === undefined || !isNews(context, state, step, signal)) continue;
    const told = news.get(signal.outcomeId)?.told ?? [];
    news.set(signal.outcomeId, { signal, told: [...told, sentKey(step.alert, signal)] });
  }
};

/** Sends successes, oldest first, and remembers to whom they were news; answers how many. */
export const sendSuccesses = async (
  context: DetectorContext,
  { successes }: TableState,
  source: JobSource,
  news: News,
): Promise<number> => {
  if (news.size === 0) return 0;
  const signals = [...news.values()]
    .map(({ signal }) => signal)
    .toSorted((a, b) => compareInstants(a.finishedAt, b.finishedAt));
  await context.store.transaction('detector.successes', (session) => enqueueSignals(context, session, signals));
  for (const key of [...news.values()].flatMap(({ told }) => told)) successes.sent.set(key, context.monotonicMs());
  countSuccesses(context.metrics, signals);
  context.log.info(
    {
      decision: 'SuccessesSent',
      reason: 'an open alert waits for this work',
      table: source.name,
      sent: signals.length,
    },
    'successes sent',
  );
  return signals.length;
};

/** The steps an alert waits for: those that owe a success, and every step of its chain when the chain is known. */
export function* stepsOf(alerts: readonly WatchedAlert[]): Generator<WatchedAlertStep> {
  for (const alert of alerts) {
    const steps = new Map(Object.values(alert.owed).map(({ step }) => [stepName(step), step]));
    for (const step of alert.chain?.steps ?? []) steps.set(stepName(step), step);
    for (const { jobType, targetId } of steps.values())
      // A step of a chain without a target runs once, whatever target its row names.
      yield { alert, jobType, targetId, anyTarget: alert.chain !== null && targetId === null };
  }
}

/** A step, as the job table is asked about it. */
export const workOf = ({ alert, jobType, targetId, anyTarget }: WatchedAlertStep): WatchedWork => ({
  source: alert.source,
  jobType,
  target: anyTarget ? 'any' : { id: targetId },
  since: alert.firstFailedAt,
});

const take = (
  steps: Iterator<WatchedAlertStep> | null,
  max: number,
): { readonly steps: readonly WatchedAlertStep[]; readonly exhausted: boolean } => {
  const taken: WatchedAlertStep[] = [];
  while (taken.length < max) {
    const next = steps?.next();
    if (next === undefined || next.done === true) return { steps: taken, exhausted: true };
    taken.push(next.value);
  }
  return { steps: taken, exhausted: false };
};

const isNews = (
  context: DetectorContext,
  state: TableState,
  step: WatchedAlertStep,
  signal: SuccessSignal,
): boolean => {
  const seen = step.alert.successes[signal.run ?? '']?.[stepName(step)];
  if (seen !== undefined && compareInstants(seen, signal.finishedAt) >= 0) return false;
  const sentMs = state.successes.sent.get(sentKey(step.alert, signal));
  return sentMs === undefined || context.monotonicMs() - sentMs >= successResendAfterMs;
};

const sentKey = (alert: WatchedAlert, signal: SuccessSignal): string => `${alert.id} ${signal.outcomeId}`;

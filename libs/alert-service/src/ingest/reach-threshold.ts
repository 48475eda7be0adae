import { addMs, isAfter, judgeThreshold, thresholdNote } from '@tocsin/alert-model';
import type { Classification, FailureSignal, Instant, Threshold } from '@tocsin/alert-model';
import { jobOf, outcomeOf } from './ingestion.ts';
import type { Ingestion, KnownFailure } from './ingestion.ts';

/**
 * How much later a failure may be heard of than one that followed it, in milliseconds. A failure that does not count any
 * more is kept so much longer, for one of before that may still come and count with it.
 */
const lateByMaxMs = 3_600_000;

/**
 * Counts a failure together with those of its key that wait. Answers those that are told now, the failure last: none while
 * the threshold is not reached. They wait no more. Called for the failures of a key in the order of their times.
 */
export const reachThreshold = (
  ingestion: Ingestion,
  failure: KnownFailure,
  { rule, threshold }: NonNullable<Classification['threshold']>,
): readonly KnownFailure[] => {
  const { key } = failure.classification;
  const earlier = ingestion.waiting.get(key) ?? [];
  if (!failure.held) ingestion.judged.add(key);
  // Those that wait from before were judged when they came; nothing has changed before the first of this batch.
  const verdict =
    ingestion.judged.has(key) && isWithinReach(threshold, earlier.length + 1)
      ? judgeThreshold(threshold, failure.signal, earlier.map(signalOf))
      : null;
  const { kept, dropped } = split(earlier, new Set(verdict?.drop ?? []), addMs(failure.signal.failedAt, -lateByMaxMs));
  for (const one of dropped) letGo(ingestion, one, rule);
  if (verdict?.tell !== true) {
    ingestion.waiting.set(key, kept);
    return [];
  }
  const told = new Set(verdict.with.map(({ outcomeId }) => outcomeId));
  ingestion.waiting.set(
    key,
    kept.filter(({ signal }) => !told.has(signal.outcomeId)),
  );
  return [
    ...kept.filter(({ signal }) => told.has(signal.outcomeId)),
    { ...failure, signal: noted(failure.signal, thresholdNote(threshold, rule, verdict)) },
  ];
};

/** Puts what waits at the end of the batch on record, and lets go of what waits no more. */
export const keepWaiting = async ({ context, session, waiting, released, outcomes }: Ingestion): Promise<number> => {
  const fresh = [...waiting.values()].flat().filter(({ held }) => !held);
  for (const { signal } of fresh) outcomes.push(outcomeOf(signal, null, 'held'));
  await session.holdFailures(
    fresh.map(({ signal, classification }) => ({
      key: classification.key,
      rule: classification.threshold?.rule ?? '',
      signal,
    })),
  );
  await session.releaseHeld(released);
  for (const [key, failures] of waiting) {
    const held = failures.filter(({ held: before }) => !before);
    const newest = failures.at(-1);
    const limit = newest?.classification.threshold ?? null;
    if (held.length === 0 || newest === undefined || limit === null) continue;
    const { words } = judgeThreshold(limit.threshold, newest.signal, failures.slice(0, -1).map(signalOf));
    context.log.info(
      {
        decision: 'FailureHeld',
        reason: `${limit.rule}: ${words}`,
        key,
        failures: held.length,
        job: jobOf(newest.signal),
      },
      'failures below their threshold',
    );
  }
  return fresh.length;
};

const signalOf = ({ signal }: KnownFailure): FailureSignal => signal;

/** Whether so many failures can reach a threshold at all, which saves looking at each of them. */
const isWithinReach = (threshold: Threshold, failures: number): boolean =>
  threshold.kind === 'ratio' ? failures > threshold.over * threshold.atLeast : failures >= threshold.failures;

const split = (
  waiting: readonly KnownFailure[],
  drop: ReadonlySet<string>,
  before: Instant,
): { readonly kept: KnownFailure[]; readonly dropped: readonly KnownFailure[] } => {
  const isOver = ({ signal }: KnownFailure): boolean => drop.has(signal.outcomeId) && isAfter(before, signal.failedAt);
  return { kept: waiting.filter((one) => !isOver(one)), dropped: waiting.filter(isOver) };
};

const letGo = ({ context, outcomes, released }: Ingestion, { signal, held }: KnownFailure, rule: string): void => {
  if (held) released.push(signal.outcomeId);
  outcomes.push(outcomeOf(signal, null, 'ignored'));
  context.log.info(
    { decision: 'FailureIgnored', reason: `${rule}: its threshold was not reached`, job: jobOf(signal) },
    'failure ignored by rule',
  );
};

const noted = (signal: FailureSignal, note: string): FailureSignal => ({ ...signal, notes: [note, ...signal.notes] });

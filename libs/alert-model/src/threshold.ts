import type { Instant, OutcomeId } from './ids.ts';
import { compareInstants, isAfter, later, msBetween } from './instant.ts';
import { forHumans } from './for-humans.ts';
import type { Threshold } from './policy.ts';
import type { FailureSignal } from './signal.ts';

/** What a threshold makes of one more failure of a key that has no open alert. */
export type ThresholdVerdict =
  | {
      readonly tell: true;
      /** Held failures that are told together with it, oldest first. */
      readonly with: readonly FailureSignal[];
      /** Held failures that count no more and will never be told. */
      readonly drop: readonly OutcomeId[];
      /** `3 failures in a row`. */
      readonly words: string;
    }
  | {
      readonly tell: false;
      readonly drop: readonly OutcomeId[];
      /** How far it is, `2 of 3 in a row`. */
      readonly words: string;
    };

/**
 * Whether a failure reaches the threshold of its rule, counted together with those held back before. Pure, and the same
 * in whatever order the failures were heard of: what counts is when they failed and which successes lie between.
 *
 * - in a row: failures after the latest success that any of them knows of.
 * - count: failures at most `withinMs` before the newest one.
 * - ratio: share of failures among those and the successes that the newest one knows of in that time.
 *
 * @param held failures of the same key held back before, in any order
 */
export const judgeThreshold = (
  threshold: Threshold,
  signal: FailureSignal,
  held: readonly FailureSignal[],
): ThresholdVerdict => {
  const all = [...held.filter(({ outcomeId }) => outcomeId !== signal.outcomeId), signal].toSorted(byTime);
  const counts = counting(threshold, all);
  const counted = all.filter(counts);
  const earlier = counted.filter((one) => one !== signal);
  const drop = all.filter((one) => one !== signal && !counts(one)).map(({ outcomeId }) => outcomeId);
  // One that is older than what it would have to follow adds nothing; it waits, and is dropped with the next.
  return counts(signal) && isReached(threshold, counted)
    ? { tell: true, with: earlier, drop, words: reachedWords(threshold, counted) }
    : { tell: false, drop, words: heldWords(threshold, counted) };
};

/** What is said of the failure that reaches a threshold: `3 failures in a row; rules[0] tells from the third.` */
export const thresholdNote = (threshold: Threshold, rule: string, verdict: { readonly words: string }): string => {
  switch (threshold.kind) {
    case 'in-a-row':
      return `${verdict.words}; ${rule} tells from the ${ordinal(threshold.failures)}.`;
    case 'count':
      return `${verdict.words}; ${rule} tells from ${threshold.failures} within ${forHumans(threshold.withinMs)}.`;
    case 'ratio':
      return `${verdict.words}; ${rule} tells above ${percent(threshold.over)} of at least ${threshold.atLeast}.`;
    default:
      return threshold satisfies never;
  }
};

const byTime = (a: FailureSignal, b: FailureSignal): number =>
  compareInstants(a.failedAt, b.failedAt) || (a.outcomeId < b.outcomeId ? -1 : a.outcomeId > b.outcomeId ? 1 : 0);

/** Which failures count, out of all that are known, oldest first. */
const counting = (threshold: Threshold, all: readonly FailureSignal[]): ((one: FailureSignal) => boolean) => {
  if (threshold.kind === 'in-a-row') {
    const success = all
      .flatMap(({ history }) => history?.lastSuccessAt ?? [])
      .reduce<Instant | null>((last, at) => (last === null ? at : later(last, at)), null);
    return ({ failedAt }) => success === null || isAfter(failedAt, success);
  }
  const newest = all.at(-1);
  return ({ failedAt }) => newest === undefined || msBetween(failedAt, newest.failedAt) <= threshold.withinMs;
};

const isReached = (threshold: Threshold, counted: readonly FailureSignal[]): boolean => {
  if (threshold.kind !== 'ratio') return counted.length >= threshold.failures;
  const ended = counted.length + successesOf(counted);
  return ended >= threshold.atLeast && counted.length / ended > threshold.over;
};

/** Successes within the time of the threshold, as the newest failure knows them. */
const successesOf = (counted: readonly FailureSignal[]): number => counted.at(-1)?.history?.successes ?? 0;

const reachedWords = (threshold: Threshold, counted: readonly FailureSignal[]): string => {
  const failures = `${counted.length} ${counted.length === 1 ? 'failure' : 'failures'}`;
  if (threshold.kind === 'in-a-row') return `${failures} in a row`;
  const within = `within ${forHumans(threshold.withinMs)}`;
  return threshold.kind === 'count'
    ? `${failures} ${within}`
    : `${counted.length} of ${counted.length + successesOf(counted)} jobs failed ${within}`;
};

const heldWords = (threshold: Threshold, counted: readonly FailureSignal[]): string => {
  if (threshold.kind === 'in-a-row') return `${counted.length} of ${threshold.failures} in a row`;
  const within = `within ${forHumans(threshold.withinMs)}`;
  return threshold.kind === 'count'
    ? `${counted.length} of ${threshold.failures} ${within}`
    : `${counted.length} of ${counted.length + successesOf(counted)} jobs failed ${within}, ` +
        `${percent(threshold.over)} of at least ${threshold.atLeast} may`;
};

const percent = (share: number): string => `${Math.round(share * 1_000) / 10} %`;

const ordinals = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth'];
const ordinal = (count: number): string => ordinals[count - 1] ?? `${count}${suffix(count)}`;
const suffix = (count: number): string =>
  count % 100 > 10 && count % 100 < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][count % 10] ?? 'th');

import type { Instant } from './ids.ts';
import { compareInstants, later } from './instant.ts';
import type { Signal } from './signal.ts';

/**
 * Signals of one batch in the order in which they are to be taken: by the time they tell of, but the beginning of a
 * condition before its repair, and both before its end, whatever their clocks say.
 */
export const orderSignals = <Item extends Signal>(signals: readonly Item[]): readonly Item[] => {
  const begun = new Map<string, Instant>();
  const repaired = new Map<string, Instant>();
  for (const signal of signals) {
    if (signal.signal === 'FailureDetected') begun.set(signal.outcomeId, signal.failedAt);
    if (signal.signal === 'JobRepaired') repaired.set(signal.outcomeId, signal.actedAt);
  }
  const placeOf = (signal: Signal): Instant => {
    const before =
      signal.signal === 'ConditionEnded' || signal.signal === 'JobRepaired'
        ? [begun.get(signal.outcomeId), signal.signal === 'ConditionEnded' ? repaired.get(signal.outcomeId) : undefined]
        : [];
    return before.reduce<Instant>((place, at) => (at === undefined ? place : later(place, at)), timeOf(signal));
  };
  return signals
    .map((signal) => ({ signal, at: placeOf(signal) }))
    .toSorted((a, b) => compareInstants(a.at, b.at) || rank[a.signal.signal] - rank[b.signal.signal])
    .map(({ signal }) => signal);
};

const rank: Readonly<Record<Signal['signal'], number>> = {
  FailureDetected: 0,
  SuccessDetected: 1,
  JobRepaired: 2,
  ConditionEnded: 3,
};

const timeOf = (signal: Signal): Instant => {
  switch (signal.signal) {
    case 'FailureDetected':
      return signal.failedAt;
    case 'SuccessDetected':
      return signal.finishedAt;
    case 'JobRepaired':
      return signal.actedAt;
    case 'ConditionEnded':
      return signal.endedAt;
    default:
      return signal satisfies never;
  }
};

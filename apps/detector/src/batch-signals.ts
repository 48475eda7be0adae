import { signalsPerJobMax } from '@tocsin/alert-model';
import type { Signal, SignalBatch } from '@tocsin/alert-model';

/** Characters of JSON in one queue job, well below the queue's own limit of 4 million. */
const batchCharsMax = 1_000_000;

/** Signals as queue jobs, in order: at most `signalsPerJobMax` signals and about a million characters each. */
export const batchSignals = (signals: readonly Signal[]): readonly SignalBatch[] => {
  const batches: Signal[][] = [];
  let chars = 0;
  for (const signal of signals) {
    const length = JSON.stringify(signal).length;
    const open = batches.at(-1);
    if (open === undefined || open.length >= signalsPerJobMax || chars + length > batchCharsMax) {
      batches.push([signal]);
      chars = length;
    } else {
      open.push(signal);
      chars += length;
    }
  }
  return batches.map((batch) => ({ signals: batch }));
};

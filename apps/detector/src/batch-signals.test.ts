import { signalsPerJobMax } from '@tocsin/alert-model';
import type { FailureSignal, OutcomeId } from '@tocsin/alert-model';
import { expect, it } from 'vitest';
import { batchSignals } from './batch-signals.ts';

const signal = (n: number, chars: number): FailureSignal => ({
  v: 1,
  signal: 'FailureDetected',
  outcomeId: String(n) as OutcomeId,
  table: 'jobs',
  jobId: String(n),
  kind: 'failed',
  source: 'apple',
  jobType: 'refresh',
  targetId: null,
  attempts: 3,
  maxAttempts: 3,
  error: 'x'.repeat(chars),
  failedAt: '2026-03-01T03:00:00Z',
  run: null,
  runContext: null,
  counts: null,
  history: null,
  sourceSuccesses: null,
  details: null,
  notes: [],
  observedAt: '2026-03-01T03:00:00Z',
});

it('keeps the order and never puts more into one job than it may hold', () => {
  const signals = Array.from({ length: 2 * signalsPerJobMax + 1 }, (_, n) => signal(n, 10));
  const batches = batchSignals(signals);
  expect(batches.map(({ signals: batch }) => batch.length)).toEqual([signalsPerJobMax, signalsPerJobMax, 1]);
  expect(batches.flatMap(({ signals: batch }) => batch)).toEqual(signals);
});

it('begins another job when texts are long', () => {
  const batches = batchSignals(Array.from({ length: 5 }, (_, n) => signal(n, 400_000)));
  expect(batches.map(({ signals: batch }) => batch.length)).toEqual([2, 2, 1]);
});

it('makes no job of nothing', () => {
  expect(batchSignals([])).toEqual([]);
});

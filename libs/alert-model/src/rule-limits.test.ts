import { describe, expect, test } from 'vitest';
import { limitsFor } from './rule-limits.ts';
import type { Rule } from './policy.ts';

const rules = (...list: readonly Omit<Rule, 'name'>[]): readonly Rule[] =>
  list.map((rule, index) => ({ ...rule, name: `rules[${index}]` }));
const job = { source: 'documents', jobType: 'process_pdf', targetId: '7' };

describe('what the rules allow to a job', () => {
  test('is a learned limit, an hour of waiting, and to be told of its first failure, where no rule says so', () => {
    expect(limitsFor([], job)).toEqual({
      stuckAfter: { mode: 'auto', factor: 3, floorMs: 900_000 },
      stuckRule: 'default',
      stalledAfterMs: 3_600_000,
      stalledRule: null,
      noCompletionAfterMs: null,
      noCompletionRule: null,
      onStuck: { action: 'alert' },
      threshold: null,
      thresholdRule: null,
      groupBy: ['source', 'jobType', 'targetId'],
    });
  });

  test('is decided field by field by the first rule that matches and sets it', () => {
    const limits = limitsFor(
      rules(
        { match: { jobType: ['scrape_*'] }, stuckAfter: { mode: 'off' } },
        { match: { source: ['documents'] }, stalledAfterMs: 60_000, onStuck: { action: 'mark_dead' } },
        {
          match: {},
          stuckAfter: { mode: 'fixed', heartbeatMs: 900_000, updateMs: 300_000 },
          stalledAfterMs: 1,
          threshold: { kind: 'in-a-row', failures: 3 },
          groupBy: ['source', 'jobType'],
        },
      ),
      job,
    );
    expect(limits).toMatchObject({
      stuckAfter: { mode: 'fixed', heartbeatMs: 900_000, updateMs: 300_000 },
      stuckRule: 'rules[2]',
      stalledAfterMs: 60_000,
      stalledRule: 'rules[1]',
      onStuck: { action: 'mark_dead' },
      threshold: { kind: 'in-a-row', failures: 3 },
      thresholdRule: 'rules[2]',
      groupBy: ['source', 'jobType'],
    });
  });

  test('may be for ever: null set by a rule is not the default', () => {
    expect(limitsFor(rules({ match: {}, stalledAfterMs: null }), job)).toMatchObject({
      stalledAfterMs: null,
      stalledRule: 'rules[0]',
    });
  });

  test('is not decided by a rule for other kinds', () => {
    const limits = limitsFor(
      rules(
        { match: { kind: ['failed'] }, stuckAfter: { mode: 'off' }, stalledAfterMs: 1, noCompletionAfterMs: 1 },
        { match: { kind: ['stuck'] }, onStuck: { action: 'mark_dead' }, threshold: { kind: 'in-a-row', failures: 2 } },
        { match: { kind: ['zero_throughput'] }, noCompletionAfterMs: 7_200_000 },
      ),
      job,
    );
    expect(limits).toMatchObject({
      stuckRule: 'default',
      stalledRule: null,
      noCompletionAfterMs: 7_200_000,
      noCompletionRule: 'rules[2]',
      onStuck: { action: 'mark_dead' },
      threshold: null,
    });
  });

  test('of a threshold depends on the kind that failed', () => {
    const list = rules({ match: { kind: ['partial'] }, threshold: { kind: 'in-a-row', failures: 2 } });
    expect(limitsFor(list, job).threshold).toBeNull();
    expect(limitsFor(list, { ...job, kind: 'partial' }).thresholdRule).toBe('rules[0]');
  });
});

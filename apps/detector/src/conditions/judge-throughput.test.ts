import type { Rule } from '@tocsin/alert-model';
import { expect, it } from 'vitest';
import { judgeThroughput, typesWithThroughput } from './judge-throughput.ts';
import { minutesAgo, readAt, snapshot } from './snapshot.fixture.ts';

const rules: readonly Rule[] = [{ name: 'rules[0]', match: { jobType: ['import'] }, noCompletionAfterMs: 30 * 60_000 }];
const running = [
  snapshot({ id: 'a', startedAt: minutesAgo(50) }),
  snapshot({ id: 'b', startedAt: minutesAgo(10) }),
  snapshot({ id: 'c', jobType: 'export', startedAt: minutesAgo(500) }),
];
const judge = (endedAt: string | null, changes: Partial<Parameters<typeof judgeThroughput>[0]> = {}) =>
  judgeThroughput({
    running,
    readAt,
    rules,
    latestEnds: new Map(endedAt === null ? [] : [['apple\nimport', endedAt]]),
    ...changes,
  });

it('tells a type of which jobs run and none has ended for too long', () => {
  expect(judge(minutesAgo(45))).toMatchObject([
    {
      kind: 'zero_throughput',
      jobId: 'type:apple/import',
      targetId: null,
      at: minutesAgo(45),
      failedAt: minutesAgo(15),
      words: '2 jobs run and none has ended for 45 min; 30 min are allowed.',
    },
  ]);
});

it('counts from the start of the oldest job when none has ended since', () => {
  expect(judge(minutesAgo(90))[0]?.at).toBe(minutesAgo(50));
  expect(judge(null)[0]?.at).toBe(minutesAgo(50));
});

it('is content when a job has ended lately, when none runs, and where no rule asks', () => {
  expect(judge(minutesAgo(29))).toEqual([]);
  expect(judge(minutesAgo(45), { running: [] })).toEqual([]);
  expect(judge(minutesAgo(45), { rules: [] })).toEqual([]);
});

it('looks up only the types that a rule watches', () => {
  expect(typesWithThroughput(running, rules)).toEqual([{ source: 'apple', jobType: 'import' }]);
});

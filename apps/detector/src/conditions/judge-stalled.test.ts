import type { Rule } from '@tocsin/alert-model';
import { expect, it } from 'vitest';
import { judgeStalled, stalledPerTypeMax } from './judge-stalled.ts';
import { minutesAgo, readAt, snapshot } from './snapshot.fixture.ts';

const waiting = (id: string, minutes: number) =>
  snapshot({ id, state: 'waiting', status: 'pending', dueAt: minutesAgo(minutes), startedAt: null, attempts: 0 });
const rules: readonly Rule[] = [{ name: 'rules[0]', match: { jobType: ['import'] }, stalledAfterMs: 30 * 60_000 }];
const judge = (changes: Partial<Parameters<typeof judgeStalled>[0]>) =>
  judgeStalled({ jobs: [], unread: new Set(), readAt, rules: [], busy: new Set(), backlogs: new Set(), ...changes });

it('tells a job that waits for longer than its rule allows', () => {
  expect(judge({ jobs: [waiting('a', 29), waiting('b', 31)], rules })).toMatchObject([
    {
      kind: 'stalled',
      jobId: 'b',
      at: minutesAgo(31),
      failedAt: minutesAgo(1),
      words:
        'It has been due for 31 min and nobody has picked it up; jobs of this type may wait for 30 min (rules[0]).',
    },
  ]);
});

it('allows an hour where no rule says otherwise, and as long as it takes while somebody works at that type', () => {
  const job = waiting('a', 61);
  expect(judge({ jobs: [job] })).toHaveLength(1);
  expect(judge({ jobs: [waiting('a', 59)] })).toEqual([]);
  expect(judge({ jobs: [job], busy: new Set(['apple\nimport']) })).toEqual([]);
});

it('holds a job to the limit of its rule even while others of its type are worked at', () => {
  expect(judge({ jobs: [waiting('starving', 45)], rules, busy: new Set(['apple\nimport']) })).toHaveLength(1);
});

it('says of a job that waits for its next attempt that it does', () => {
  const job = { ...waiting('a', 45), attempts: 1, status: 'failed' };
  expect(judge({ jobs: [job], rules })[0]?.words).toMatch(/^Its next attempt has been due for 45 min/);
});

it('waits for ever where a rule says so', () => {
  expect(
    judge({ jobs: [waiting('a', 6_000)], rules: [{ name: 'rules[0]', match: {}, stalledAfterMs: null }] }),
  ).toEqual([]);
});

it('tells a long queue of one type as one condition, by its oldest job', () => {
  const jobs = Array.from({ length: stalledPerTypeMax + 1 }, (_, n) => waiting(`job-${n}`, 100 - n));
  expect(judge({ jobs, rules, unread: new Set(['apple\nimport']) })).toMatchObject([
    {
      jobId: 'type:apple/import',
      targetId: null,
      at: minutesAgo(100),
      words: `More than ${stalledPerTypeMax + 1} apple/import jobs wait and no worker picks them up; the oldest has been due for 1 h 40 min. Is its worker running?`,
    },
  ]);
});

it('says of a queue that was read whole how long it is', () => {
  const jobs = Array.from({ length: stalledPerTypeMax + 1 }, (_, n) => waiting(`job-${n}`, 100 - n));
  expect(judge({ jobs, rules, unread: new Set(['apple\nexport']) })[0]?.words).not.toContain('More than');
});

it('goes on telling a type as a whole while its queue is worked off, so that its last jobs are not told one by one', () => {
  const jobs = [waiting('a', 45), waiting('b', 44)];
  const backlogs = new Set(['apple\nimport']);
  expect(judge({ jobs, rules, backlogs }).map(({ jobId }) => jobId)).toEqual(['type:apple/import']);
  expect(judge({ jobs: [waiting('a', 29)], rules, backlogs })).toEqual([]);
});

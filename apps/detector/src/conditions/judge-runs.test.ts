import type { ChainPolicy } from '@tocsin/alert-model';
import { expect, it } from 'vitest';
import { endOfLateness, judgeRuns } from './judge-runs.ts';
import { minutesAgo, readAt, snapshot } from './snapshot.fixture.ts';

const chain: ChainPolicy = {
  name: 'catalog',
  source: 'apple',
  steps: [
    { jobType: 'refresh_catalog', targets: ['albums', 'songs'] },
    { jobType: 'rebuild_index', targets: null },
  ],
  deadlineMs: 2 * 3_600_000,
};
const job = (
  jobType: string,
  targetId: string | null,
  state: 'running' | 'succeeded' | 'dead' | 'failed',
  changes = {},
) => snapshot({ jobType, targetId, state, finishedAt: state === 'running' ? null : minutesAgo(30), ...changes });
const run = (name: string, minutes: number, jobs: readonly ReturnType<typeof job>[]) => ({
  run: name,
  startedAt: minutesAgo(minutes),
  jobs,
});
const half = [job('refresh_catalog', 'albums', 'succeeded'), job('refresh_catalog', 'songs', 'running')];
const whole = [
  job('refresh_catalog', 'albums', 'succeeded'),
  job('refresh_catalog', 'songs', 'succeeded'),
  job('rebuild_index', 'whatever', 'succeeded'),
];

it('tells a run that takes longer than its deadline, with what is missing and what runs', () => {
  const [late] = judgeRuns(chain, [run('r1', 121, half)], readAt);
  expect(late).toMatchObject({
    standing: 'late',
    late: {
      kind: 'deadline',
      jobId: 'run:apple/catalog:r1',
      jobType: 'refresh_catalog',
      targetId: 'songs',
      run: 'r1',
      failedAt: minutesAgo(1),
      words: 'The run has taken 2 h 1 min; 2 h are allowed. Not finished: refresh_catalog/songs, rebuild_index.',
      notes: ['Running: refresh_catalog/songs.'],
    },
  });
});

it('says nothing before the deadline, nor of a whole run, nor of one that has failed for good and is told as failed', () => {
  const standings = (jobs: readonly ReturnType<typeof job>[], minutes: number) =>
    judgeRuns(chain, [run('r1', minutes, jobs)], readAt)[0]?.standing;
  expect(standings(half, 119)).toBe('under way');
  expect(standings(whole, 500)).toBe('whole');
  expect(standings([...half, job('rebuild_index', null, 'dead', { forGood: true })], 500)).toBe('failed');
  expect(standings([...half, job('rebuild_index', null, 'failed', { forGood: true })], 500)).toBe('failed');
});

it('goes on counting while a failed attempt will be repeated', () => {
  const retrying = [...half, job('rebuild_index', null, 'failed')];
  expect(judgeRuns(chain, [run('r1', 121, retrying)], readAt)[0]?.standing).toBe('late');
});

it('leaves a late run alone that is older than a whole one', () => {
  const judged = judgeRuns(chain, [run('r2', 100, whole), run('r1', 2_000, half)], readAt);
  expect(judged.map(({ standing }) => standing)).toEqual(['whole', 'under way']);
});

it('ends with the run or with a later whole one, and not because the run was not looked at', () => {
  const late = judgeRuns(chain, [run('r1', 121, half)], readAt);
  expect(endOfLateness(late[0], late, readAt)).toBeNull();
  expect(endOfLateness(undefined, [], readAt)).toBeNull();
  const finished = judgeRuns(chain, [run('r1', 300, whole)], readAt);
  expect(endOfLateness(finished[0], finished, readAt)).toMatchObject({ cause: 'succeeded', endedAt: minutesAgo(30) });
  const failed = judgeRuns(
    chain,
    [run('r1', 300, [...half, job('rebuild_index', null, 'dead', { forGood: true })])],
    readAt,
  );
  expect(endOfLateness(failed[0], failed, readAt)?.cause).toBe('ended');
  const overtaken = judgeRuns(chain, [run('r2', 100, whole), run('r1', 2_000, half)], readAt);
  expect(endOfLateness(overtaken[1], overtaken, readAt)).toMatchObject({ cause: 'succeeded' });
});

import { expect, it } from 'vitest';
import { endOfJobCondition } from './judge-end.ts';
import { minutesAgo, openCondition, readAt, snapshot } from './snapshot.fixture.ts';

const look = { readAt, deletesSuccesses: false, holds: false };
const stalled = openCondition({
  kind: 'stalled',
  subject: { source: 'apple', jobType: 'import', targetId: null, run: null, facts: { dueAt: minutesAgo(60) } },
});

it('goes on as long as it was judged to hold', () => {
  expect(endOfJobCondition(openCondition(), snapshot(), { ...look, holds: true })).toBeNull();
});

it.each([
  ['a heartbeat', snapshot({ heartbeatAt: minutesAgo(1) }), 'alive', /^a sign of life at 2026-11-23 02:59:00 UTC$/],
  ['a success', snapshot({ state: 'succeeded', finishedAt: minutesAgo(2) }), 'succeeded', /succeeded after all/],
  ['a death', snapshot({ state: 'dead', status: 'dead' }), 'ended', /ended as dead/],
  ['a failure for good', snapshot({ state: 'failed', forGood: true, status: 'failed' }), 'ended', /ended as failed/],
  ['a cancellation', snapshot({ state: 'canceled' }), 'canceled', /canceled/],
  ['a return into the queue', snapshot({ state: 'waiting' }), 'ended', /put back/],
  ['a longer limit', snapshot({ heartbeatAt: minutesAgo(20) }), 'alive', /rule allows more/],
  ['a state nobody knows', snapshot({ state: 'unknown', status: 'paused' }), 'ended', /paused/],
])('ends a stuck condition by %s', (_, job, cause, note) => {
  const end = endOfJobCondition(openCondition(), job, look);
  expect(end?.cause).toBe(cause);
  expect(end?.note).toMatch(note);
});

it.each([
  ['being picked up', snapshot(), 'alive', /picked up/],
  [
    'being put off',
    snapshot({ state: 'waiting', dueAt: minutesAgo(-30) }),
    'alive',
    /put off until 2026-11-23 03:30:00 UTC/,
  ],
  ['an attempt that failed and will be repeated', snapshot({ state: 'failed', status: 'failed' }), 'alive', /tried/],
  ['a failure for good', snapshot({ state: 'failed', forGood: true, status: 'failed' }), 'ended', /ended as failed/],
])('ends a stalled condition by %s', (_, job, cause, note) => {
  const end = endOfJobCondition(stalled, job, look);
  expect(end?.cause).toBe(cause);
  expect(end?.note).toMatch(note);
});

it('takes a row that is gone for a success only where the table deletes the rows of successes', () => {
  expect(endOfJobCondition(openCondition(), undefined, look)?.cause).toBe('ended');
  expect(endOfJobCondition(openCondition(), undefined, { ...look, deletesSuccesses: true })?.cause).toBe('vanished');
});

it('never dates an end later than it was seen', () => {
  const job = snapshot({ state: 'succeeded', finishedAt: minutesAgo(-60) });
  expect(endOfJobCondition(openCondition(), job, look)?.endedAt).toBe(readAt);
});

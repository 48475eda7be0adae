import { limitsFor } from '@tocsin/alert-model';
import type { Rule } from '@tocsin/alert-model';
import { expect, test } from 'vitest';
import { janitorWords, stalledWords, stuckAt, stuckWords } from './limit-words.ts';

const job = { source: 'documents', jobType: 'pdf', targetId: null };
const limitsOf = (rule: Partial<Rule>) => limitsFor([{ name: 'rules[0]', match: {}, ...rule }], job);
const minutes = (count: number): number => count * 60_000;

test.each([
  [
    { mode: 'fixed', heartbeatMs: minutes(15), updateMs: minutes(5) },
    true,
    'it counts as stuck when there is no heartbeat for 15 min, or no other change for 5 min (rules[0])',
  ],
  [
    { mode: 'fixed', heartbeatMs: minutes(15), updateMs: minutes(5) },
    false,
    'it counts as stuck when there is no sign of life for 5 min (rules[0])',
  ],
  [
    { mode: 'fixed', heartbeatMs: minutes(30), updateMs: null },
    false,
    'it counts as stuck when there is no sign of life for 30 min (rules[0])',
  ],
  [
    { mode: 'auto', factor: 3, floorMs: minutes(10) },
    true,
    'it counts as stuck when there is no heartbeat for 10 min (rules[0])',
  ],
  [
    { mode: 'auto', factor: 3, floorMs: minutes(10) },
    false,
    'it counts as stuck after 3 times what 99 of 100 earlier runs took, at least 10 min, or after a day while there are too few to learn from (rules[0])',
  ],
  [{ mode: 'off' }, true, 'it may be silent for ever (rules[0])'],
] as const)('says when a running job counts as stuck: %o, beating: %s', (stuckAfter, beats, words) => {
  expect(stuckWords(limitsOf({ stuckAfter }), beats)).toBe(words);
});

const at = (minute: number): string => `2026-03-02T03:${minute}:00.000Z`;
test.each([
  [{ mode: 'fixed', heartbeatMs: minutes(15), updateMs: minutes(5) }, at(10), at(25)],
  [{ mode: 'fixed', heartbeatMs: minutes(15), updateMs: minutes(5) }, null, at(16)],
  [{ mode: 'fixed', heartbeatMs: null, updateMs: minutes(5) }, at(10), null],
  [{ mode: 'auto', factor: 3, floorMs: minutes(10) }, at(10), at(20)],
  [{ mode: 'auto', factor: 3, floorMs: minutes(10) }, null, null],
  [{ mode: 'off' }, at(10), null],
] as const)(
  'a running job of limit %o with its last heartbeat at %s counts as stuck at %s',
  (stuckAfter, heartbeatAt, expected) => {
    expect(stuckAt(limitsOf({ stuckAfter }), { heartbeatAt, changedAt: at(11) })).toBe(expected);
  },
);

test('says when a waiting job counts as stalled, and by which rule', () => {
  expect(stalledWords(limitsOf({}))).toBe('it counts as stalled after 1 h (default)');
  expect(stalledWords(limitsOf({ stalledAfterMs: minutes(30) }))).toBe('it counts as stalled after 30 min (rules[0])');
  expect(stalledWords(limitsOf({ stalledAfterMs: null }))).toBe('it may wait for ever (rules[0])');
});

test('says what the janitor would do', () => {
  expect(janitorWords({ action: 'alert' })).toBeNull();
  expect(janitorWords({ action: 'mark_dead' })).toBe('marks it dead');
  expect(janitorWords({ action: 'requeue', restartsMax: 3, backoffMs: 1, checkpointSchema: null })).toContain(
    'at most 3 times',
  );
});

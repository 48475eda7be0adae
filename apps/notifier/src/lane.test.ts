import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { lane } from './lane.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const opened = () => {
  const warnings: string[] = [];
  return { lane: lane({ warn: (_fields: object, message: string) => warnings.push(message) } as never), warnings };
};
const gate = () => Promise.withResolvers<void>();

test('does one thing at a time, in order', async () => {
  const { lane: one } = opened();
  const done: string[] = [];
  const first = gate();
  one.run('first', async () => {
    await first.promise;
    done.push('first');
  });
  one.run('second', async () => {
    done.push('second');
  });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(done).toEqual([]);
  first.resolve();
  await one.idle();
  expect(done).toEqual(['first', 'second']);
});

test('lets turns pass while one of the same name waits, however long it takes', async () => {
  const { lane: one } = opened();
  const slow = gate();
  let turns = 0;
  one.every(1_000, 'the sweep', async () => {
    turns += 1;
    await slow.promise;
  });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(turns).toBe(1);
  slow.resolve();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(turns).toBe(3);
  one.close();
});

test('goes on after a failure, and begins nothing once it is closed', async () => {
  const { lane: one, warnings } = opened();
  let turns = 0;
  one.every(1_000, 'the sweep', async () => {
    turns += 1;
    throw new Error('no database');
  });
  await vi.advanceTimersByTimeAsync(2_000);
  expect([turns, warnings]).toEqual([
    2,
    ['the sweep failed and will be tried again', 'the sweep failed and will be tried again'],
  ]);
  one.close();
  one.run('late', async () => {
    turns += 1;
  });
  await vi.advanceTimersByTimeAsync(10_000);
  await one.idle();
  expect(turns).toBe(2);
});

test('a pause of a year is one, not none', async () => {
  const { lane: one } = opened();
  let turns = 0;
  one.every(365 * 86_400_000, 'the canary', async () => {
    turns += 1;
  });
  await vi.advanceTimersByTimeAsync(86_400_000);
  expect(turns).toBe(0);
  one.close();
});

import type { Instant } from '@tocsin/alert-model';
import { expect, test } from 'vitest';
import { createTurns, turnAheadMaxMs } from './turns.ts';

const now = '2026-03-02T03:00:00.000000Z' as Instant;
const at = (ms: number): Instant => new Date(Date.parse(now) + ms).toISOString() as Instant;
const turnsAfter = (...turns: readonly Instant[]): readonly number[] =>
  turns.map((turn) => Date.parse(turn) - Date.parse(now));

test('messages that wait for one channel come back one after the other', () => {
  const turns = createTurns();
  const next = (): Instant => turns.next('chat', at(400), 1_000, now);
  expect(turnsAfter(next(), next(), next())).toEqual([400, 1_400, 2_400]);
});

test('channels do not wait for each other', () => {
  const turns = createTurns();
  turns.next('chat', at(400), 1_000, now);
  expect(turnsAfter(turns.next('email', at(100), 1_000, now))).toEqual([100]);
});

test('turns that have passed are forgotten', () => {
  const turns = createTurns();
  turns.next('chat', at(400), 1_000, now);
  expect(turnsAfter(turns.next('chat', at(60_400), 1_000, at(60_000)))).toEqual([60_400]);
});

test('nobody is sent further into the future than that he looks in now and then, unless there is nothing before', () => {
  const turns = createTurns();
  const far = turnAheadMaxMs + 5_000;
  expect(turnsAfter(turns.next('chat', at(far), 1_000, now))).toEqual([far]);
  for (let n = 0; n < 20; n += 1) turns.next('email', at(0), 60_000, now);
  expect(turnsAfter(turns.next('email', at(0), 60_000, now))).toEqual([turnAheadMaxMs]);
});

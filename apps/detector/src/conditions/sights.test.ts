import { expect, it } from 'vitest';
import { createSights } from './sights.ts';
import { minutesAgo, readAt, snapshot } from './snapshot.fixture.ts';

const minuteMs = 60_000;
const after = (minutes: number): string => minutesAgo(-minutes);

it('counts for how long a sign of life has stayed the same, and begins anew when it changes', () => {
  const sights = createSights();
  sights.see([snapshot({ heartbeatAt: minutesAgo(20) })], readAt, 0);
  expect(sights.unchangedMs('job-1', 5_000)).toBe(5_000);
  sights.see([snapshot({ heartbeatAt: minutesAgo(20) })], after(1), minuteMs);
  expect(sights.unchangedMs('job-1', minuteMs)).toBe(minuteMs);
  sights.see([snapshot({ heartbeatAt: after(1.5) })], after(2), 2 * minuteMs);
  expect(sights.unchangedMs('job-1', 2 * minuteMs)).toBe(0);
  expect(sights.unchangedMs('never seen', 0)).toBe(0);
});

it('learns that a clock is behind from a heartbeat that is new and yet old, and remembers it for an hour', () => {
  const sights = createSights();
  sights.see([snapshot({ heartbeatAt: minutesAgo(61) })], readAt, 0);
  expect(sights.behindMs(0)).toBe(0);
  const evidence = sights.see([snapshot({ heartbeatAt: minutesAgo(60) })], after(0.5), minuteMs / 2);
  expect(evidence).toEqual({ behindMs: 60 * minuteMs, aheadMs: 0, sound: false });
  expect(sights.behindMs(minuteMs)).toBe(60 * minuteMs);
  expect(sights.behindMs(62 * minuteMs)).toBe(0);
});

it('learns it at first sight from a job that was started before it was made', () => {
  const evidence = createSights().see(
    [snapshot({ createdAt: minutesAgo(1), startedAt: minutesAgo(61), changedAt: minutesAgo(61) })],
    readAt,
    0,
  );
  expect(evidence.behindMs).toBe(60 * minuteMs);
});

it('sees that a clock is ahead', () => {
  expect(createSights().see([snapshot({ heartbeatAt: after(60) })], readAt, 0)).toEqual({
    behindMs: 0,
    aheadMs: 60 * minuteMs,
    sound: false,
  });
});

it('takes a difference of a minute for none, and a heartbeat that is right for a sound clock', () => {
  const sights = createSights();
  sights.see([snapshot({ heartbeatAt: minutesAgo(1) })], readAt, 0);
  expect(sights.see([snapshot({ heartbeatAt: minutesAgo(0.5) })], after(0.5), minuteMs / 2)).toEqual({
    behindMs: 0,
    aheadMs: 0,
    sound: true,
  });
});

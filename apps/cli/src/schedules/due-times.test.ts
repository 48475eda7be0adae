import { expect, test } from 'vitest';
import { dueTimes, dueTimesLines } from './due-times.ts';

const schedule = { name: 'weekly', table: 'research_jobs', source: 'apple', timeZone: 'UTC', graceMs: 1_800_000 };
const now = new Date('2026-03-27T12:00:00Z');

test('shows the next times in the zone of the schedule, across a change of its clocks', () => {
  const due = dueTimes({ ...schedule, chain: 'catalog', cron: '30 2 * * SUN', timeZone: 'Europe/Berlin' }, now);
  expect(due).toEqual({
    name: 'weekly',
    table: 'research_jobs',
    work: 'chain apple/catalog',
    due: '30 2 * * SUN in Europe/Berlin',
    graceMs: 1_800_000,
    next: [
      { at: '2026-03-29T01:30:00.000Z', local: 'Sun, 29 Mar 2026, 03:30 Europe/Berlin' },
      { at: '2026-04-05T00:30:00.000Z', local: 'Sun, 5 Apr 2026, 02:30 Europe/Berlin' },
    ],
  });
  expect(dueTimesLines(due)).toEqual([
    '  weekly: chain apple/catalog, 30 2 * * SUN in Europe/Berlin, 30 min of grace',
    '    due Sun, 29 Mar 2026, 03:30 Europe/Berlin (2026-03-29 01:30 UTC)',
    '    due Sun, 5 Apr 2026, 02:30 Europe/Berlin (2026-04-05 00:30 UTC)',
  ]);
});

test('knows no time for what is due so long after the last success', () => {
  const due = dueTimes({ ...schedule, jobType: 'refresh', targetId: 'songs', everyMs: 14 * 86_400_000 }, now);
  expect(due).toMatchObject({ work: 'apple/refresh/songs', due: 'every 14 d', next: [] });
  expect(dueTimesLines(due)).toEqual([
    '  weekly: apple/refresh/songs, every 14 d, 30 min of grace',
    '    due so long after its last success',
  ]);
});

import type { ChainPolicy, SchedulePolicy } from '@tocsin/alert-model';
import { describe, expect, it } from 'vitest';
import { judgeSchedule, workOf } from './judge-schedule.ts';
import type { ScheduleLook } from './judge-schedule.ts';

const minuteMs = 60_000;
const nightly: SchedulePolicy = {
  name: 'nightly',
  table: 'research_jobs',
  source: 'apple',
  work: { jobType: 'import', targetId: null },
  due: { kind: 'cron', expression: '0 3 * * *', timeZone: 'Europe/Berlin' },
  graceMs: 30 * minuteMs,
};
const works = workOf(nightly, []);
const look = (changes: Partial<ScheduleLook>): ScheduleLook => ({
  readAt: '2026-11-23T02:31:00.000Z',
  knownSince: '2026-11-01T00:00:00.000Z',
  lastSuccesses: [null],
  running: false,
  ...changes,
});

describe('work expected by a cron expression', () => {
  it('is on time with a success since it was due, and need not be looked at before the next time and its grace', () => {
    expect(judgeSchedule(nightly, works, look({ lastSuccesses: ['2026-11-23T02:12:00.000Z'] }))).toEqual({
      overdue: null,
      succeededAt: '2026-11-23T02:12:00.000Z',
      nextLookAt: '2026-11-24T02:30:00.000Z',
    });
  });

  it('is overdue after the grace, dated by its end, and says when it last succeeded', () => {
    const { overdue } = judgeSchedule(nightly, works, look({ lastSuccesses: ['2026-11-22T02:12:00.000Z'] }));
    expect(overdue).toMatchObject({
      kind: 'overdue',
      jobId: 'schedule:nightly',
      source: 'apple',
      jobType: 'import',
      at: '2026-11-23T02:00:00.000Z',
      failedAt: '2026-11-23T02:30:00.000Z',
      words:
        'Expected by Mon, 23 Nov 2026, 03:00 Europe/Berlin, with 30 min of grace; it is 31 min late. ' +
        'The last success was at 2026-11-22 02:12:00 UTC.',
      notes: ['No job of it is running.'],
    });
  });

  it('is not overdue within the grace', () => {
    const readAt = '2026-11-23T02:29:00.000Z';
    expect(
      judgeSchedule(nightly, works, look({ readAt, lastSuccesses: ['2026-11-22T02:12:00.000Z'] })).overdue,
    ).toBeNull();
  });

  it('asks of work that never succeeded whether it was ever enqueued', () => {
    expect(judgeSchedule(nightly, works, look({})).overdue?.words).toContain('was it ever enqueued?');
  });

  it('does not greet a fresh installation with an alarm for work it has never seen', () => {
    const knownSince = '2026-11-23T02:20:00.000Z';
    expect(judgeSchedule(nightly, works, look({ knownSince })).overdue).toBeNull();
    expect(
      judgeSchedule(nightly, works, look({ knownSince, readAt: '2026-11-24T02:31:00.000Z' })).overdue,
    ).not.toBeNull();
    // Work that used to succeed and has stopped is told at once, however fresh the installation.
    expect(
      judgeSchedule(nightly, works, look({ knownSince, lastSuccesses: ['2026-11-20T02:12:00.000Z'] })).overdue,
    ).not.toBeNull();
  });

  it('takes a success dated a few seconds early for the one that was due', () => {
    expect(judgeSchedule(nightly, works, look({ lastSuccesses: ['2026-11-23T01:59:40.000Z'] })).overdue).toBeNull();
  });
});

describe('work expected at least every so often', () => {
  const fortnight: SchedulePolicy = { ...nightly, due: { kind: 'every', everyMs: 14 * 86_400_000 }, graceMs: 0 };

  it('is overdue so long after the last success', () => {
    const at = (lastSuccess: string) => judgeSchedule(fortnight, works, look({ lastSuccesses: [lastSuccess] }));
    expect(at('2026-11-09T03:00:00.000Z').overdue).toBeNull();
    expect(at('2026-11-09T03:00:00.000Z').nextLookAt).toBe('2026-11-23T03:00:00.000Z');
    expect(at('2026-11-09T02:00:00.000Z').overdue?.words).toBe(
      'Expected at least every 14 d; it is 31 min late. The last success was at 2026-11-09 02:00:00 UTC.',
    );
  });

  it('counts from when it became known while there was no success', () => {
    expect(judgeSchedule(fortnight, works, look({ knownSince: '2026-11-20T00:00:00.000Z' })).overdue).toBeNull();
    expect(judgeSchedule(fortnight, works, look({ knownSince: '2026-11-01T00:00:00.000Z' })).overdue).not.toBeNull();
  });
});

describe('a chain', () => {
  const chain: ChainPolicy = {
    name: 'catalog',
    source: 'apple',
    steps: [
      { jobType: 'refresh_catalog', targets: ['albums', 'songs'] },
      { jobType: 'rebuild_index', targets: null },
    ],
    deadlineMs: null,
  };
  const schedule: SchedulePolicy = { ...nightly, work: { chain: 'catalog' } };

  it('is expected with all its steps, and says which are missing', () => {
    const pieces = workOf(schedule, [chain]);
    expect(pieces.map(({ jobType, target }) => [jobType, target])).toEqual([
      ['refresh_catalog', { id: 'albums' }],
      ['refresh_catalog', { id: 'songs' }],
      ['rebuild_index', 'any'],
    ]);
    const now = '2026-11-23T02:10:00.000Z';
    const { overdue } = judgeSchedule(
      schedule,
      pieces,
      look({ lastSuccesses: [now, '2026-11-22T02:10:00.000Z', null] }),
    );
    expect(overdue).toMatchObject({
      jobType: 'refresh_catalog',
      targetId: 'songs',
      notes: ['Still missing: refresh_catalog/songs, rebuild_index.', 'No job of it is running.'],
    });
    expect(judgeSchedule(schedule, pieces, look({ lastSuccesses: [now, now, now] })).overdue).toBeNull();
  });

  it('that is not configured is nothing to look for', () => {
    expect(workOf(schedule, [])).toEqual([]);
  });
});

/** Three days around each change of the clocks, five minutes at a time, for daily work at an hour that the change touches. */
describe.each([
  ['America/New_York', '30 2 * * *', ['2026-03-08', '2026-11-01']],
  ['Europe/Berlin', '30 2 * * *', ['2026-03-29', '2026-10-25']],
  ['Africa/Cairo', '30 0 * * *', ['2026-04-24', '2026-10-29']],
  ['Australia/Lord_Howe', '15 2 * * *', ['2026-04-05', '2026-10-04']],
])('across the changes of the clocks in %s', (timeZone, expression, days) => {
  const schedule: SchedulePolicy = { ...nightly, due: { kind: 'cron', expression, timeZone } };

  it.each(days)(
    'is never overdue around %s when it succeeds each local day, and overdue once each day when it does not',
    (day) => {
      const startMs = Date.parse(`${day}T12:00:00.000Z`) - 2 * 86_400_000;
      const simulate = (succeeds: boolean) => {
        const dues = new Set<string>();
        let lastSuccess = new Date(startMs).toISOString();
        let overdueMinutes = 0;
        for (let minute = 0; minute < 3 * 24 * 60; minute += 5) {
          const readAt = new Date(startMs + minute * minuteMs).toISOString();
          const { overdue } = judgeSchedule(schedule, works, look({ readAt, lastSuccesses: [lastSuccess] }));
          if (overdue !== null) {
            overdueMinutes += 1;
            dues.add(String(overdue.at));
          }
          // The job succeeds ten minutes after each time its clock shows, as its own scheduler would start it.
          const due = judgeSchedule(
            { ...schedule, graceMs: 10 * minuteMs },
            works,
            look({ readAt, lastSuccesses: [lastSuccess] }),
          );
          if (succeeds && due.overdue !== null) lastSuccess = readAt;
        }
        return { dues: [...dues], overdueMinutes };
      };
      expect(simulate(true).overdueMinutes).toBe(0);
      const missed = simulate(false);
      const localDays = missed.dues.map((at) => new Intl.DateTimeFormat('sv-SE', { timeZone }).format(new Date(at)));
      expect(new Set(localDays).size).toBe(localDays.length);
      expect(localDays.length).toBeGreaterThanOrEqual(3);
    },
  );
});

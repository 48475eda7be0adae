import { CronExpressionParser } from 'cron-parser';
import { describe, expect, test } from 'vitest';
import { cronProblem, nextDue, previousDue } from './cron.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Days on which the clocks are changed, by the zone data of 2026 and 2027. Lord Howe changes by 30 minutes, Cairo at midnight. */
const changes = [
  { timeZone: 'America/New_York', forward: ['2026-03-08', '2027-03-14'], back: ['2026-11-01', '2027-11-07'] },
  { timeZone: 'Europe/Berlin', forward: ['2026-03-29', '2027-03-28'], back: ['2026-10-25', '2027-10-31'] },
  { timeZone: 'Africa/Cairo', forward: ['2026-04-24', '2027-04-30'], back: ['2026-10-29', '2027-10-28'] },
  { timeZone: 'Australia/Lord_Howe', forward: ['2026-10-04', '2027-10-03'], back: ['2026-04-05', '2027-04-04'] },
] as const;

const days = changes.flatMap(({ timeZone, forward, back }) => [
  ...forward.map((day) => ({ timeZone, day, change: 'forward' })),
  ...back.map((day) => ({ timeZone, day, change: 'back' })),
]);

/** What the clocks show, `2026-03-29 03:30`, in another way than the code under test. */
const clocks = new Map<string, Intl.DateTimeFormat>();
function clock(timeZone: string, instant: string | number): string {
  const format =
    clocks.get(timeZone) ?? new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  clocks.set(timeZone, format);
  return format.format(new Date(instant));
}

/** Every minute of a local day, in order, with what the clocks show. Some are missing or there twice. */
function shownTimes(timeZone: string, day: string): readonly { shown: string; at: number }[] {
  const noonMs = Date.parse(`${day}T12:00:00Z`);
  return Array.from({ length: 2 * 27 * 60 }, (_, minute) => noonMs - 27 * HOUR_MS + minute * MINUTE_MS)
    .map((at) => ({ shown: clock(timeZone, at), at }))
    .filter(({ shown }) => shown.startsWith(day));
}

const dailyAt = (hour: number, minute: number): string => `${minute} ${hour} * * *`;
const two = (value: number): string => String(value).padStart(2, '0');

/** All due times of a local day, walking forward, and walking backward. */
function dueOn(expression: string, timeZone: string, day: string): { forward: string[]; backward: string[] } {
  const noonMs = Date.parse(`${day}T12:00:00Z`);
  const forward: string[] = [];
  let at = nextDue(expression, timeZone, new Date(noonMs - 48 * HOUR_MS));
  for (let count = 0; at !== null && clock(timeZone, at).slice(0, 10) <= day && count < 500; count += 1) {
    if (clock(timeZone, at).startsWith(day)) forward.push(at);
    at = nextDue(expression, timeZone, at);
  }
  const backward: string[] = [];
  at = previousDue(expression, timeZone, new Date(noonMs + 48 * HOUR_MS));
  for (let count = 0; at !== null && clock(timeZone, at).slice(0, 10) >= day && count < 500; count += 1) {
    if (clock(timeZone, at).startsWith(day)) backward.unshift(at);
    at = previousDue(expression, timeZone, at);
  }
  return { forward, backward };
}

describe.each(days)('in $timeZone on $day, when the clocks go $change', ({ timeZone, day, change }) => {
  const shown = shownTimes(timeZone, day);
  const firstShown = new Map(shown.toReversed().map(({ shown: time, at }) => [time, at]));

  test('the day is one with a change', () => {
    const shiftMs = (timeZone === 'Australia/Lord_Howe' ? 0.5 : 1) * HOUR_MS;
    expect(shown.length * MINUTE_MS).toBe(24 * HOUR_MS + (change === 'back' ? shiftMs : -shiftMs));
  });

  test('every daily schedule is due exactly once', () => {
    for (let quarter = 0; quarter < 96; quarter += 1) {
      const hour = Math.floor(quarter / 4);
      const minute = (quarter % 4) * 15;
      const { forward, backward } = dueOn(dailyAt(hour, minute), timeZone, day);
      const at = firstShown.get(`${day} ${two(hour)}:${two(minute)}`);
      expect(forward, dailyAt(hour, minute)).toHaveLength(1);
      expect(backward, dailyAt(hour, minute)).toEqual(forward);
      // A time that is skipped is looked at below.
      const due = Date.parse(forward[0] ?? '');
      expect(due, dailyAt(hour, minute)).toBe(at ?? due);
    }
  });

  test('a time that is skipped is due as much later as the clocks were set forward', () => {
    const skipped = Array.from({ length: 1_440 }, (_, minute) => minute).filter(
      (minute) => !firstShown.has(`${day} ${two(Math.floor(minute / 60))}:${two(minute % 60)}`),
    );
    expect(skipped).toHaveLength(change === 'back' ? 0 : timeZone === 'Australia/Lord_Howe' ? 30 : 60);
    for (const minute of skipped) {
      const expression = dailyAt(Math.floor(minute / 60), minute % 60);
      const later = minute + skipped.length;
      expect(clock(timeZone, dueOn(expression, timeZone, day).forward[0] ?? 0), expression).toBe(
        `${day} ${two(Math.floor(later / 60))}:${two(later % 60)}`,
      );
    }
  });

  test.each(['30 1 * * *', '15 0,2,23 * * *'])(
    '%s: minute by minute, what was last due and what is next due agree',
    (expression) => {
      const firstAt = shown[0]?.at ?? 0;
      let next = nextDue(expression, timeZone, new Date(firstAt));
      let last = previousDue(expression, timeZone, new Date(firstAt + 1));
      for (const { at } of shown) {
        if (next !== null && Date.parse(next) <= at) {
          last = next;
          next = nextDue(expression, timeZone, new Date(at));
        }
        // Strictly before, so one millisecond later counts this very minute.
        expect(previousDue(expression, timeZone, new Date(at + 1)), new Date(at).toISOString()).toBe(last);
      }
    },
  );

  test('an hourly schedule is due whenever the clocks show its minute', () => {
    for (const minute of [0, 15, 30, 45]) {
      const expected = shown.filter(({ shown: time }) => time.endsWith(`:${two(minute)}`)).map(({ at }) => at);
      const { forward, backward } = dueOn(`${minute} * * * *`, timeZone, day);
      const instants = forward.map((at) => Date.parse(at));
      expect(instants).toEqual(expect.arrayContaining(expected));
      // Half an hour is skipped there: what would fall into it is due at its end, as with any other schedule.
      const moved = timeZone === 'Australia/Lord_Howe' && change === 'forward' && minute < 30 ? 1 : 0;
      expect(instants).toHaveLength(expected.length + moved);
      expect(backward).toEqual(forward);
    }
  });

  test('an hourly schedule is due every real hour', () => {
    const gaps = [0, 15, 30, 45].flatMap((minute) => {
      const instants = dueOn(`${minute} * * * *`, timeZone, day).forward.map((at) => Date.parse(at));
      return instants.slice(1).map((at, index) => at - (instants[index] ?? 0));
    });
    // Half an hour's change moves the minute that the clocks show, so there one gap is shorter or longer by that.
    const allowed = timeZone === 'Australia/Lord_Howe' ? [0.5, 1, 1.5] : [1];
    expect([...new Set(gaps.map((gapMs) => gapMs / HOUR_MS))].filter((gap) => !allowed.includes(gap))).toEqual([]);
  });
});

describe('two hours of the same clock', () => {
  test('a night job in the repeated hour of Berlin is due at its first reading only, asked from between the two as well', () => {
    const first = '2026-10-25T00:30:00.000Z';
    expect(nextDue('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z')).toBe(first);
    expect(nextDue('30 2 * * *', 'Europe/Berlin', '2026-10-25T00:45:00Z')).toBe('2026-10-26T01:30:00.000Z');
    expect(previousDue('30 2 * * *', 'Europe/Berlin', '2026-10-25T12:00:00Z')).toBe(first);
  });

  test('a job every ten minutes between two and three is due six times, not twelve', () => {
    expect(dueOn('*/10 2 * * *', 'Europe/Berlin', '2026-10-25').forward).toHaveLength(6);
  });

  test('an hourly job is due 25 times that day, and 23 times when an hour is skipped', () => {
    expect(dueOn('30 * * * *', 'Europe/Berlin', '2026-10-25').forward).toHaveLength(25);
    expect(dueOn('30 * * * *', 'Europe/Berlin', '2026-03-29').forward).toHaveLength(23);
  });

  test('two schedules that fall on one instant by the change are one', () => {
    expect(dueOn('30 2,3 * * *', 'Europe/Berlin', '2026-03-29').forward).toEqual(['2026-03-29T01:30:00.000Z']);
  });
});

describe('the library alone', () => {
  const berlin = (expression: string, at: string) =>
    CronExpressionParser.parse(expression, { tz: 'Europe/Berlin', currentDate: new Date(at) });

  // When this fails, the library has been put right, and the zone may be left to it.
  test('forgets a skipped time when it looks back, and gives a repeated one twice', () => {
    const skipped = '2026-03-29T01:30:00.000Z';
    expect(berlin('30 2 * * *', '2026-03-28T12:00:00Z').next().toDate().toISOString()).toBe(skipped);
    expect(berlin('30 2 * * *', '2026-03-29T12:00:00Z').prev().toDate().toISOString()).not.toBe(skipped);
    const second = '2026-10-25T01:30:00.000Z';
    expect(berlin('30 2 * * *', '2026-10-25T01:10:00Z').next().toDate().toISOString()).toBe(second);
    expect(berlin('30 2 * * *', '2026-10-25T12:00:00Z').prev().toDate().toISOString()).toBe(second);
    expect(previousDue('30 2 * * *', 'Europe/Berlin', '2026-03-29T12:00:00Z')).toBe(skipped);
  });
});

describe('far away', () => {
  test('finds the last due time months back, across changes of the clocks', () => {
    expect(previousDue('0 2 8 3 *', 'Europe/Berlin', '2026-10-25T12:00:00Z')).toBe('2026-03-08T01:00:00.000Z');
    expect(previousDue('30 2 29 3 *', 'Europe/Berlin', '2026-10-25T12:00:00Z')).toBe('2026-03-29T01:30:00.000Z');
  });

  test('finds the leap day', () => {
    expect(nextDue('0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z')).toBe('2028-02-29T00:00:00.000Z');
  });

  test('is strict on both sides, so that walking never stands still', () => {
    expect(nextDue('0 3 * * *', 'UTC', '2026-01-01T03:00:00Z')).toBe('2026-01-02T03:00:00.000Z');
    expect(previousDue('0 3 * * *', 'UTC', '2026-01-01T03:00:00Z')).toBe('2025-12-31T03:00:00.000Z');
    expect(nextDue('0 3 * * *', 'UTC', '2026-01-01T02:59:59.999Z')).toBe('2026-01-01T03:00:00.000Z');
  });

  test('reads seconds, weekdays by name, the last day and shorthands', () => {
    const from = '2026-05-05T00:00:00Z';
    expect(nextDue('15 30 3 * * *', 'UTC', from)).toBe('2026-05-05T03:30:15.000Z');
    expect(nextDue('0 3 * MAR THU', 'UTC', from)).toBe('2027-03-04T03:00:00.000Z');
    expect(nextDue('0 0 L * *', 'UTC', from)).toBe('2026-05-31T00:00:00.000Z');
    expect(nextDue('@weekly', 'Europe/Berlin', from)).toBe('2026-05-09T22:00:00.000Z');
  });
});

describe('what is wrong with an expression', () => {
  test.each([
    ['30 3 * * 1', 'Europe/Berlin'],
    ['0 3 * MAR THU', 'UTC'],
    ['@daily', 'Africa/Cairo'],
  ])('nothing: %s in %s', (expression, timeZone) => {
    expect(cronProblem(expression, timeZone)).toBeUndefined();
  });

  const form = 'write minute, hour, day of the month, month and day of the week, such as 30 3 * * 1';
  test.each([
    ['0 3', `must have five fields, or six with the seconds first; ${form}`],
    ['', `must have five fields, or six with the seconds first; ${form}`],
    ['61 3 * * *', `is no cron expression (Constraint error, got value 61 expected range 0-59); ${form}`],
    ['0 0 30 2 *', `is no cron expression (Invalid explicit day of month definition); ${form}`],
    ['H 3 * * *', 'H stands for a random value; name a fixed one'],
    ['* * * * * *', 'must not be due more than once a minute; name one second'],
  ])('%s: says it with the cure', (expression, problem) => {
    expect(cronProblem(expression, 'UTC')).toBe(problem);
  });

  test('a shorthand that does not exist', () => {
    expect(cronProblem('@fortnightly', 'UTC')).toContain('is no known shorthand');
  });

  test.each(['Europe/Berln', '+02:00', 'local', ''])('the time zone %s', (timeZone) => {
    expect(cronProblem('0 3 * * *', timeZone)).toContain('must be the IANA name of a time zone');
  });

  test('the walk itself refuses a wrong expression, naming it', () => {
    expect(() => nextDue('61 3 * * *', 'UTC', '2026-01-01T00:00:00Z')).toThrow('"61 3 * * *"');
    expect(() => nextDue('0 3 * * *', 'UTC', 'today')).toThrow('is not an instant');
  });
});

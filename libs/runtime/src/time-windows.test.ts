import { describe, expect, test } from 'vitest';
import { hours, type TimeWindow, windowText } from './time-windows.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** `window('22:00-07:00', 'Europe/Berlin', 1, 5)`: on Mondays and Fridays. */
const window = (times: string, timeZone = 'UTC', ...days: number[]): TimeWindow => {
  const [from = 0, to = 0] = times.split('-').map((time) => {
    const [hour = 0, minute = 0] = time.split(':').map(Number);
    return hour * 60 + minute;
  });
  return { days, fromMinute: from, toMinute: to, timeZone };
};

const within = (at: string, ...windows: TimeWindow[]): boolean => hours.isWithin(windows, at);
const outside = (at: string, ...windows: TimeWindow[]): string => hours.firstOutside(windows, at);

describe('a window within a day', () => {
  const noon = window('12:00-13:30');

  test('begins at its first minute and ends before its last', () => {
    expect(within('2026-03-02T11:59:59.999999Z', noon)).toBe(false);
    expect(within('2026-03-02T12:00:00.000000Z', noon)).toBe(true);
    expect(within('2026-03-02T13:29:59.999999Z', noon)).toBe(true);
    expect(within('2026-03-02T13:30:00.000000Z', noon)).toBe(false);
  });

  test('is left at its end, in microseconds; outside of it nothing moves, whatever its spelling', () => {
    expect(outside('2026-03-02T12:15:00.123456Z', noon)).toBe('2026-03-02T13:30:00.000000Z');
    expect(outside('2026-03-02T13:30:00.000001Z', noon)).toBe('2026-03-02T13:30:00.000001Z');
    expect(outside('2026-03-02T09:00:00Z', noon)).toBe('2026-03-02T09:00:00Z');
  });

  test('goes by the clocks of its zone', () => {
    const tokyo = window('12:00-13:00', 'Asia/Tokyo');
    expect(within('2026-03-02T03:30:00Z', tokyo)).toBe(true);
    expect(within('2026-03-02T12:30:00Z', tokyo)).toBe(false);
  });
});

describe('a window over midnight', () => {
  const night = window('22:00-07:00', 'Europe/Berlin');

  test('holds the evening and the morning after', () => {
    // Berlin is an hour ahead in winter.
    expect(within('2026-01-12T20:59:59Z', night)).toBe(false);
    expect(within('2026-01-12T21:00:00Z', night)).toBe(true);
    expect(within('2026-01-13T05:59:59Z', night)).toBe(true);
    expect(within('2026-01-13T06:00:00Z', night)).toBe(false);
    expect(outside('2026-01-12T22:30:00Z', night)).toBe('2026-01-13T06:00:00.000000Z');
  });

  test('belongs to the day on which it begins', () => {
    const friday = window('22:00-07:00', 'Europe/Berlin', 5);
    // 2026-01-16 is a Friday.
    expect(within('2026-01-16T03:00:00Z', friday)).toBe(false);
    expect(within('2026-01-16T22:00:00Z', friday)).toBe(true);
    expect(within('2026-01-17T03:00:00Z', friday)).toBe(true);
    expect(within('2026-01-17T22:00:00Z', friday)).toBe(false);
  });

  test('begins on the day the zone has, not the day of UTC', () => {
    // In Auckland it is Monday the 12th when UTC still has Sunday.
    const monday = window('06:00-07:00', 'Pacific/Auckland', 1);
    expect(within('2026-01-11T17:30:00Z', monday)).toBe(true);
    expect(within('2026-01-12T17:30:00Z', monday)).toBe(false);
  });
});

describe('whole days', () => {
  test('from midnight to 24:00, and from midnight to midnight, are the same', () => {
    for (const times of ['00:00-24:00', '00:00-00:00']) {
      const weekend = window(times, 'America/New_York', 6, 7);
      expect(within('2026-01-17T04:59:59Z', weekend), times).toBe(false);
      expect(within('2026-01-17T05:00:00Z', weekend), times).toBe(true);
      expect(within('2026-01-19T04:59:59Z', weekend), times).toBe(true);
      expect(outside('2026-01-17T12:00:00Z', weekend), times).toBe('2026-01-19T05:00:00.000000Z');
    }
  });

  test('windows that follow each other are left together', () => {
    const nights = window('22:00-07:00', 'UTC');
    const weekend = window('00:00-24:00', 'UTC', 6, 7);
    const morning = window('07:00-09:00', 'UTC', 1);
    // Friday night, the weekend, Sunday night, and Monday's morning.
    expect(outside('2026-01-16T23:00:00Z', nights, weekend, morning)).toBe('2026-01-19T09:00:00.000000Z');
  });

  test('hours that never end hold nothing up', () => {
    const always = window('00:00-24:00', 'Europe/Berlin');
    expect(within('2026-01-17T04:59:59.5Z', always)).toBe(true);
    expect(outside('2026-01-17T04:59:59.5Z', always)).toBe('2026-01-17T04:59:59.5Z');
  });

  test('a week but for one hour ends at that hour', () => {
    const most = [window('00:00-24:00', 'UTC', 1, 2, 3, 4, 5, 6), window('01:00-24:00', 'UTC', 7)];
    expect(outside('2026-01-12T00:00:00Z', ...most)).toBe('2026-01-18T00:00:00.000000Z');
    expect(outside('2026-01-18T01:00:00Z', ...most)).toBe('2026-01-25T00:00:00.000000Z');
  });
});

test('no windows hold nothing', () => {
  expect(within('2026-01-17T04:59:59Z')).toBe(false);
  expect(outside('2026-01-17T04:59:59Z')).toBe('2026-01-17T04:59:59Z');
});

test('what is no instant is a mistake of ours', () => {
  expect(() => within('yesterday', window('00:00-01:00'))).toThrow('"yesterday" is no instant');
});

/** Days on which the clocks are changed. Lord Howe changes by 30 minutes, Cairo at midnight. */
const changes = [
  { timeZone: 'America/New_York', forward: '2026-03-08', back: '2026-11-01' },
  { timeZone: 'Europe/Berlin', forward: '2026-03-29', back: '2026-10-25' },
  { timeZone: 'Africa/Cairo', forward: '2026-04-24', back: '2026-10-29' },
  { timeZone: 'Australia/Lord_Howe', forward: '2026-10-04', back: '2026-04-05' },
] as const;

/** What the clocks show, in another way than the code under test. */
const clock = (timeZone: string, at: number): { readonly minute: number; readonly weekday: string } => {
  const parts = new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit' })
    .formatToParts(new Date(at))
    .map(({ value }) => value);
  const [hour = 0, minute = 0] = parts.filter((part) => /^\d\d$/.test(part)).map(Number);
  return { minute: hour * 60 + minute, weekday: parts[0] ?? '' };
};

const cases = changes.flatMap(({ timeZone, forward, back }) => [
  { timeZone, day: forward, change: 'forward' },
  { timeZone, day: back, change: 'back' },
]);

/** Every five minutes of the two days around the change, with what the clocks show. */
const aroundOf = (timeZone: string, day: string): readonly { at: number; minute: number; weekday: string }[] =>
  Array.from(
    { length: (48 * 60) / 5 },
    (_, step) => Date.parse(`${day}T12:00:00Z`) - 30 * HOUR_MS + step * 5 * MINUTE_MS,
  ).map((at) => ({ at, ...clock(timeZone, at) }));

describe.each(cases)('in $timeZone on $day, when the clocks go $change', ({ timeZone, day, change }) => {
  const around = aroundOf(timeZone, day);
  const iso = (at: number): string => new Date(at).toISOString();

  test('every window is one stretch that holds whatever the clocks show of it, and nothing else', () => {
    for (let from = 0; from < 24 * 60; from += 15) {
      for (const length of [15, 45, 120, 540]) {
        const to = (from + length) % (24 * 60);
        const tested = { days: [], fromMinute: from, toMinute: to, timeZone };
        const holds = (minute: number): boolean =>
          to > from ? minute >= from && minute < to : minute >= from || minute < to;
        const held = around.map(({ at }) => hours.isWithin([tested], iso(at)));
        const shown = around.map(({ minute }) => holds(minute));
        // What the clocks show is held, always.
        const missed = around.filter((_, index) => shown[index] === true && held[index] !== true);
        // What is held beyond it lies between two times the clocks show of it, at most an hour apart: the hour that came twice.
        const beyond = around.filter((_, index) => {
          if (held[index] !== true || shown[index] === true) return false;
          const before = shown.slice(Math.max(0, index - 12), index);
          return change !== 'back' || !before.includes(true) || !shown.slice(index, index + 13).includes(true);
        });
        expect({ missed, beyond }, windowText(tested)).toEqual({ missed: [], beyond: [] });
      }
    }
  });

  test('every window is left when it is over, not before and not twice', () => {
    for (let from = 0; from < 24 * 60; from += 30) {
      for (const length of [30, 90, 540]) {
        const tested = { days: [], fromMinute: from, toMinute: (from + length) % (24 * 60), timeZone };
        const wrong = around.filter(({ at }) => {
          const left = hours.firstOutside([tested], iso(at));
          if (hours.isWithin([tested], left)) return true;
          return hours.isWithin([tested], iso(at))
            ? !hours.isWithin([tested], iso(Date.parse(left) - 1))
            : left !== iso(at);
        });
        expect(wrong, windowText(tested)).toEqual([]);
      }
    }
  });

  test('the answers do not depend on what was asked before', () => {
    const tested = window('22:30-02:15', timeZone);
    const forward = around.map(({ at }) => hours.isWithin([tested], iso(at)));
    const backward = around.toReversed().map(({ at }) => hours.isWithin([tested], iso(at)));
    expect(backward.toReversed()).toEqual(forward);
  });
});

describe('on days when the clocks change', () => {
  test.each([
    {
      caption: 'a night is an hour shorter when the clocks go forward',
      window: window('22:00-07:00', 'Europe/Berlin'),
      at: '2026-03-28T21:00:00Z',
      end: '2026-03-29T05:00:00.000000Z',
    },
    {
      caption: 'a night is an hour longer when they go back',
      window: window('22:00-07:00', 'America/New_York'),
      at: '2026-11-01T02:00:00Z',
      end: '2026-11-01T12:00:00.000000Z',
    },
    {
      caption: 'an end that is skipped is where the clocks were set forward (Berlin, 02:30)',
      window: window('22:00-02:30', 'Europe/Berlin'),
      at: '2026-03-28T21:00:00Z',
      end: '2026-03-29T01:00:00.000000Z',
    },
    {
      caption: 'of an end that comes twice the second counts (New York, 01:30)',
      window: window('22:00-01:30', 'America/New_York'),
      at: '2026-11-01T02:00:00Z',
      end: '2026-11-01T06:30:00.000000Z',
    },
    {
      caption: 'midnight is skipped in Cairo, so the evening ends at 01:00',
      window: window('20:00-24:00', 'Africa/Cairo'),
      at: '2026-04-23T19:00:00Z',
      end: '2026-04-23T22:00:00.000000Z',
    },
    {
      caption: 'the last hour of the day comes twice in Cairo',
      window: window('20:00-24:00', 'Africa/Cairo', 4),
      at: '2026-10-29T18:00:00Z',
      end: '2026-10-29T22:00:00.000000Z',
    },
    {
      caption: 'half an hour comes twice on Lord Howe Island',
      window: window('01:00-01:45', 'Australia/Lord_Howe'),
      at: '2026-04-04T14:00:00Z',
      end: '2026-04-04T15:15:00.000000Z',
    },
  ])('$caption', ({ window: tested, at, end }) => {
    expect(within(at, tested)).toBe(true);
    expect(outside(at, tested)).toBe(end);
  });

  test('a window that is skipped whole is no window on that day', () => {
    const skipped = window('02:15-02:45', 'Europe/Berlin');
    for (let minute = 0; minute < 24 * 60; minute += 1) {
      const at = new Date(Date.parse('2026-03-28T23:00:00Z') + minute * MINUTE_MS).toISOString();
      expect(within(at, skipped), at).toBe(false);
      if (at >= '2026-03-29T22:00') break;
    }
    expect(within('2026-03-30T00:30:00Z', skipped)).toBe(true);
  });
});

test('a storm may ask often, also in the night when the clocks change', () => {
  const nights = [window('22:00-07:00', 'Europe/Berlin'), window('00:00-24:00', 'America/New_York', 6, 7)];
  const began = performance.now();
  for (let count = 0; count < 20_000; count += 1) hours.firstOutside(nights, '2026-03-28T22:30:00.000000Z');
  // About 20 ms; a hundred times that and more when each answer asks Intl.
  expect(performance.now() - began).toBeLessThan(1_000);
});

describe('for people', () => {
  test.each([
    [window('22:00-07:00', 'Europe/Berlin', 1, 2, 3, 4, 5), 'mon-fri 22:00-07:00 Europe/Berlin'],
    [window('00:00-24:00', 'UTC', 7, 6), 'sat, sun 00:00-24:00 UTC'],
    [window('09:05-17:30', 'UTC', 1, 2, 3, 5, 7), 'mon-wed, fri, sun 09:05-17:30 UTC'],
    [window('00:00-01:00', 'UTC'), 'every day 00:00-01:00 UTC'],
  ])('%j is %s', (shown, words) => {
    expect(windowText(shown)).toBe(words);
  });
});

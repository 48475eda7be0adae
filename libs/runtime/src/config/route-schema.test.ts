import { describe, expect, test } from 'vitest';
import type { RouteConfig } from './config.ts';
import { loadText, problemsOfText } from './config-file.fixture.ts';

const route = (keys: string) => `routes: [{ name: a, channels: [outbox], ${keys} }]`;

const loaded = (keys: string): RouteConfig => {
  const [first] = loadText(route(keys)).routes;
  if (first === undefined) throw new Error('there is no route');
  return first;
};

describe('a route', () => {
  test('may be for kinds, adapters and hours', () => {
    const yaml =
      'match: { kind: stuck, adapter: [research_jobs], during: [{ days: mon-fri, from: "08:00", to: "18:30", timezone: Europe/Berlin }] }';
    expect(loaded(yaml).match).toEqual({
      kind: ['stuck'],
      adapter: ['research_jobs'],
      during: [{ days: [1, 2, 3, 4, 5], fromMinute: 480, toMinute: 1_110, timeZone: 'Europe/Berlin' }],
    });
  });

  test('gathers as it says', () => {
    const yaml =
      'digest: { window: 30m, first_at_once: true, max_items: 25, all_quiet: { cron: 0 8 * * MON, timezone: Europe/Berlin } }';
    expect(loaded(yaml).digest).toEqual({
      windowMs: 1_800_000,
      firstAtOnce: true,
      itemsMax: 25,
      allQuiet: { cron: '0 8 * * MON', timeZone: 'Europe/Berlin' },
    });
    expect(loaded('digest: { all_quiet: { cron: "@daily" } }').digest.allQuiet).toEqual({
      cron: '@daily',
      timeZone: 'UTC',
    });
  });

  test('has quiet hours as a list, or with the severities that break through', () => {
    const window = '{ from: "22:00", to: "7:00", timezone: Africa/Cairo }';
    const night = { days: [], fromMinute: 1_320, toMinute: 420, timeZone: 'Africa/Cairo' };
    expect(loaded(`quiet_hours: [${window}]`)).toMatchObject({ quietHours: [night], breakThrough: ['critical'] });
    for (const [written, breakThrough] of [
      ['error', ['error']],
      ['[error, critical]', ['error', 'critical']],
      ['[]', []],
    ] as const) {
      expect(loaded(`quiet_hours: { windows: [${window}], break_through: ${written} }`)).toMatchObject({
        quietHours: [night],
        breakThrough,
      });
    }
    expect(loaded(`quiet_hours: { windows: [${window}] }`).breakThrough).toEqual(['critical']);
  });

  test.each([
    ['mon', [1]],
    ['mon-fri', [1, 2, 3, 4, 5]],
    ['sat-mon', [1, 6, 7]],
    ['[sun, tue-wed, tue]', [2, 3, 7]],
    ['mon-sun', [1, 2, 3, 4, 5, 6, 7]],
  ])('its days may be written as %s', (written, days) => {
    const yaml = `quiet_hours: [{ days: ${written}, from: "00:00", to: "06:00", timezone: UTC }]`;
    expect(loaded(yaml).quietHours[0]?.days).toEqual(days);
  });

  test('its hours may be a whole day', () => {
    const yaml = 'quiet_hours: [{ days: sun, from: "00:00", to: "24:00", timezone: UTC }]';
    expect(loaded(yaml).quietHours).toEqual([{ days: [7], fromMinute: 0, toMinute: 1_440, timeZone: 'UTC' }]);
  });

  test('is in UTC where it names no time zone, and says so once', () => {
    const yaml = route(
      'match: { during: [{ from: "08:00", to: "18:00" }] }, quiet_hours: { windows: [{ from: "22:00", to: "07:00" }, { from: "12:00", to: "13:00" }] }',
    );
    const { routes, warnings } = loadText(yaml);
    expect(routes[0]?.quietHours[0]?.timeZone).toBe('UTC');
    expect(warnings.filter((warning) => warning.startsWith('routes'))).toEqual([
      'routes[0].match.during[0] names no timezone, so its hours are in UTC; write timezone: UTC if that is meant.',
      'routes[0].quiet_hours.windows[0] names no timezone, so its hours are in UTC; write timezone: UTC if that is meant.',
    ]);
  });
});

const at = 'routes[0].quiet_hours';
const quiet = (window: string) => route(`quiet_hours: [{ from: "22:00", to: "07:00", timezone: UTC, ${window} }]`);

describe('it refuses', () => {
  test.each([
    {
      caption: 'a time that no clock shows',
      yaml: route('quiet_hours: [{ from: "25:00", to: "24:01" }]'),
      problems: [
        `${at}[0].from: must be a time of day from 00:00 to 23:59, such as 07:30; got "25:00"`,
        `${at}[0].to: must be a time of day from 00:00 to 24:00, such as 07:30; got "24:01"`,
      ],
    },
    {
      caption: 'an hour alone',
      yaml: route('quiet_hours: [{ from: 22, to: "07:00" }]'),
      problems: [`${at}[0].from: must be text (put it in quotes); got 22`],
    },
    {
      caption: 'a window without an end',
      yaml: route('quiet_hours: [{ from: "22:00" }]'),
      problems: [`${at}[0].to: is missing; it must be text`],
    },
    {
      caption: 'an unknown day, with the nearest one',
      yaml: quiet('days: monday'),
      problems: [
        `${at}[0].days: must be days such as mon, or mon-fri; "monday" is none; did you mean "mon"?; got "monday"`,
      ],
    },
    {
      caption: 'an unknown day in a list',
      yaml: quiet('days: [mon, xyz-fri]'),
      problems: [
        `${at}[0].days[1]: must be days such as mon, or mon-fri; "xyz" is none; valid: mon, tue, wed, thu, fri, sat, sun; got "xyz-fri"`,
      ],
    },
    {
      caption: 'three days with dashes',
      yaml: quiet('days: mon-wed-fri'),
      problems: [
        `${at}[0].days: must be one day, such as mon, or two with a dash between them, such as mon-fri; got "mon-wed-fri"`,
      ],
    },
    {
      caption: 'no day at all',
      yaml: quiet('days: []'),
      problems: [
        `${at}[0].days: the list is empty, so the window would never begin; leave it out for every day; got []`,
      ],
    },
    {
      caption: 'an offset as time zone',
      yaml: route('quiet_hours: [{ from: "22:00", to: "07:00", timezone: "+02:00" }]'),
      problems: [
        `${at}[0].timezone: must be the IANA name of a time zone, such as UTC, Europe/Berlin or America/New_York; got "+02:00"`,
      ],
    },
    {
      caption: 'an unknown key of a window in a list',
      yaml: quiet('till: "07:00"'),
      problems: [`${at}[0].till: unknown key; valid: days, from, to, timezone`],
    },
    {
      caption: 'an unknown key of a window in a mapping, with the nearest one',
      yaml: route('quiet_hours: { windows: [{ from: "22:00", to: "07:00", time_zone: UTC }], breakthrough: error }'),
      problems: [
        `${at}.windows[0].time_zone: unknown key; did you mean "timezone"?`,
        `${at}.breakthrough: unknown key; did you mean "break_through"?`,
      ],
    },
    {
      caption: 'an unknown severity that breaks through',
      yaml: route('quiet_hours: { windows: [{ from: "22:00", to: "07:00" }], break_through: [critcal] }'),
      problems: [
        `${at}.break_through[0]: must be one of info, warning, error, critical; did you mean "critical"?; got "critcal"`,
      ],
    },
    {
      caption: 'hours as text',
      yaml: route('quiet_hours: night'),
      problems: [
        `${at}: must be a list of windows, such as [{ from: "22:00", to: "07:00", timezone: Europe/Berlin }], or a mapping with windows and break_through; got "night"`,
      ],
    },
    {
      caption: 'hours that never end',
      yaml: route('quiet_hours: [{ from: "06:00", to: "18:00" }, { from: "18:00", to: "06:00" }]'),
      problems: [
        `${at}: never end, so nothing would be told; leave some time between them; got [{"from":"06:00","to":"18:00"},{"from":"18:00","to":"06:00"}]`,
      ],
    },
    {
      caption: 'hours of a route that are none',
      yaml: route('match: { during: [] }'),
      problems: ['routes[0].match.during: the list is empty, so the route would never be used; leave it out; got []'],
    },
    {
      caption: 'too many items, and none',
      yaml: `routes: [{ name: a, channels: [outbox], digest: { max_items: 101 } }, { name: b, channels: [outbox], digest: { max_items: 0 } }]`,
      problems: [
        'routes[0].digest.max_items: must be at most 100; got 101',
        'routes[1].digest.max_items: must be at least 1; got 0',
      ],
    },
    {
      caption: 'a time that is none',
      yaml: route('digest: { all_quiet: { cron: 0 8 * *, timezone: Europe/Berlin } }'),
      problems: [
        'routes[0].digest.all_quiet.cron: must have five fields, or six with the seconds first; write minute, hour, day of the month, month and day of the week, such as 30 3 * * 1; got "0 8 * *"',
      ],
    },
    {
      caption: 'a wrong zone once',
      yaml: route('digest: { all_quiet: { cron: 0 8 * * *, timezone: Berlin } }'),
      problems: [
        'routes[0].digest.all_quiet.timezone: must be the IANA name of a time zone, such as UTC, Europe/Berlin or America/New_York; got "Berlin"',
      ],
    },
  ])('$caption', ({ yaml, problems }) => {
    expect(problemsOfText(yaml)).toEqual(problems);
  });
});

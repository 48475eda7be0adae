import { z } from 'zod';
import { hours, type TimeWindow, weekdayNames } from '../time-windows.ts';
import { timeZoneProblem } from '../zone-time.ts';
import { suggestName } from './nearest-name.ts';
import { SEVERITIES } from './rule-schema.ts';
import { checkedText, listOf } from './setting-schemas.ts';

const DAY_PATTERN = `(?:${weekdayNames.join('|')})`;

/** What is wrong with days such as `mon` or `mon-fri`, and the cure, or undefined. */
function daysProblem(written: string): string | undefined {
  const parts = written.split('-');
  const unknown = parts.find((part) => !weekdayNames.includes(part));
  if (unknown !== undefined) {
    return `must be days such as mon, or mon-fri; ${JSON.stringify(unknown)} is none${suggestName(unknown, weekdayNames)}`;
  }
  return parts.length > 2
    ? 'must be one day, such as mon, or two with a dash between them, such as mon-fri'
    : undefined;
}

/** Reads what `daysProblem` finds nothing wrong with: 1 is Monday. `sat-mon` goes on over the end of the week. */
function parseDays(written: string): readonly number[] {
  const [first = 0, last = first] = written.split('-').map((day) => weekdayNames.indexOf(day));
  const count = ((last - first + 7) % 7) + 1;
  return Array.from({ length: count }, (_, index) => ((first + index) % 7) + 1);
}

const dayText = checkedText(daysProblem).meta({ pattern: `^${DAY_PATTERN}(?:-${DAY_PATTERN})?$` });

const days = z
  .union([dayText, listOf(dayText, 'the list is empty, so the window would never begin; leave it out for every day')])
  .transform((written): readonly number[] =>
    [...new Set((typeof written === 'string' ? [written] : written).flatMap(parseDays))].toSorted((a, b) => a - b),
  );

/** A time of day; minutes after midnight afterwards. `lastRule`: whether 24:00, the end of the day, is one. */
const timeOfDay = (withEnd: boolean) => {
  const pattern = `^(?:(?:[01]?[0-9]|2[0-3]):[0-5][0-9]${withEnd ? '|24:00' : ''})$`;
  const rule = `must be a time of day from 00:00 to ${withEnd ? '24:00' : '23:59'}, such as 07:30`;
  return checkedText((written) => (new RegExp(pattern).test(written) ? undefined : rule))
    .meta({ pattern })
    .transform((written) => {
      const [hour = 0, minute = 0] = written.split(':').map(Number);
      return hour * 60 + minute;
    });
};

/** Hours of a day in a time zone. */
export const timeWindow = z
  .strictObject({
    days: days.describe('Days on which it begins: mon, mon-fri, or a list. Default: every day.').optional(),
    from: timeOfDay(false).describe('When it begins, by the clocks of the zone.'),
    to: timeOfDay(true).describe('When it ends; on the next day where that is not after from.'),
    timezone: checkedText(timeZoneProblem).describe('IANA name of the time zone. Default: UTC.').optional(),
  })
  .transform((written): TimeWindow => ({
    days: written.days ?? [],
    fromMinute: written.from,
    toMinute: written.to,
    timeZone: written.timezone ?? 'UTC',
  }));

/** Two days of which at least one is not in daylight saving time, so that hours which never end in either never end. */
const PROBES = ['2026-01-14T12:00:00Z', '2026-07-15T12:00:00Z'] as const;

/** Do the windows leave no time between them? */
const neverEnds = (windows: readonly TimeWindow[]): boolean =>
  PROBES.some((at) => hours.isWithin(windows, at) && hours.firstOutside(windows, at) === at);

const windows = listOf(timeWindow, 'the list is empty; leave quiet_hours out').superRefine((written, context) => {
  if (context.issues.length === 0 && neverEnds(written)) {
    context.addIssue('never end, so nothing would be told; leave some time between them');
  }
});

type Severity = (typeof SEVERITIES)[number];
const SEVERITY = z.enum(SEVERITIES);

const BREAK_THROUGH_DEFAULT: readonly Severity[] = ['critical'];

/** `quiet_hours` of a route: windows, or a mapping with them and the severities that are told at once all the same. */
export const quietHours = z
  .union(
    [
      windows,
      z.strictObject({
        windows: windows.describe('When the route is quiet.'),
        break_through: z
          .union([SEVERITY, z.array(SEVERITY)])
          .transform((value): readonly Severity[] => (typeof value === 'string' ? [value] : value))
          .describe('Severities that are told at once all the same: one or a list; [] for none. Default: critical.')
          .optional(),
      }),
    ],
    {
      error: ({ input }) =>
        typeof input === 'object' && input !== null
          ? undefined
          : 'must be a list of windows, such as [{ from: "22:00", to: "07:00", timezone: Europe/Berlin }], or a mapping with windows and break_through',
    },
  )
  .transform((written) => {
    if (Array.isArray(written)) return { windows: written, breakThrough: BREAK_THROUGH_DEFAULT };
    return { windows: written.windows, breakThrough: written.break_through ?? BREAK_THROUGH_DEFAULT };
  });

import { InvariantError } from './errors.ts';
import { wallAt } from './zone-time.ts';

/**
 * Hours of the day in time zones: quiet hours, hours of a route. A window is one stretch of time, from when the clocks
 * first show its beginning to when they last show its end; whatever the clocks show twice in between belongs to it. So a
 * change of the clocks neither interrupts quiet hours nor ends them before the clocks say so:
 *
 * - A beginning or end that is skipped (02:30, when 03:00 follows 02:00) is when the clocks are set forward.
 * - Of a beginning that comes twice the first counts; of an end the second, if times before it come again.
 */

/** Hours of a day in a time zone. Where `toMinute` is not after `fromMinute` they end on the next day; both equal: 24 hours. */
export type TimeWindow = {
  /** 1 is Monday, 7 Sunday: days on which they begin, by the calendar of the zone. Empty: every day. */
  readonly days: readonly number[];
  /** Minutes after midnight by the clocks of the zone. */
  readonly fromMinute: number;
  /** At most 1440, the end of the day; not part of the window. */
  readonly toMinute: number;
  /** IANA name. */
  readonly timeZone: string;
};

/** Answers about windows. Instants are ISO-8601 in UTC. */
export type Hours = {
  /** Whether an instant lies in any of the windows. */
  readonly isWithin: (windows: readonly TimeWindow[], at: string) => boolean;
  /**
   * The first instant, not before `at`, that lies in none of them: `at` as it was given, or the end of a window with six
   * digits of fraction. `at` itself when there is none within eight days.
   */
  readonly firstOutside: (windows: readonly TimeWindow[], at: string) => string;
};

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** How far ahead the end of windows is looked for: whatever repeats by the week has shown itself by then. */
const AHEAD_MAX_MS = 8 * DAY_MS;
/** Most ends of windows passed on the way; a window has at most one a day. */
const ENDS_MAX = 1_000;

/** Beyond this no stretch around an instant reaches. No zone has two changes of its clocks within twice that and a day. */
const AROUND_MS = 3 * DAY_MS;
/** Most days kept of a zone. */
const KNOWN_DAYS_MAX = 16;
/** Enough to find a moment within a week to the millisecond. */
const HALVINGS_MAX = 32;

/** The 1st of January 1970 was a Thursday. */
const WEEKDAY_OF_EPOCH = 4;
const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

export const hours: Hours = {
  isWithin: (windows, at) => windows.length > 0 && latestEnd(windows, millisecondsOf(at)) !== undefined,
  firstOutside: (windows, at) => {
    if (windows.length === 0) return at;
    const fromMs = millisecondsOf(at);
    let outsideMs = fromMs;
    for (let count = 0; count < ENDS_MAX && outsideMs <= fromMs + AHEAD_MAX_MS; count += 1) {
      const endMs = latestEnd(windows, outsideMs);
      if (endMs === undefined) return outsideMs === fromMs ? at : inMicroseconds(outsideMs);
      outsideMs = endMs;
    }
    return at;
  },
};

/** Names of the days of a week as they are written in the file: `mon` is 1. */
export const weekdayNames: readonly string[] = WEEKDAYS;

/** A window for people: `mon-fri 22:00-07:00 Europe/Berlin`, `every day 00:00-24:00 UTC`. */
export const windowText = ({ days, fromMinute, toMinute, timeZone }: TimeWindow): string =>
  `${days.length === 0 ? 'every day' : daysText(days)} ${clockText(fromMinute)}-${clockText(toMinute)} ${timeZone}`;

/** `mon-wed, sat`: days in the order of the week, neighbours as a range. */
const daysText = (days: readonly number[]): string => {
  const runs: number[][] = [];
  for (const day of [...new Set(days)].toSorted((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run !== undefined && run.at(-1) === day - 1) run.push(day);
    else runs.push([day]);
  }
  return runs
    .map((run) =>
      run.length > 2
        ? [run.slice(0, 1), run.slice(-1)].map(nameOf).join('-')
        : run.map((day) => nameOf([day])).join(', '),
    )
    .join(', ');
};

const nameOf = ([day = 1]: readonly number[]): string => WEEKDAYS[day - 1] ?? String(day);

const clockText = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

/** When the last of the windows that hold an instant ends; undefined when none holds it. */
const latestEnd = (windows: readonly TimeWindow[], atMs: number): number | undefined => {
  let latestMs: number | undefined;
  for (const window of windows) {
    const endMs = endOfStretch(window, atMs);
    if (endMs !== undefined && (latestMs === undefined || endMs > latestMs)) latestMs = endMs;
  }
  return latestMs;
};

/** The end of the window's stretch around an instant; undefined when there is none. */
const endOfStretch = ({ days, fromMinute, toMinute, timeZone }: TimeWindow, atMs: number): number | undefined => {
  const clocks = clocksAround(timeZone, atMs);
  const today = Math.floor((atMs + offsetAt(clocks, atMs)) / DAY_MS);
  const lengthDays = toMinute > fromMinute ? 0 : 1;
  // Yesterday's may go on; around a change of the clocks at midnight one day more, or tomorrow's, may be meant.
  for (let day = today + 1; day >= today - 2; day -= 1) {
    if (days.length > 0 && !days.includes(weekdayOf(day))) continue;
    if (atMs < startAt(clocks, day * DAY_MS + fromMinute * MINUTE_MS)) continue;
    const endMs = endAt(clocks, (day + lengthDays) * DAY_MS + toMinute * MINUTE_MS);
    if (atMs < endMs) return endMs;
  }
  return undefined;
};

/** 1 is Monday. `day` counts from the 1st of January 1970. */
const weekdayOf = (day: number): number => ((((day + WEEKDAY_OF_EPOCH - 1) % 7) + 7) % 7) + 1;

/** The clocks of a zone for some days, within which they are changed once at most: the offset before and from `changeMs` on. */
type Clocks = { readonly beforeMs: number; readonly afterMs: number; readonly changeMs: number };

const offsetAt = ({ beforeMs, afterMs, changeMs }: Clocks, instantMs: number): number =>
  instantMs < changeMs ? beforeMs : afterMs;

/** When the clocks first show a local time; when they were set forward, if they skip it. `wallMs` as in `zone-time.ts`. */
const startAt = ({ beforeMs, afterMs, changeMs }: Clocks, wallMs: number): number => {
  if (wallMs - beforeMs < changeMs) return wallMs - beforeMs;
  return Math.max(wallMs - afterMs, changeMs);
};

/** When the clocks for the last time have shown everything before a local time. */
const endAt = ({ beforeMs, afterMs, changeMs }: Clocks, wallMs: number): number => {
  if (wallMs - afterMs > changeMs) return wallMs - afterMs;
  return Math.min(wallMs - beforeMs, changeMs);
};

/** By zone and day. Zones are the checked ones of the configuration, so there are few. */
const knownClocks = new Map<string, Map<number, Clocks>>();

/** Kept, because asking `Intl` takes longer than everything else here, and a storm asks 100,000 times about a day or two. */
const clocksAround = (timeZone: string, atMs: number): Clocks => {
  const day = Math.floor(atMs / DAY_MS);
  const ofZone = knownClocks.get(timeZone) ?? new Map<number, Clocks>();
  const known = ofZone.get(day);
  if (known !== undefined) return known;
  const clocks = readClocks(timeZone, day * DAY_MS - AROUND_MS, (day + 1) * DAY_MS + AROUND_MS);
  if (ofZone.size >= KNOWN_DAYS_MAX) ofZone.clear();
  knownClocks.set(timeZone, ofZone.set(day, clocks));
  return clocks;
};

/** The change is found by halving, to the millisecond. */
const readClocks = (timeZone: string, fromMs: number, toMs: number): Clocks => {
  const read = (instantMs: number): number => wallAt(timeZone, instantMs) - instantMs;
  const beforeMs = read(fromMs);
  const afterMs = read(toMs);
  if (beforeMs === afterMs) return { beforeMs, afterMs, changeMs: Infinity };
  let low = fromMs;
  let high = toMs;
  for (let count = 0; count < HALVINGS_MAX && high - low > 1; count += 1) {
    const middle = Math.floor((low + high) / 2);
    if (read(middle) === beforeMs) low = middle;
    else high = middle;
  }
  return { beforeMs, afterMs, changeMs: high };
};

/** Bounds are whole milliseconds, so microseconds beyond them decide nothing. */
const millisecondsOf = (at: string): number => {
  const atMs = Date.parse(at);
  if (Number.isNaN(atMs)) {
    throw new InvariantError(`${JSON.stringify(at)} is no instant; write it as 2026-01-31T03:00:00.000000Z.`);
  }
  return atMs;
};

const inMicroseconds = (instantMs: number): string => new Date(instantMs).toISOString().replace('Z', '000Z');

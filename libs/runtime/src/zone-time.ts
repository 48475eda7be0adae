/**
 * Local times of a time zone and the instants they stand for, from the zone data of the runtime (`Intl`). A local time is
 * written as the milliseconds that the same reading of the clock would be in UTC ("wall" here), so that it can be counted
 * with.
 */

const HOUR_MS = 3_600_000;

/** Where the offset is looked up around a local time: no zone has two changes of its clock within a day. */
const PROBE_MS = 12 * HOUR_MS;

/** No clock in use is set by more than this at once (Troll station: two hours). */
export const CLOCK_CHANGE_MAX_MS = 3 * HOUR_MS;

/** Formatters are slow to make. One per zone that is used; the names are checked, so there are at most a few hundred. */
const formatters = new Map<string, Intl.DateTimeFormat>();

/**
 * What is wrong with the name of a time zone, and the cure, or undefined. Names of the IANA database are right (`UTC`,
 * `Europe/Berlin`); offsets such as `+02:00` are refused, because they know no daylight saving time.
 */
export function timeZoneProblem(name: string): string | undefined {
  if (/^[A-Za-z][\w+/-]*$/.test(name)) {
    try {
      formatterOf(name);
      return undefined;
    } catch {
      // A RangeError: the zone data does not know the name.
    }
  }
  return 'must be the IANA name of a time zone, such as UTC, Europe/Berlin or America/New_York';
}

/** What the clocks of a zone show at an instant, both in milliseconds. */
export function wallAt(timeZone: string, instantMs: number): number {
  const part: Record<string, number> = {};
  for (const { type, value } of formatterOf(timeZone).formatToParts(instantMs)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  const milliseconds = ((instantMs % 1_000) + 1_000) % 1_000;
  return Date.UTC(year, month - 1, day, hour, minute, second) + milliseconds;
}

/** Are the clocks of a zone changed within `CLOCK_CHANGE_MAX_MS` of an instant? */
export function isNearClockChange(timeZone: string, instantMs: number): boolean {
  return offsetAt(timeZone, instantMs - CLOCK_CHANGE_MAX_MS) !== offsetAt(timeZone, instantMs + CLOCK_CHANGE_MAX_MS);
}

/**
 * The instants at which the clocks of a zone show a local time, earliest first: one, or two where the clocks were set
 * back. A time that was left out, because the clocks were set forward, stands for the instant it would have been without
 * the change: 02:30 is then 03:30 (what RFC 5545, 3.3.5, says of such times).
 */
export function instantsOf(timeZone: string, wallMs: number): readonly number[] {
  const nearMs = wallMs - offsetAt(timeZone, wallMs);
  const before = offsetAt(timeZone, nearMs - PROBE_MS);
  const after = offsetAt(timeZone, nearMs + PROBE_MS);
  if (before === after) return [wallMs - before];
  const shown = [wallMs - before, wallMs - after].filter((instantMs) => wallAt(timeZone, instantMs) === wallMs);
  return shown.length === 0 ? [wallMs - before] : shown.toSorted((a, b) => a - b);
}

function offsetAt(timeZone: string, instantMs: number): number {
  return wallAt(timeZone, instantMs) - instantMs;
}

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone);
  if (known !== undefined) return known;
  const formatter = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formatters.set(timeZone, formatter);
  return formatter;
}

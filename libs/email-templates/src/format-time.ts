import { cleanLine } from './clean-text.ts';

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const unreadableCharactersMax = 40;

/** `Monday 9 Nov, 03:04 UTC`, for sentences. Text that is not an instant is returned cleaned and shortened. */
export const longTime = (instant: string): string => {
  const date = parse(instant);
  if (date === null) return cleanLine(instant, unreadableCharactersMax);
  return `${weekday(date)} ${dayAndMonth(date)}, ${clock(date)} UTC`;
};

/** `Mon 9 Nov, 03:04 UTC`, for lists. Text that is not an instant is returned cleaned and shortened. */
export const shortTime = (instant: string): string => {
  const date = parse(instant);
  if (date === null) return cleanLine(instant, unreadableCharactersMax);
  return `${weekday(date).slice(0, 3)} ${dayAndMonth(date)}, ${clock(date)} UTC`;
};

/** `03:07 UTC` when `instant` is on the same UTC day as `reference`, else with its day. */
export const timeNear = (instant: string, reference: string): string => {
  const date = parse(instant);
  const near = parse(reference);
  if (date === null || near === null) return shortTime(instant);
  return Math.floor(date.getTime() / dayMs) === Math.floor(near.getTime() / dayMs)
    ? `${clock(date)} UTC`
    : shortTime(instant);
};

/** A span in its two largest units, `2 h 5 min`, `3 d 4 h`, `45 s`; negative spans are zero. Units are cut, not rounded. */
export const formatDuration = (milliseconds: number): string => {
  const ms = Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : 0;
  if (ms < minuteMs) return `${Math.floor(ms / 1_000)} s`;
  if (ms < hourMs) return `${Math.floor(ms / minuteMs)} min`;
  if (ms < 2 * dayMs) return two(Math.floor(ms / hourMs), 'h', Math.floor((ms % hourMs) / minuteMs), 'min');
  return two(Math.floor(ms / dayMs), 'd', Math.floor((ms % dayMs) / hourMs), 'h');
};

/** Milliseconds from one instant to another; null when either cannot be read. */
export const between = (from: string, to: string): number | null => {
  const start = parse(from);
  const end = parse(to);
  return start === null || end === null ? null : end.getTime() - start.getTime();
};

// Only whole ISO instants: V8 reads a date out of nearly any text, `run-7` is 1 July 2001 to it.
const isoInstant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)$/;

const parse = (text: string): Date | null => {
  if (!isoInstant.test(text)) return null;
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? null : date;
};

const weekday = (date: Date): string => weekdays[date.getUTCDay()] ?? '';
const dayAndMonth = (date: Date): string => `${date.getUTCDate()} ${months[date.getUTCMonth()] ?? ''}`;
const clock = (date: Date): string => date.toISOString().slice(-13, -8);
const two = (large: number, largeUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;

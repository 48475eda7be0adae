import ms from 'ms';
import { TocsinError } from './errors.ts';

/** No setting of the product is longer than this, in milliseconds: ten years of 365 days. */
export const DURATION_MAX_MS = 3_650 * 86_400_000;

/** The one spelling of a duration, for the JSON Schema: a whole number and a unit, or a bare `0`. */
export const DURATION_PATTERN = '^(0|(0|[1-9][0-9]*)(ms|s|m|h|d))$';

/** What a duration must be, to follow "must be" or "write". */
export const DURATION_RULE = 'a whole number followed by ms, s, m, h or d, for example 500ms, 90s, 15m, 2h, 14d, or 0';

const UNITS = [
  { sizeMs: 86_400_000, literal: 'd', label: 'd' },
  { sizeMs: 3_600_000, literal: 'h', label: 'h' },
  { sizeMs: 60_000, literal: 'm', label: 'min' },
  { sizeMs: 1_000, literal: 's', label: 's' },
] as const;

/**
 * Reads a duration such as `500ms`, `90s`, `15m`, `2h`, `14d`, `0s` or a bare `0` and returns milliseconds.
 *
 * Stricter than the `ms` package on purpose: no fractions, no signs, no blanks, no long unit names and no number
 * without a unit, because `poll: 2` would mean 2 ms there and 2 s to its reader. A day is 24 hours.
 * Throws TocsinError `DURATION_INVALID` naming what was given and what is allowed.
 */
export function parseDuration(value: unknown): number {
  if (value === 0 || value === '0') return 0;
  if (typeof value === 'number') {
    throw invalidDuration(`${value} has no unit; write ${DURATION_RULE}`);
  }
  if (typeof value !== 'string' || !new RegExp(DURATION_PATTERN).test(value)) {
    throw invalidDuration(`${shown(value)} is not a duration; write ${DURATION_RULE}`);
  }
  const durationMs = ms(value as ms.StringValue);
  if (!(durationMs <= DURATION_MAX_MS)) {
    throw invalidDuration(`${shown(value)} is too long; the longest duration is ${durationLiteral(DURATION_MAX_MS)}`);
  }
  return durationMs;
}

/** The shortest spelling that `parseDuration` reads back to exactly `durationMs` (a whole number of milliseconds, 0 or more): `90s`, `15m`. */
export function durationLiteral(durationMs: number): string {
  if (durationMs === 0) return '0s';
  const unit = UNITS.find(({ sizeMs }) => durationMs % sizeMs === 0);
  return unit ? `${durationMs / unit.sizeMs}${unit.literal}` : `${durationMs}ms`;
}

/**
 * A duration for people, with at most two neighbouring units: `2 h 5 min`, `15 min`, `14 d`, `1 min 30 s`, `500 ms`.
 * Rounded to whole milliseconds below one second and to whole seconds above; what is smaller than the two units shown
 * is dropped. A negative duration keeps its sign (clocks differ). Not meant to be parsed again.
 */
export function formatDuration(durationMs: number): string {
  if (durationMs < 0) return `-${formatDuration(-durationMs)}`;
  const wholeMs = Math.round(durationMs);
  if (wholeMs === 0) return '0 s';
  if (wholeMs < 1_000) return `${wholeMs} ms`;
  const roundedMs = Math.round(wholeMs / 1_000) * 1_000;
  const first = UNITS.findIndex(({ sizeMs }) => roundedMs >= sizeMs);
  const parts: string[] = [];
  let restMs = roundedMs;
  for (const { sizeMs, label } of UNITS.slice(first, first + 2)) {
    const count = Math.floor(restMs / sizeMs);
    restMs -= count * sizeMs;
    if (count > 0) parts.push(`${count} ${label}`);
  }
  return parts.join(' ');
}

function invalidDuration(message: string): TocsinError {
  return new TocsinError('DURATION_INVALID', message);
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 60);
}

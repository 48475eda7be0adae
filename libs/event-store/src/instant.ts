import type { Instant } from '@tocsin/alert-model';
import { InvariantError } from '@tocsin/runtime';

const instantPattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?Z$/;

/**
 * The same instant with exactly six digits of fraction, the way this library hands out instants: such texts sort as the
 * times do. Digits beyond microseconds are cut off.
 *
 * @throws InvariantError when the text is no ISO-8601 instant in UTC.
 */
export const inMicroseconds = (instant: Instant): Instant => {
  const [, minutes, seconds = '00', fraction = ''] = instantPattern.exec(instant) ?? [];
  if (minutes === undefined)
    throw new InvariantError(
      `${JSON.stringify(instant)} is no instant in UTC; write it as 2026-01-31T03:00:00.000000Z.`,
    );
  return `${minutes}:${seconds}.${fraction.padEnd(6, '0')}Z`;
};

/** The instant `afterMs` milliseconds (whole ones) later, in microseconds. */
export const laterInstant = (instant: Instant, afterMs: number): Instant => {
  const exact = inMicroseconds(instant);
  const microseconds = exact.slice(-4, -1);
  const moved = new Date(Date.parse(`${exact.slice(0, -4)}Z`) + Math.round(afterMs)).toISOString();
  return `${moved.slice(0, -1)}${microseconds}Z`;
};

/**
 * SQL that gives a `timestamptz` as {@link inMicroseconds} writes it, whatever the session's time zone and the driver's
 * parsers. For columns and functions named in this library, never for values.
 */
export const instantText = (sql: string): string =>
  `to_char(${sql} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

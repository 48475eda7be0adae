import type { Instant } from './ids.ts';

/**
 * Orders two instants: negative when `a` is earlier. Both in UTC with `Z`; the number of fraction digits may differ,
 * which is why the texts cannot be compared as they are.
 */
export const compareInstants = (a: Instant, b: Instant): number => {
  const left = sortable(a);
  const right = sortable(b);
  return left < right ? -1 : left > right ? 1 : 0;
};

export const isAfter = (a: Instant, b: Instant): boolean => compareInstants(a, b) > 0;
export const earlier = (a: Instant, b: Instant): Instant => (compareInstants(a, b) <= 0 ? a : b);
export const later = (a: Instant, b: Instant): Instant => (compareInstants(a, b) >= 0 ? a : b);

/** The instant `ms` milliseconds after `at`, to the millisecond. */
export const addMs = (at: Instant, ms: number): Instant => new Date(Date.parse(at) + ms).toISOString();

/** Milliseconds from `from` to `to`; negative when `to` is earlier. */
export const msBetween = (from: Instant, to: Instant): number => Date.parse(to) - Date.parse(from);

/** `2026-03-01T03:04:05` and six fraction digits: fixed width, so that text order is time order. */
const sortable = (at: Instant): string =>
  at.slice(0, 19) + (at[19] === '.' ? at.slice(20, -1) : '').padEnd(6, '0').slice(0, 6);

import { formatDuration } from '@tocsin/runtime';

/** `2026-03-02 03:04:05`; whoever prints it says that it is UTC. */
export const utcTime = (instant: string): string => instant.slice(0, 19).replace('T', ' ');

/** `2 h 5 min ago`, `in 12 min`, `just now`. */
export const relativeTime = (instant: string, now: string): string => {
  const ms = Date.parse(now) - Date.parse(instant);
  if (Math.abs(ms) < 1_000) return 'just now';
  return ms > 0 ? `${formatDuration(ms)} ago` : `in ${formatDuration(-ms)}`;
};

/** `2026-03-02 03:04:05 UTC (2 h 5 min ago)`. Both by the database's clock. */
export const moment = (instant: string, now: string): string =>
  `${utcTime(instant)} UTC (${relativeTime(instant, now)})`;

/** For narrow columns, the larger unit only: `5 min ago`, `2 h ago`, `3 d ago`. */
export const age = (instant: string, now: string): string => {
  const text = relativeTime(instant, now);
  return text.replace(/^(in )?(\d+ (?:d|h|min|s|ms)) \d+ (?:h|min|s)/, '$1$2');
};

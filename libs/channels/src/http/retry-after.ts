/** Headers of an answer, names in lower case. */
export type AnswerHeaders = Readonly<Record<string, unknown>>;

/**
 * How long the provider asks to wait, in milliseconds; null when it does not say, or names a time that has passed, so
 * that the caller's own back-off holds.
 *
 * Reads `Retry-After` in seconds or as date (RFC 9110, section 10.2.3) and SendGrid's `X-RateLimit-Reset` in seconds
 * since 1970, and takes the longer wait. Dates are compared with the answer's own `Date`, so that a wrong local clock
 * does no harm.
 *
 * @param nowMs local time, used when the answer has no `Date`
 */
export const retryAfterMs = (headers: AnswerHeaders, nowMs: number): number | null => {
  const now = dateMs(headers['date']) ?? nowMs;
  const waits = [retryAfterWait(headers['retry-after'], now), resetWait(headers['x-ratelimit-reset'], now)].filter(
    (wait) => wait !== null && wait > 0,
  );
  return waits.length === 0 ? null : Math.max(...waits.map(Number));
};

const retryAfterWait = (value: unknown, now: number): number | null => {
  const seconds = wholeSeconds(value);
  if (seconds !== null) return seconds * 1_000;
  const date = dateMs(value);
  return date === null ? null : date - now;
};

const resetWait = (value: unknown, now: number): number | null => {
  const seconds = wholeSeconds(value);
  return seconds === null ? null : seconds * 1_000 - now;
};

const wholeSeconds = (value: unknown): number | null =>
  typeof value === 'string' && /^\d{1,12}$/.test(value.trim()) ? Number(value) : null;

// Only the form that HTTP prescribes: `Date.parse` reads a date out of nearly any text.
const httpDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

const dateMs = (value: unknown): number | null => {
  if (typeof value !== 'string' || !httpDate.test(value.trim())) return null;
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? null : ms;
};

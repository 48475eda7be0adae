import { DURATION_PATTERN, DURATION_RULE, durationLiteral, parseDuration } from '../duration.ts';
import { TocsinError } from '../errors.ts';
import { emailAddressProblem, RECIPIENTS_MAX } from './email-address.ts';

/**
 * One rule per kind of setting, used for the file and the environment alike. Each answers what is wrong with a value
 * and how to put it right, or undefined. None repeats the value: the caller shows it, masked where it is secret.
 */

export const POSTGRES_PROTOCOLS = ['postgres:', 'postgresql:'] as const;
export const SMTP_PROTOCOLS = ['smtp:', 'smtps:'] as const;
export const HTTP_PROTOCOLS = ['https:', 'http:'] as const;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Inclusive bounds of a duration, in milliseconds. */
export type DurationBounds = { readonly minMs: number; readonly maxMs: number };

/** What each duration of the configuration may be. */
export const DURATION_BOUNDS = {
  poll: { minMs: 100, maxMs: HOUR_MS },
  reconcile: { minMs: 1_000, maxMs: DAY_MS },
  lookBack: { minMs: MINUTE_MS, maxMs: 3_650 * DAY_MS },
  digestWindow: { minMs: 0, maxMs: 7 * DAY_MS },
  escalateAfter: { minMs: 1_000, maxMs: 30 * DAY_MS },
  retention: { minMs: DAY_MS, maxMs: 3_650 * DAY_MS },
  attemptTimeout: { minMs: 500, maxMs: 5 * MINUTE_MS },
  unknownRetry: { minMs: 500, maxMs: HOUR_MS },
  claim: { minMs: 1_000, maxMs: 5 * MINUTE_MS },
  tableRetention: { minMs: 1_000, maxMs: 3_650 * DAY_MS },
  /** How long a job, or all jobs of a type, may show nothing. */
  silence: { minMs: 1_000, maxMs: 365 * DAY_MS },
  /** Failures below a threshold are kept for 14 days. */
  thresholdWithin: { minMs: 1_000, maxMs: 14 * DAY_MS },
  backoff: { minMs: 0, maxMs: DAY_MS },
  deadline: { minMs: 1_000, maxMs: 365 * DAY_MS },
  every: { minMs: MINUTE_MS, maxMs: 366 * DAY_MS },
  grace: { minMs: 0, maxMs: 31 * DAY_MS },
  stormWithin: { minMs: 1_000, maxMs: DAY_MS },
  stormUpdate: { minMs: 1_000, maxMs: DAY_MS },
  flapHold: { minMs: 1_000, maxMs: 7 * DAY_MS },
  staleAfter: { minMs: 1_000, maxMs: DAY_MS },
  audit: { minMs: 1_000, maxMs: HOUR_MS },
  canary: { minMs: 1_000, maxMs: 7 * DAY_MS },
  ratePer: { minMs: 100, maxMs: DAY_MS },
} as const satisfies Record<string, DurationBounds>;

/** A duration within its bounds. */
export function durationProblem(value: unknown, { minMs, maxMs }: DurationBounds): string | undefined {
  if (typeof value === 'number' && value !== 0) return `must have a unit, such as ${value}s or ${value}m`;
  if (value !== 0 && !(typeof value === 'string' && new RegExp(DURATION_PATTERN).test(value))) {
    return `must be ${DURATION_RULE}`;
  }
  const tooLong = `must be at most ${durationLiteral(maxMs)}`;
  try {
    const valueMs = parseDuration(value);
    if (valueMs < minMs) return `must be at least ${durationLiteral(minMs)}`;
    return valueMs > maxMs ? tooLong : undefined;
  } catch (error) {
    if (error instanceof TocsinError) return tooLong;
    throw error;
  }
}

/** A share of a whole: a number such as `0.05`, or `5%`, at least `min` (inclusive) and below 1. */
export function shareProblem(value: unknown, min: number): string | undefined {
  const form = 'must be a share, such as 0.05 or "5%"';
  if (typeof value !== 'number' && typeof value !== 'string') return form;
  const share = parseShare(value);
  if (Number.isNaN(share)) return form;
  if (share < min) return min > 0 ? `${form}, above 0` : `${form}, not below 0`;
  return share >= 1 ? `${form}, below 1, since nothing is more than all` : undefined;
}

/** Reads a share; NaN for what is none. */
export function parseShare(value: number | string): number {
  if (typeof value === 'number') return value;
  const percent = /^(\d{1,3}(?:\.\d{1,4})?) ?%$/.exec(value)?.[1];
  if (percent === undefined) return Number.NaN;
  // Divided as decimal text, so that 7 % is 0.07 and not 0.07000000000000001.
  return Number((Number(percent) / 100).toPrecision(12));
}

/** A URL of one of these protocols, each with its colon (`https:`). */
export function urlProblem(value: string, protocols: readonly string[]): string | undefined {
  const protocol = /\s/.test(value) ? undefined : URL.parse(value)?.protocol;
  if (protocol !== undefined && protocols.includes(protocol)) return undefined;
  return `must be a URL beginning with ${protocols.map((allowed) => `${allowed}//`).join(' or ')}`;
}

/** An API key. Blanks and line breaks come from copying and would break the header it is sent in. */
export function apiKeyProblem(key: string): string | undefined {
  if (key === '') return 'must not be empty';
  return /[^\u0021-\u007e]/.test(key) ? 'must be plain ASCII without blanks or line breaks' : undefined;
}

/** The recipients of one channel. Names the wrong address, since the list around it may be long. */
export function recipientsProblem(addresses: readonly string[]): string | undefined {
  if (addresses.length === 0) return 'names no recipient; write at least one e-mail address';
  if (addresses.length > RECIPIENTS_MAX) return `must have at most ${RECIPIENTS_MAX} recipients; use a mailing list`;
  for (const address of addresses) {
    const problem = emailAddressProblem(address);
    if (problem !== undefined) return `${JSON.stringify(address)}: ${problem}`;
  }
  return undefined;
}

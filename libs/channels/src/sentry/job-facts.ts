import type { MessageItem } from '@tocsin/alert-model';

/** What is known of the job of an item beyond its identity, in Sentry's terms. */
export interface JobFacts {
  /** `failed`, `stuck`, … */
  readonly kind: string;
  readonly jobId: string | null;
  readonly error: string | null;
  /** `HTTPError`; null when the error text names no class. */
  readonly errorType: string | null;
  readonly stage: string | null;
  /** Why, in a word that stays the same from one failure to the next: issues are grouped by it. */
  readonly reason: string;
  /** A field of the job's details by its name; null when the row has none. */
  readonly field: (name: string) => string | null;
}

/** How the detector words what it found, and the reason that stands for it. */
const stuckReasons: readonly (readonly [RegExp, string])[] = [
  [/^No heartbeat\b/, 'no-heartbeat'],
  [/^It beats, but\b/, 'no-progress'],
  [/^No sign of life\b/, 'no-sign-of-life'],
];

/** Reads the facts of an item's first cause: the one it is named after. */
export const jobFacts = (item: MessageItem): JobFacts => {
  const [cause] = item.causes;
  const [job] = cause?.jobs ?? [];
  const error = cause?.error ?? null;
  const kind = job?.kind ?? Object.keys(item.conditions ?? {})[0] ?? 'failed';
  const field = (name: string): string | null => {
    const fields = item.details?.fields ?? {};
    return Object.hasOwn(fields, name) ? (fields[name] ?? null) : null;
  };
  const errorType = errorTypeOf(error);
  return {
    kind,
    jobId: job?.jobId ?? null,
    error,
    errorType,
    stage: item.details?.stage ?? field('stage'),
    reason: field('failure_reason') ?? field('reason') ?? reasonOf(kind, error, errorType),
    field,
  };
};

const reasonOf = (kind: string, error: string | null, errorType: string | null): string => {
  if (kind === 'stuck') return stuckReasons.find(([words]) => words.test(error ?? ''))?.[1] ?? kind;
  return kind === 'failed' || kind === 'dead' ? (errorType ?? kind) : kind;
};

/** The class that an error text begins with: `requests.exceptions.HTTPError: 502 …` gives `HTTPError`. */
const errorTypeOf = (error: string | null): string | null =>
  /^(?:[\w$]{1,100}(?:\.|::)){0,10}([A-Z][\w$]{1,100})(?::|$)/.exec(error ?? '')?.[1] ?? null;

import type { FailureKind, OutcomeId } from '@tocsin/alert-model';
import { v5 } from 'uuid';

/** Namespace of outcome identities (RFC 9562, section 5.5). Never change it: every old failure would be new. */
const outcomeNamespace = '6f2d3b0e-5d0b-5a5e-9f0c-2c7a1b8e4d10';

/** What makes an outcome the same when it is read again, and another one when the job has failed again. */
export interface OutcomeIdentity {
  /** Name of the watched table in the configuration. */
  readonly table: string;
  readonly jobId: string;
  readonly kind: FailureKind | 'succeeded';
  /** When the job ended, started or was made, whichever is known first: UTC text with microseconds; null when nothing is known. */
  readonly at: string | null;
  readonly attempts: number | string | null;
}

/**
 * The identity of an outcome as a UUIDv5. Reading a row again gives the same one; a job that somebody set back and that
 * ended again has another end time, hence another one. The time of the last change is no part of it: touching a row is
 * no outcome.
 */
export const outcomeId = (identity: OutcomeIdentity): OutcomeId => {
  const { table, jobId, kind, at, attempts } = identity;
  // JSON keeps the parts apart whatever they hold; a number and its decimal text are the same count.
  const name = JSON.stringify([table, jobId, kind, at, attempts === null ? null : String(attempts)]);
  return v5(name, outcomeNamespace) as OutcomeId;
};

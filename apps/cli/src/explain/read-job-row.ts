import type { JobSource } from '@tocsin/job-sources';
import { quoteIdentifier, readFailures } from '@tocsin/job-sources';
import type { FailureSignal } from '@tocsin/alert-model';
import { isConnectionError } from '@tocsin/runtime';
import type { Queryable } from '@tocsin/runtime';

/** What a watched table says of one job now. */
export interface JobRow {
  readonly status: string | null;
  readonly attempts: string | null;
  readonly maxAttempts: string | null;
  /** Milliseconds since the row was changed last, by that database's clock. */
  readonly changedAgoMs: number | null;
  /** The failure as the detector would read it; null when the job has not failed for good. */
  readonly failure: FailureSignal | null;
}

/**
 * Looks a job up by its id; null when the table has none. The id is compared as the column's own type, so that the
 * primary key serves, and an id that cannot be of that type is no id of a job here.
 */
export const readJobRow = async (queryable: Queryable, source: JobSource, jobId: string): Promise<JobRow | null> => {
  const column = (field: keyof typeof source.mapping.columns): string =>
    quoteIdentifier(source.mapping.columns[field].column);
  try {
    const { rows } = await queryable.query<Omit<JobRow, 'failure'>>(
      `
      select
        ${column('status')}::text as status,
        ${column('attempts')}::text as attempts,
        ${column('maxAttempts')}::text as "maxAttempts",
        (extract(epoch from clock_timestamp() - ${column('changedAt')}) * 1000)::double precision as "changedAgoMs"
      from ${source.table}
      where ${column('id')} = $1
      limit 1`,
      [jobId],
    );
    const row = rows[0];
    if (row === undefined) return null;
    return { ...row, failure: (await readFailures(queryable, source, [jobId]))[0] ?? null };
  } catch (error) {
    if (isConnectionError(error) || !isNoSuchValue(error)) throw error;
    return null;
  }
};

/** SQLSTATE 22P02 and 22003: the text is no value of the column's type (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const isNoSuchValue = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === '22P02' || error.code === '22003');

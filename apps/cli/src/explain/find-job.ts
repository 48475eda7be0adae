import type { OutcomeRecord } from '@tocsin/event-store';
import { outcomesOfJob } from '@tocsin/event-store';
import type { JobTableConfig, Queryable } from '@tocsin/runtime';

/** A job as a person named it: in one of the watched tables, or in whichever has it. */
export interface AskedJob {
  readonly jobId: string;
  /** Name of the watched table in the configuration; undefined means any. */
  readonly table: string | undefined;
}

/**
 * Reads `TABLE:ID` or a bare id. The part before the colon is a table when one of that name is configured, or was when
 * the outcome was recorded; ids may hold colons themselves.
 */
export const readAskedJob = (text: string, tables: readonly JobTableConfig[]): readonly AskedJob[] => {
  const colon = text.indexOf(':');
  const bare: AskedJob = { jobId: text, table: undefined };
  if (colon <= 0) return [bare];
  const table = text.slice(0, colon);
  const named: AskedJob = { jobId: text.slice(colon + 1), table };
  // The table may also be written as it is called in the database.
  const configured = tables.find((job) => job.name === table || job.table === table);
  return configured === undefined ? [named, bare] : [{ ...named, table: configured.name }];
};

/** The outcomes of a job, newest first, and what it was taken for. */
export const outcomesOfAsked = async (
  queryable: Queryable,
  asked: readonly AskedJob[],
): Promise<{ readonly job: AskedJob; readonly outcomes: readonly OutcomeRecord[] }> => {
  for (const job of asked) {
    const outcomes = await outcomesOfJob(queryable, {
      jobId: job.jobId,
      ...(job.table !== undefined && { table: job.table }),
    });
    if (outcomes.length > 0) return { job, outcomes };
  }
  // Nothing is known of it: the bare reading, unless the table was named rightly.
  return { job: asked.at(-1) ?? { jobId: '', table: undefined }, outcomes: [] };
};

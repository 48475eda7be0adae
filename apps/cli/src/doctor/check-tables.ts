import { countStatuses, heldByWriterMaxMs, readHorizon } from '@tocsin/job-sources';
import { formatDuration } from '@tocsin/runtime';
import { counted } from '../printing/lines.ts';
import { fail, ok, warn } from './finding.ts';
import type { Finding } from './finding.ts';
import type { WatchedTable } from './watched-tables.ts';

/** A transaction that writes for longer delays what is read after it. */
const writerOldMs = 60_000;

/** Can every watched table be read, and read well? */
export const checkTables = async (tables: readonly WatchedTable[]): Promise<readonly Finding[]> => {
  const findings: Finding[] = [];
  for (const table of tables) findings.push(...(await checkTable(table)));
  return findings;
};

const checkTable = async ({ job, pool, inspection, problem }: WatchedTable): Promise<readonly Finding[]> => {
  if (problem !== null) return [fail('table', problem, 'put it right, or take the table out of jobs')];
  if (inspection === null || inspection.source === null)
    return (inspection?.problems ?? []).map((found) =>
      fail('table', found, 'until then nothing of this table is told'),
    );
  const { source, warnings, missingIndexes } = inspection;
  const { statuses, sampled } = await countStatuses(pool, source);
  const unknown = statuses.filter((status) => status.unknown);
  return [
    ok(
      'table',
      `${job.table} can be read${
        sampled
          ? ''
          : `, ${counted(
              statuses.reduce((sum, { rows }) => sum + rows, 0),
              'row',
            )}`
      }`,
    ),
    ...warnings.map((warning) => warn('table', warning, 'it is watched all the same')),
    ...missingIndexes.map(({ purpose, statement }) =>
      warn('table', `${job.table} lacks an index for ${purpose}`, statement),
    ),
    ...unknown.map(({ status, rows }) =>
      warn(
        'table',
        `${job.table} has ${counted(rows, 'row')} with the status ${status ?? 'null'}, which is never told`,
        `check the adapter of ${job.name}: ${job.adapter}`,
      ),
    ),
    await checkWriters({ job, pool }),
  ];
};

const checkWriters = async ({ job, pool }: Pick<WatchedTable, 'job' | 'pool'>): Promise<Finding> => {
  const { readAt, oldestWriterAt } = await readHorizon(pool);
  const ageMs = oldestWriterAt === null ? 0 : Date.parse(readAt) - Date.parse(oldestWriterAt);
  if (ageMs < writerOldMs)
    return ok('oldest writer', `no transaction in the database of ${job.table} has been writing for long`);
  const message = `a transaction in the database of ${job.table} has been writing for ${formatDuration(ageMs)}`;
  return warn(
    'oldest writer',
    ageMs < heldByWriterMaxMs
      ? `${message}; the cursor waits for it`
      : `${message}; what it commits is found by the slower comparison`,
    'find it: select pid, xact_start, query from pg_stat_activity where backend_xid is not null order by xact_start;',
  );
};

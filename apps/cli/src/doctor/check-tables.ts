import { countStatuses, readHorizon, readOldestWriter } from '@tocsin/job-sources';
import type { JobSource } from '@tocsin/job-sources';
import { formatDuration } from '@tocsin/runtime';
import type { JobTableConfig } from '@tocsin/runtime';
import { counted } from '../printing/lines.ts';
import { fail, ok, warn } from './finding.ts';
import type { Finding } from './finding.ts';
import { oldestWriterFinding } from './oldest-writer.ts';
import type { WatchedTable } from './watched-tables.ts';

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
        `say what it means: jobs[].states of ${job.name} (adapter ${job.adapter})`,
      ),
    ),
    ...checkRetention(job, source),
    oldestWriterFinding(job.table, await readHorizon(pool), await readOldestWriter(pool)),
  ];
};

/** A failed row that is deleted sooner than the slow comparison comes round may be gone before it is read. */
const checkRetention = (job: JobTableConfig, { retentionMs }: JobSource): readonly Finding[] => {
  const cycleMs = Math.max(job.reconcileMs, job.pollMs);
  if (retentionMs === null) return [];
  const kept = `failed rows of ${job.table} are deleted after ${formatDuration(retentionMs)}`;
  return [
    retentionMs > cycleMs
      ? ok('retention', `${kept}; everything is compared every ${formatDuration(cycleMs)}`)
      : warn(
          'retention',
          `${kept}, but everything is compared only every ${formatDuration(cycleMs)}: one that is committed late, or while the detector is down, may be gone unread`,
          `keep failed rows for longer, or set jobs[].reconcile of ${job.name} below ${formatDuration(retentionMs)}`,
        ),
  ];
};

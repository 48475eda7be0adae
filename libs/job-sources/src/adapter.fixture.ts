import type { FailureSignal, OutcomeId, SuccessSignal } from '@tocsin/alert-model';
import type { Pool } from '@tocsin/runtime';
import { createTestDatabase } from '@tocsin/testing';
import type { AdapterMapping } from './adapter-mapping.ts';
import { countStatuses } from './count-statuses.ts';
import type { StatusCount } from './count-statuses.ts';
import { findSuccesses } from './find-successes.ts';
import { inspectTable } from './inspect-table.ts';
import type { TableInspection } from './inspect-table.ts';
import type { JobSource } from './job-source.ts';
import type { JobSnapshot } from './job-snapshot.ts';
import { readIdentities } from './read-identities.ts';
import type { IdentityPosition } from './read-identities.ts';
import { readJobs } from './read-jobs.ts';
import { readRunning } from './read-running.ts';
import { readWaiting } from './read-waiting.ts';
import { scanFailures } from './scan-failures.ts';
import type { FailurePage, OutcomeSort } from './scan-failures.ts';

const longAgo = '2000-01-01T00:00:00.000000Z';
const lookBackMs = 14 * 86_400_000;
/** Small, so that tests with a handful of rows go over pages. */
const pageRows = 3;

/** A watched table as a detector would see it. */
export interface WatchedAdapter {
  readonly pool: Pool;
  readonly connectionString: string;
  /** Inspects anew, for example after the DDL of another version or as another user. */
  readonly inspect: (options?: { readonly pool?: Pool; readonly retentionMs?: number }) => Promise<TableInspection>;
  /** The table as found fit now; throws with the problems when it is not. */
  readonly source: () => Promise<JobSource>;
  /** All failures for good (or `partials`), over pages, as the detector would tell them. */
  readonly scanAll: (what?: OutcomeSort) => Promise<readonly FailureSignal[]>;
  /** Outcomes that the slow comparison finds; the same as `scanAll` unless something is wrong. */
  readonly reconcile: (what?: OutcomeSort) => Promise<readonly { readonly id: OutcomeId; readonly jobId: string }[]>;
  readonly running: () => Promise<readonly JobSnapshot[]>;
  /** Jobs that have waited for so long, in milliseconds. Default: 0, all whose time has come. */
  readonly waiting: (waitedMs?: number) => Promise<readonly JobSnapshot[]>;
  /** The job of that id, whatever its state; undefined when its row is gone. */
  readonly job: (id: string) => Promise<JobSnapshot | undefined>;
  /** The latest successes of that work, whatever its target, oldest first. */
  readonly successesOf: (source: string, jobType: string) => Promise<readonly SuccessSignal[]>;
  readonly statuses: () => Promise<readonly StatusCount[]>;
}

/**
 * A database of its own with a job system's tables, watched through a mapping. At the top of a test file:
 *
 *     const watched = await watchAdapter(riverMapping, riverSchema);          // table: mapping.defaultTable
 *     beforeEach(() => watched.pool.query('truncate river_job'));
 *     it('…', async () => {
 *       await watched.pool.query("insert into river_job …");
 *       expect((await watched.scanAll()).map(({ jobId }) => jobId)).toEqual(['1']);
 *     });
 *
 * @param ddl statements that create the tables; several in one text
 */
export const watchAdapter = async (
  mapping: AdapterMapping,
  ddl: string,
  { table = mapping.defaultTable }: { readonly table?: string } = {},
): Promise<WatchedAdapter> => {
  const { pool, connectionString } = await createTestDatabase({ empty: true });
  await pool.query(ddl);
  const inspect: WatchedAdapter['inspect'] = ({ pool: other = pool, ...options } = {}) =>
    inspectTable(other, mapping, { name: 'jobs', table, ...options });
  const source = async (): Promise<JobSource> => {
    const inspection = await inspect();
    if (inspection.source === null) throw new Error(`${table} is unfit: ${inspection.problems.join('\n')}`);
    return inspection.source;
  };
  return {
    pool,
    connectionString,
    inspect,
    source,
    scanAll: async (what = 'failures') => scanAll(pool, await source(), what),
    reconcile: async (what = 'failures') => reconcile(pool, await source(), what),
    running: async () => (await readRunning(pool, await source(), { limit: 100 })).jobs,
    waiting: async (waitedMs = 0) => (await readWaiting(pool, await source(), { waitedMs, limit: 100 })).jobs,
    job: async (id) => (await readJobs(pool, await source(), [id])).jobs.get(id),
    successesOf: async (name, jobType) => {
      const work = [{ source: name, jobType, target: 'any', since: longAgo }] as const;
      return (await findSuccesses(pool, await source(), work)).map(({ signal }) => signal);
    },
    statuses: async () => (await countStatuses(pool, await source())).statuses,
  };
};

const scanAll = async (pool: Pool, source: JobSource, what: OutcomeSort): Promise<readonly FailureSignal[]> => {
  const all: FailureSignal[] = [];
  let after: Parameters<typeof scanFailures>[2]['after'] | null = longAgo;
  while (after !== null) {
    const page: FailurePage = await scanFailures(pool, source, { what, after, limit: pageRows, isKnown: () => false });
    all.push(...page.failures);
    after = page.next;
  }
  return all;
};

const reconcile = async (pool: Pool, source: JobSource, what: OutcomeSort) => {
  const all: { readonly id: OutcomeId; readonly jobId: string }[] = [];
  let position: IdentityPosition | null = null;
  do {
    const page: Awaited<ReturnType<typeof readIdentities>> = await readIdentities(pool, source, position, {
      what,
      lookBackMs,
      limit: pageRows,
    });
    all.push(...page.outcomes);
    position = page.next;
  } while (position !== null);
  return all;
};

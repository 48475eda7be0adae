import { setTimeout as delay } from 'node:timers/promises';
import { openDetector } from '@tocsin/detector';
import type { OpenedDetector } from '@tocsin/detector';
import { findMapping, inspectTable, scanFailures } from '@tocsin/job-sources';
import type { JobSource } from '@tocsin/job-sources';
import { createLogger, databaseNow, loadConfig } from '@tocsin/runtime';
import type { Bench, Finding } from '../bench.ts';
import { formatCount, formatMs, formatRatio } from '../measure/format.ts';
import { median } from '../measure/quantile.ts';
import { insertFailures } from '../world/insert-failures.ts';
import type { Lab, LabDatabase } from '../world/lab.ts';

const newFailures = 100;
const scansMeasured = 31;
const ratioBudget = 1.5;
const pageRows = 500;
const statisticsLagMs = 1_100;
const pollsBeforeMeasured = 5;
const small = 10_000;
const sizes = [small, 1_000_000] as const;
const largest = 10_000_000;

/** What a look at the job table costs, and that its size does not matter. */
export const scan: Bench = {
  name: 'scan',
  summary: '100 new failures in a table of n rows (1 % failed, spread over a year); medians of 31; the same process',
  run: async (lab, { tenMillion }) => {
    const database = await lab.newDatabase();
    const measured = new Map<number, Scan>();
    let filled = 0;
    for (const size of tenMillion ? [...sizes, largest] : sizes) {
      await fill(database, filled, size);
      filled = size;
      measured.set(size, await measure(lab, database));
    }
    await database.close();
    return findingsOf(measured);
  },
};

interface Scan {
  readonly statementMs: number;
  readonly pollMs: number;
  /** Plan nodes that read the whole job table, and how often the server counted such a read. */
  readonly sequentialScans: number;
}

const findingsOf = (measured: ReadonlyMap<number, Scan>): readonly Finding[] => {
  const base = measured.get(small);
  return [...measured].flatMap(([size, { statementMs, pollMs, sequentialScans }]): readonly Finding[] => {
    const name = `${formatCount(size)} rows:`;
    const compared =
      size > small && base !== undefined
        ? { statement: statementMs / base.statementMs, poll: pollMs / base.pollMs }
        : null;
    const against = (ratio: number | undefined): Partial<Finding> =>
      ratio === undefined
        ? {}
        : { budget: `<= ${ratioBudget} × of ${formatCount(small)} rows`, kept: ratio <= ratioBudget };
    const also = (ratio: number | undefined): string => (ratio === undefined ? '' : ` = ${formatRatio(ratio)}`);
    return [
      {
        what: `${name} scan statement`,
        result: `${formatMs(statementMs)}${also(compared?.statement)}`,
        ...against(compared?.statement),
      },
      {
        what: `${name} whole poll, signals sent`,
        result: `${formatMs(pollMs)}${also(compared?.poll)}`,
        ...against(compared?.poll),
      },
      {
        what: `${name} sequential scans of the job table`,
        result: String(sequentialScans),
        budget: '0',
        kept: sequentialScans === 0,
      },
    ];
  });
};

const measure = async (lab: Lab, database: LabDatabase): Promise<Scan> => {
  const mapping = findMapping('research_jobs');
  if (mapping === undefined) throw new Error('The adapter research_jobs is gone.');
  const { source } = await inspectTable(database.pool, mapping, { name: 'bench', table: 'public.research_jobs' });
  if (source === null) throw new Error('public.research_jobs is not fit to be watched.');
  const config = loadConfig({
    env: { DATABASE_URL: database.connectionString, LOG_LEVEL: 'error' },
    cwd: await lab.newDirectory('scan'),
  });
  const opened = await openDetector(config, createLogger({ level: 'error', name: 'bench' }));
  try {
    await opened.detector.runOnce();
    // The hourly count of states reads a small table whole, and connections report what they read up to a second later.
    await delay(statisticsLagMs);
    for (let poll = 0; poll < pollsBeforeMeasured; poll += 1) await opened.detector.pollOnce();
    const before = await sequentialReads(database);
    const statements: number[] = [];
    const polls: number[] = [];
    let prefix = 0;
    for (let run = 0; run < scansMeasured; run += 1) {
      statements.push(await timeStatement(database, source, `statement${(prefix += 1)}`));
      polls.push(await timePoll(database, opened, `poll${(prefix += 1)}`));
    }
    const counted = (await sequentialReads(database)) - before;
    return {
      statementMs: median(statements),
      pollMs: median(polls),
      sequentialScans: counted + (await sequentialPlans(database, source)),
    };
  } finally {
    await opened.close();
  }
};

const timeStatement = async (database: LabDatabase, source: JobSource, prefix: string): Promise<number> => {
  const after = await databaseNow(database.pool);
  await insertFailures(database.pool, newFailures, prefix);
  const startedMs = performance.now();
  const page = await scanFailures(database.pool, source, { after, limit: pageRows, isKnown: () => false });
  const ms = performance.now() - startedMs;
  if (page.rowsRead !== newFailures) throw new Error(`The scan read ${page.rowsRead} rows in place of ${newFailures}.`);
  await removeFailures(database, prefix);
  return ms;
};

const timePoll = async (database: LabDatabase, { detector }: OpenedDetector, prefix: string): Promise<number> => {
  await insertFailures(database.pool, newFailures, prefix);
  const startedMs = performance.now();
  const { tables } = await detector.pollOnce();
  const ms = performance.now() - startedMs;
  const sent = tables[0]?.scan?.sent;
  if (sent !== newFailures) throw new Error(`The poll sent ${sent} signals in place of ${newFailures}.`);
  await removeFailures(database, prefix);
  return ms;
};

/** What was measured goes, or the overlap that a poll reads again would grow from poll to poll. */
const removeFailures = async ({ pool }: LabDatabase, prefix: string): Promise<void> => {
  await pool.query(
    "delete from public.research_jobs where status = 'failed' and updated_at > now() - interval '1 minute' and starts_with(target_id, $1)",
    [`${prefix}-`],
  );
};

const fill = async ({ pool }: LabDatabase, from: number, to: number): Promise<void> => {
  await pool.query(
    `insert into public.research_jobs
       (source, job_type, target_id, status, attempts, payload, error, run_after, started_at, finished_at, created_at, updated_at)
     select
       'source ' || n % 20,
       'type ' || n % 7,
       'target ' || n % 1000,
       case when n % 100 = 0 then 'failed' else 'succeeded' end,
       3,
       '{}',
       case when n % 100 = 0 then repeat('x', 300) end,
       at,
       at,
       at,
       at,
       at
     from (
       select n, now() - interval '1 minute' - random() * interval '365 days' as at
       from generate_series($1::integer, $2::integer) as n
     ) as made`,
    [from + 1, to],
  );
  await pool.query('vacuum (analyze) public.research_jobs');
};

/** How often the server has read the job table from end to end. */
const sequentialReads = async ({ pool }: LabDatabase): Promise<number> => {
  await pool.query('select pg_stat_force_next_flush()');
  const { rows } = await pool.query<{ readonly reads: number }>(
    "select seq_scan::integer as reads from pg_stat_user_tables where relid = 'public.research_jobs'::regclass",
  );
  return rows[0]?.reads ?? 0;
};

const sequentialPlans = async ({ pool }: LabDatabase, { statements }: JobSource): Promise<number> => {
  const after = await databaseNow(pool);
  const { rows } = await pool.query<Record<string, unknown>>(`explain (format json) ${statements.failuresFrom}`, [
    after,
    pageRows,
  ]);
  return [...JSON.stringify(rows).matchAll(/"Node Type":"Seq Scan"[^{}]*"Relation Name":"research_jobs"/g)].length;
};

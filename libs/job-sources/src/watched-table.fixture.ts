import type { Pool } from '@tocsin/runtime';
import { expect } from 'vitest';
import { inspectTable } from './inspect-table.ts';
import type { JobSource } from './job-source.ts';
import { researchJobsMapping } from './adapters/research-jobs-mapping.ts';

/** Column definitions of an ordinary research_jobs; a test changes or leaves out some. */
export const ordinaryColumns = {
  id: 'uuid primary key default gen_random_uuid()',
  source: "text default 'apple'",
  job_type: "text default 'refresh_catalog'",
  target_id: 'text',
  status: "text default 'failed'",
  attempts: 'integer default 3',
  max_attempts: 'integer default 3',
  payload: 'jsonb',
  result: 'jsonb',
  error: 'text',
  run_after: 'timestamptz',
  started_at: 'timestamptz',
  heartbeat_at: 'timestamptz',
  finished_at: 'timestamptz default now()',
  created_at: 'timestamptz default now()',
  updated_at: 'timestamptz default now()',
} as const;

let tables = 0;

/** Creates a table with these columns (null leaves one out) in the schema `app` and returns its name. */
export const createJobTable = async (
  pool: Pool,
  changes: Partial<Record<keyof typeof ordinaryColumns, string | null>> = {},
): Promise<string> => {
  tables += 1;
  const name = `app.jobs_${tables}`;
  const columns = Object.entries({ ...ordinaryColumns, ...changes }).filter(([, type]) => type !== null);
  await pool.query('create schema if not exists app');
  await pool.query(`create table ${name} (${columns.map(([column, type]) => `${column} ${type}`).join(', ')})`);
  return name;
};

/** The source of a table that is expected to be fit. */
export const sourceOf = async (pool: Pool, table: string): Promise<JobSource> => {
  const { source, problems } = await inspectTable(pool, researchJobsMapping, { name: 'jobs', table });
  expect(problems).toEqual([]);
  if (source === null) throw new Error(`${table} was found unfit without a problem.`);
  return source;
};

/** Texts in a fixed order, for comparing sets; null comes first. */
export const sorted = (texts: readonly (string | null)[]): readonly (string | null)[] =>
  texts.toSorted((a, b) => ((a ?? '') < (b ?? '') ? -1 : 1));

import { createPool } from '@tocsin/runtime';
import { describe, expect, test } from 'vitest';
import { insertFailedResearchJob, insertResearchJob, updateResearchJob } from './research-jobs.ts';
import { createTestDatabase, openConnections } from './test-database.ts';

const database = await createTestDatabase();
const other = await createTestDatabase();

describe('createTestDatabase', () => {
  test('gives a database with the schemas of the product and of the queue', async () => {
    const { rows } = await database.pool.query(
      `select to_regclass('tocsin.events') is not null as events, to_regclass('pgboss.job') is not null as queue`,
    );
    expect(rows).toEqual([{ events: true, queue: true }]);
  });

  test('gives each caller a database of its own', async () => {
    await insertResearchJob(other.pool);
    expect((await database.pool.query('select from public.research_jobs')).rowCount).toBe(0);
  });

  test('notices a pool that a test leaves open, by its name and statement', async () => {
    const pool = createPool({
      connectionString: database.connectionString,
      max: 1,
      applicationName: 'forgotten',
      onError: () => {},
    });
    await pool.query('select 42');
    const found = await openConnections(
      database.connectionString,
      new URL(database.connectionString).pathname.slice(1),
    );
    expect(found).toContain('forgotten (idle): select 42');
    await pool.end();
  });
});

describe('research jobs', () => {
  test('have the defaults of the table and the fields given', async () => {
    const id = await insertResearchJob(database.pool, { target_id: 'songs', payload: { depth: 2 } });
    const { rows } = await database.pool.query(
      'select source, job_type, target_id, status, payload from public.research_jobs where id = $1',
      [id],
    );
    expect(rows).toEqual([
      { source: 'apple', job_type: 'refresh_catalog', target_id: 'songs', status: 'pending', payload: { depth: 2 } },
    ]);
  });

  test('that failed for good have used their attempts and a finishing time of the database', async () => {
    const id = await insertFailedResearchJob(database.pool, { error: 'timeout' });
    const { rows } = await database.pool.query(
      `select status, attempts = max_attempts as spent, error, finished_at <= clock_timestamp() as finished
       from public.research_jobs where id = $1`,
      [id],
    );
    expect(rows).toEqual([{ status: 'failed', spent: true, error: 'timeout', finished: true }]);
  });

  test('move their updated_at when they are changed', async () => {
    const id = await insertResearchJob(database.pool, { updated_at: '2026-01-01T00:00:00Z' });
    await updateResearchJob(database.pool, id, { status: 'succeeded' });
    const { rows } = await database.pool.query(
      `select status, updated_at > '2026-01-02' as moved from public.research_jobs where id = $1`,
      [id],
    );
    expect(rows).toEqual([{ status: 'succeeded', moved: true }]);
  });
});

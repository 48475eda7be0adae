import { beforeEach, expect, it } from 'vitest';
import { watchAdapter } from '../adapter.fixture.ts';
import { customiseMapping } from '../customise-mapping.ts';
import { inspectTable } from '../inspect-table.ts';
import { backgroundJobsMapping } from './background-jobs-mapping.ts';
import { backgroundJobsSchema } from './background-jobs-schema.fixture.ts';
import { failureScans, planOf } from './query-plan.fixture.ts';
import { asReader } from './read-only-role.fixture.ts';
import { watchingReads } from './watching-reads.fixture.ts';

const watched = await watchAdapter(backgroundJobsMapping, backgroundJobsSchema);
const { pool } = watched;
beforeEach(() => pool.query('truncate background_jobs'));

/** What the backend does, statement by statement. */
const enqueue = (id: string) =>
  pool.query("insert into background_jobs (id, job_type, payload) values ($1, 'send_report', '{}')", [id]);
const utc = "(now() at time zone 'utc')";
const begin = (id: string) =>
  pool.query(`update background_jobs set status = 'RUNNING', started_at = ${utc}, updated_at = ${utc} where id = $1`, [
    id,
  ]);
const failAndRetryIn = (id: string, delay: string) =>
  pool.query(
    `update background_jobs set status = 'FAILED', attempts = attempts + 1, last_error = 'SMTP 421',
       next_run_at = ${utc} + $2::interval, updated_at = ${utc} where id = $1`,
    [id, delay],
  );
const bury = (id: string) =>
  pool.query(
    `update background_jobs set status = 'DEAD_LETTER', attempts = attempts + 1, last_error = 'SMTP 550',
       next_run_at = null, finished_at = ${utc}, updated_at = ${utc} where id = $1`,
    [id],
  );
const succeed = (id: string) =>
  pool.query(
    `update background_jobs set status = 'SUCCESS', attempts = attempts + 1, next_run_at = null, finished_at = ${utc},
       updated_at = ${utc}, result = '{}' where id = $1`,
    [id],
  );
const retryByHand = (id: string) =>
  pool.query(
    `update background_jobs set status = 'PENDING', attempts = 0, next_run_at = ${utc}, finished_at = null, updated_at = ${utc}
     where id = $1`,
    [id],
  );

const toldIds = async () => (await watched.scanAll()).map(({ jobId }) => jobId).toSorted();

it('tells a dead letter with its error, and nothing on the way there', async () => {
  await enqueue('a');
  for (const delay of ['30 s', '2 min', '8 min']) {
    await begin('a');
    expect(await toldIds()).toEqual([]);
    await failAndRetryIn('a', delay);
    expect(await toldIds()).toEqual([]);
  }
  await begin('a');
  await bury('a');
  expect(await watched.scanAll()).toMatchObject([
    {
      jobId: 'a',
      kind: 'dead',
      source: 'background_jobs',
      jobType: 'send_report',
      targetId: null,
      attempts: 4,
      maxAttempts: 3,
      error: 'SMTP 550',
      notes: [],
    },
  ]);
  expect((await watched.reconcile()).map(({ jobId }) => jobId)).toEqual(['a']);
});

it('tells a FAILED job that has no next try', async () => {
  for (const id of ['unplanned', 'spent']) {
    await enqueue(id);
    await failAndRetryIn(id, '30 s');
  }
  expect(await toldIds()).toEqual([]);
  await pool.query("update background_jobs set next_run_at = null where id = 'unplanned'");
  await pool.query("update background_jobs set attempts = 4 where id = 'spent'");
  expect(await toldIds()).toEqual(['spent', 'unplanned']);
});

it('shows a retry that nobody picks up as waiting since its time', async () => {
  await enqueue('late');
  await failAndRetryIn('late', '30 s');
  await enqueue('later');
  await failAndRetryIn('later', '8 min');
  await pool.query(
    "update background_jobs set updated_at = updated_at - interval '2 h', created_at = created_at - interval '2 h', next_run_at = next_run_at - interval '2 h'",
  );
  await pool.query(`update background_jobs set next_run_at = ${utc} + interval '8 min' where id = 'later'`);
  expect(await watched.waiting(3_600_000)).toMatchObject([
    { id: 'late', state: 'failed', forGood: false, status: 'FAILED' },
  ]);
});

it('finds the success of the same kind of job', async () => {
  await enqueue('good');
  await begin('good');
  expect(await watched.running()).toMatchObject([{ id: 'good', state: 'running', heartbeatAt: null }]);
  await succeed('good');
  expect(await watched.successesOf('background_jobs', 'send_report')).toMatchObject([{ jobId: 'good' }]);
});

it('tells a dead letter that was retried by hand and died again as another failure', async () => {
  await enqueue('a');
  await bury('a');
  const [first] = await watched.scanAll();
  await retryByHand('a');
  expect(await toldIds()).toEqual([]);
  await begin('a');
  await bury('a');
  const [second] = await watched.scanAll();
  expect(second).toMatchObject({ jobId: 'a', attempts: first?.attempts });
  expect(second?.outcomeId).not.toBe(first?.outcomeId);
});

it('knows every status of the table', async () => {
  await pool.query(
    `insert into background_jobs (id, job_type, status)
     select value, 'x', value::jobstatus from unnest(enum_range(null::jobstatus)::text[]) as value`,
  );
  expect((await watched.statuses()).filter(({ unknown }) => unknown)).toEqual([]);
});

it('names the indexes it lacks, and is content with them', async () => {
  const { missingIndexes, warnings, problems } = await watched.inspect();
  expect({ warnings: warnings.length, problems }).toEqual({ warnings: 1, problems: [] });
  expect(warnings[0]).toMatch(/payload .* is json: the other jobs of a chain run/);
  // The application's own index on (status, next_run_at) serves the look after waiting jobs.
  expect(missingIndexes.map(({ purpose }) => purpose)).toEqual([
    'finding new failures',
    'learning how long jobs take and when they ended last',
  ]);
  for (const { statement } of missingIndexes) await pool.query(statement);
  expect((await watched.inspect()).missingIndexes).toEqual([]);

  await pool.query(
    `insert into background_jobs (id, job_type, status, attempts, next_run_at, created_at, updated_at, started_at, finished_at)
     select n::text, 'type ' || n % 5,
       (case when n % 1000 = 0 then 'DEAD_LETTER' when n % 1000 = 1 then 'FAILED' when n % 1000 = 2 then 'PENDING'
          when n % 1000 = 3 then 'RUNNING' else 'SUCCESS' end)::jobstatus,
       1, at, at, at, at, case when n % 1000 in (1, 2, 3) then null else at end
     from (select n, ${utc} - n * interval '1 s' as at from generate_series(1, 30000) as n) as numbered`,
  );
  await pool.query('vacuum analyze background_jobs');
  const source = await watched.source();
  const since = '2000-01-01T00:00:00Z';
  const work = { source: 'background_jobs', jobType: 'type 1', since, id: '1000' };
  for (const [caption, text, values] of [
    ...failureScans(source, { since, changed: '2026-01-01 00:00:00', id: '1000' }),
    ...watchingReads(source, work),
  ]) {
    const plan = await planOf(pool, text, values);
    expect(plan, caption).not.toMatch(/Seq Scan on background_jobs/);
    expect(plan, caption).toMatch(/Index (Only )?Scan|Bitmap Index Scan|One-Time Filter: false/);
  }
});

it('reads with the privileges of its page, and cannot write', async () => {
  await enqueue('a');
  await bury('a');
  await asReader(watched, 'background-jobs', async (reader) => {
    const { source, problems } = await watched.inspect({ pool: reader });
    expect(problems).toEqual([]);
    const { rows } = await reader.query(source?.statements.failuresFrom ?? '', ['2000-01-01T00:00:00Z', 10]);
    expect(rows).toMatchObject([{ id: 'a' }]);
    await expect(reader.query("update background_jobs set status = 'PENDING'")).rejects.toThrow(/permission denied/);
  });
});

it('reads a table with other names and values, as its page shows', async () => {
  await pool.query(
    `create table shop_jobs (id bigserial primary key, job_type text, status text, attempt_count int, max_retries int,
       next_run_at timestamptz, payload jsonb, created_at timestamptz default now(), updated_at timestamptz default now(),
       completed_at timestamptz)`,
  );
  await pool.query(
    `insert into shop_jobs (job_type, status, attempt_count, max_retries, next_run_at, payload) values
       ('mail', 'failed', 1, 3, now(), '{"account_id": "a1"}'), ('mail', 'dead_letter', 4, 3, null, '{"account_id": "a2"}'),
       ('mail', 'cancelled', 1, 3, null, '{}')`,
  );
  const mapping = customiseMapping(backgroundJobsMapping, {
    columns: {
      attempts: { column: 'attempt_count', path: [] },
      finished_at: { column: 'completed_at', path: [] },
      target_id: { column: 'payload', path: ['account_id'] },
    },
    states: {
      waiting: ['pending'],
      running: ['running'],
      failed: ['failed'],
      dead: ['dead_letter'],
      succeeded: ['success'],
      canceled: ['cancelled'],
    },
  });
  const { source, problems } = await inspectTable(pool, mapping, { name: 'jobs', table: 'public.shop_jobs' });
  expect(problems).toEqual([]);
  const { rows } = await pool.query(source?.statements.failuresFrom ?? '', ['2000-01-01T00:00:00Z', 10]);
  expect(rows).toMatchObject([{ kind: 'dead', target_id: 'a2' }]);
});

import { createPool } from '@tocsin/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { watchAdapter } from '../adapter.fixture.ts';
import { indexesOnPage, withoutQuotes } from './adapter-page.fixture.ts';
import { failureScans, planOf } from './query-plan.fixture.ts';
import { queMapping } from './que-mapping.ts';
import { queSchema } from './que-schema.fixture.ts';
import { asReader } from './read-only-role.fixture.ts';
import { watchingReads } from './watching-reads.fixture.ts';

const watched = await watchAdapter(queMapping, queSchema);
const { pool } = watched;
beforeEach(() => pool.query('truncate public.que_jobs'));

// State changes as Que 2.4.1 writes them (lib/que/job.rb, job_methods.rb, worker.rb, poller.rb).

/** `:insert_job` */
const enqueue = async (jobClass = 'ChargeCard', args: readonly unknown[] = [], runAt = 'now()'): Promise<string> => {
  const { rows } = await pool.query<{ id: string }>(
    `insert into public.que_jobs (queue, priority, run_at, job_class, args, kwargs, data, job_schema_version)
     values (coalesce($1, 'default'), 100, ${runAt}, $2, $3::jsonb, '{}', '{}', 2)
     returning id::text`,
    ['payments', jobClass, JSON.stringify(args)],
  );
  return rows[0]?.id ?? '';
};

/** `:set_error`: a try that failed, with more to come. */
const setError = (id: string, message = 'Timeout::Error: execution expired', backtrace = 'app/jobs/charge_card.rb:3') =>
  pool.query(
    `update public.que_jobs
     set error_count = error_count + 1, run_at = now() + $1::float * interval '1 second',
       last_error_message = left($2::text, 500), last_error_backtrace = left($3::text, 10000)
     where id = $4::bigint`,
    [0, message, backtrace, id],
  );

/** `:expire_job`: the last try failed; its error is not written. */
const expire = (id: string) =>
  pool.query('update public.que_jobs set error_count = error_count + 1, expired_at = now() where id = $1::bigint', [
    id,
  ]);

/** `:destroy_job`, what a success does by default; and `:finish_job`, on demand. */
const destroy = (id: string) => pool.query('delete from public.que_jobs where id = $1::bigint', [id]);
const finish = (id: string) => pool.query('update public.que_jobs set finished_at = now() where id = $1::bigint', [id]);

/** As the manual says to rerun an expired job. */
const rerun = (id: string) =>
  pool.query('update public.que_jobs set error_count = 0, expired_at = null where id = $1::bigint', [id]);

const told = async (): Promise<readonly string[]> => (await watched.scanAll()).map(({ jobId }) => jobId);

describe('the table of Que', () => {
  it('is found fit, with the indexes that it lacks', async () => {
    const { problems, warnings, missingIndexes } = await watched.inspect();
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    expect(missingIndexes.map(({ statement }) => statement)).toEqual([
      'create index concurrently "que_jobs_failures" on "public"."que_jobs" ("expired_at", "id") where "expired_at" is not null;',
      'create index concurrently "que_jobs_successes" on "public"."que_jobs" ("queue", "finished_at") where "finished_at" is not null;',
    ]);
  });

  it('is watched in the shape of schema version 4 as well, and of an unknown version with a warning', async () => {
    const client = await pool.connect();
    const other = { ...pool, query: client.query.bind(client) } as typeof pool;
    try {
      await client.query('begin');
      await client.query('alter table public.que_jobs drop column kwargs, drop column job_schema_version');
      await client.query("comment on table public.que_jobs is '4'");
      expect(await watched.inspect({ pool: other })).toMatchObject({ problems: [], warnings: [] });
      await client.query("comment on table public.que_jobs is '8'");
      const { problems, warnings } = await watched.inspect({ pool: other });
      expect(problems).toEqual([]);
      expect(warnings.join()).toMatch(/schema version of Que is 8.*tested with 4 to 7/);
      await client.query('comment on table public.que_jobs is null');
      expect((await watched.inspect({ pool: other })).warnings).toEqual([]);
    } finally {
      await client.query('rollback');
      client.release();
    }
  });

  it('before version 4 is refused with the reason', async () => {
    const client = await pool.connect();
    try {
      await client.query('begin');
      await client.query('alter table public.que_jobs drop column expired_at cascade');
      const { problems } = await watched.inspect({
        pool: { ...pool, query: client.query.bind(client) } as typeof pool,
      });
      expect(problems.join()).toMatch(/no column expired_at.*adapter que needs/);
    } finally {
      await client.query('rollback');
      client.release();
    }
  });
});

describe('an expired job', () => {
  it('is told with its class, queue, number of errors, and the error of the try before the last', async () => {
    const id = await enqueue();
    await setError(id);
    await expire(id);
    const [failure, ...others] = await watched.scanAll();
    expect(others).toEqual([]);
    expect(failure).toMatchObject({
      jobId: id,
      kind: 'failed',
      source: 'payments',
      jobType: 'ChargeCard',
      targetId: null,
      error: 'Timeout::Error: execution expired\napp/jobs/charge_card.rb:3',
      attempts: 2,
      notes: [],
    });
    expect((await watched.reconcile()).map(({ jobId }) => jobId)).toEqual([id]);
  });

  it('that expired at its first error is told without an error, because Que wrote none', async () => {
    const id = await enqueue();
    await expire(id);
    expect(await watched.scanAll()).toMatchObject([{ jobId: id, error: null, attempts: 1 }]);
  });

  it('is told with the class of the Active Job, not of its wrapper', async () => {
    const wrapper = 'ActiveJob::QueueAdapters::QueAdapter::JobWrapper';
    const id = await enqueue(wrapper, [{ job_class: 'InvoiceJob', job_id: 'x', arguments: [7] }]);
    const odd = await enqueue(wrapper, []);
    await expire(id);
    await expire(odd);
    expect((await watched.scanAll()).map(({ jobType }) => jobType)).toEqual(['InvoiceJob', wrapper]);
  });

  it('that was rerun is no success, and a new outcome when it expires again', async () => {
    const id = await enqueue();
    await expire(id);
    const [first] = await watched.scanAll();
    await rerun(id);
    expect(await told()).toEqual([]);
    expect(await watched.successesOf('payments', 'ChargeCard')).toEqual([]);
    await expire(id);
    const [second] = await watched.scanAll();
    expect(second).toMatchObject({ jobId: id, attempts: 1 });
    expect(second?.outcomeId).not.toBe(first?.outcomeId);
  });

  it('stays the same outcome when its row is touched', async () => {
    const id = await enqueue();
    await expire(id);
    const [first] = await watched.scanAll();
    await pool.query(
      "update public.que_jobs set priority = 1, data = jsonb_build_object('tags', jsonb_build_array('seen'))",
    );
    expect((await watched.scanAll())[0]?.outcomeId).toBe(first?.outcomeId);
  });
});

describe('what is no failure', () => {
  it('is an error with a retry to come', async () => {
    const id = await enqueue();
    await setError(id);
    expect(await told()).toEqual([]);
    expect(await watched.waiting()).toMatchObject([{ id, state: 'waiting', status: 'errored', attempts: 1 }]);
  });

  it('is a success: gone by default, which proves nothing, or finished on demand', async () => {
    await destroy(await enqueue());
    expect(await told()).toEqual([]);
    expect(await watched.successesOf('payments', 'ChargeCard')).toEqual([]);
    const id = await enqueue();
    await finish(id);
    expect(await told()).toEqual([]);
    expect(await watched.successesOf('payments', 'ChargeCard')).toMatchObject([{ jobId: id }]);
    expect((await watched.source()).deletesSuccesses).toBe(true);
  });
});

describe('the lock of a worker', () => {
  it('is what makes a job a running one, and it ends with the connection', async () => {
    // An id beyond 32 bits: both halves of the key count.
    const id = '5000000007';
    await pool.query(
      "insert into public.que_jobs (id, queue, job_class, job_schema_version) values ($1, 'payments', 'ChargeCard', 2)",
      [id],
    );
    const other = await enqueue();
    const worker = createPool({
      connectionString: watched.connectionString,
      max: 1,
      applicationName: 'test',
      onError: () => {},
    });
    try {
      await worker.query('select pg_try_advisory_lock($1::bigint)', [id]);
      expect(await watched.running()).toMatchObject([{ id, state: 'running', status: 'locked' }]);
      expect((await watched.waiting()).map((job) => job.id)).toEqual([other]);
      // Of another sort: two 32-bit keys.
      await worker.query('select pg_try_advisory_lock(0, $1::int)', [other]);
      expect((await watched.running()).map((job) => job.id)).toEqual([id]);
    } finally {
      await worker.end();
    }
    await expect.poll(async () => (await watched.running()).length).toBe(0);
    expect((await watched.waiting()).map((job) => job.id).toSorted()).toEqual([other, id].toSorted());
  });
});

it('needs the indexes that its page says', async () => {
  const { missingIndexes } = await watched.inspect();
  expect(indexesOnPage('que').toSorted()).toEqual(
    missingIndexes.map(({ statement }) => withoutQuotes(statement)).toSorted(),
  );
});

it('says of every row what Que itself says', async () => {
  await enqueue();
  await enqueue('ChargeCard', [], "now() + interval '1 hour'");
  await setError(await enqueue());
  await finish(await enqueue());
  await expire(await enqueue());
  const { rows } = await pool.query<{ id: string; state: string }>(
    'select id::text, public.que_determine_job_state(que_jobs) as state from public.que_jobs order by id',
  );
  expect(rows.map(({ state }) => state)).toEqual(['ready', 'scheduled', 'errored', 'finished', 'expired']);
  for (const { id, state } of rows) expect((await watched.job(id))?.status).toBe(state);
  expect((await watched.statuses()).filter(({ unknown }) => unknown)).toEqual([]);
});

it('is read with the grants of its page, and nothing can be written with them', async () => {
  const id = await enqueue();
  await expire(id);
  await asReader(watched, 'que', async (reader) => {
    const { problems, warnings, source } = await watched.inspect({ pool: reader });
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    const { rows } = await reader.query(source?.statements.failuresFrom ?? '', ['2000-01-01T00:00:00Z', 10]);
    expect(rows).toMatchObject([{ id }]);
    for (const write of ['update public.que_jobs set expired_at = null', 'delete from public.que_jobs'])
      await expect(reader.query(write)).rejects.toThrow(/permission denied/);
  });
});

it('never reads the whole table, with the indexes of its page', async () => {
  await pool.query(
    `insert into public.que_jobs (queue, job_class, run_at, job_schema_version, expired_at, finished_at)
     select 'payments', 'Job' || n % 7, at, 2, case when n % 100 = 0 then at end, case when n % 50 > 0 then at end
     from (select n, now() - n * interval '1 minute' as at from generate_series(1, 40000) as n) as numbered`,
  );
  for (const { statement } of (await watched.inspect()).missingIndexes)
    await pool.query(statement.replace('concurrently', ''));
  await pool.query('vacuum analyze public.que_jobs');
  const source = await watched.source();
  const { rows } = await pool.query<{ changed: string; id: string }>(
    'select expired_at::text as changed, id::text as id from public.que_jobs where expired_at is not null order by expired_at offset 50 limit 1',
  );
  const [row] = rows;
  if (row === undefined) throw new Error('There is no expired row.');
  for (const [caption, text, values] of [
    ...failureScans(source, { since: '2001-01-01T00:00:00Z', ...row }),
    ...watchingReads(source, { source: 'payments', jobType: 'Job3', since: '2001-01-01T00:00:00Z', id: row.id }),
  ])
    expect(await planOf(pool, text, values), caption).not.toMatch(/Seq Scan on que_jobs/);
});

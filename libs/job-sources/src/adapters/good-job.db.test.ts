import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { watchAdapter } from '../adapter.fixture.ts';
import { customiseMapping } from '../customise-mapping.ts';
import { inspectTable } from '../inspect-table.ts';
import { indexesOnPage, withoutQuotes } from './adapter-page.fixture.ts';
import { goodJobMapping } from './good-job-mapping.ts';
import { goodJobSchema } from './good-job-schema.fixture.ts';
import { failureScans, planOf } from './query-plan.fixture.ts';
import { asReader } from './read-only-role.fixture.ts';
import { watchingReads } from './watching-reads.fixture.ts';

const watched = await watchAdapter(goodJobMapping, goodJobSchema);
const { pool } = watched;
beforeEach(() => pool.query('truncate public.good_jobs, public.good_job_processes'));

// State changes as GoodJob 4.19.2 writes them (app/models/good_job/job.rb, process.rb), with the database's clock in UTC.
const now = "timezone('UTC', clock_timestamp())";

/** `enqueue`: one row, its id is the id of the Active Job. */
const enqueue = async (jobClass = 'InvoiceJob', queue = 'billing'): Promise<string> => {
  const id = randomUUID();
  await pool.query(
    `insert into public.good_jobs
       (id, active_job_id, job_class, queue_name, priority, serialized_params, created_at, updated_at, scheduled_at)
     values ($1, $1, $2, $3, 0, $4, ${now}, ${now}, ${now})`,
    [id, jobClass, queue, { job_class: jobClass, job_id: id, arguments: [], executions: 0 }],
  );
  return id;
};

const startProcess = async (): Promise<string> => {
  const id = randomUUID();
  await pool.query(
    `insert into public.good_job_processes (id, created_at, updated_at, state, lock_type) values ($1, ${now}, ${now}, '{}', 0)`,
    [id],
  );
  return id;
};

/** `perform`, its beginning. */
const start = (id: string, processId: string | null = null) =>
  pool.query(
    `update public.good_jobs
     set performed_at = ${now}, executions_count = coalesce(executions_count, 0) + 1, locked_by_id = $2, locked_at = ${now},
       lock_type = 0, updated_at = ${now}
     where id = $1`,
    [id, processId],
  );

/** `perform`, its end without an error. */
const succeed = (id: string) =>
  pool.query(
    `update public.good_jobs
     set locked_by_id = null, locked_at = null, lock_type = null, error = null, error_event = null, finished_at = ${now},
       updated_at = ${now}
     where id = $1`,
    [id],
  );

/** `perform`, its end with an error and no retry. Events: 1 unhandled, 2 handled, 4 retry_stopped, 5 discarded. */
const fail = (id: string, error = 'Net::ReadTimeout: too slow', event = 1) =>
  pool.query(
    `update public.good_jobs
     set locked_by_id = null, locked_at = null, lock_type = null, error = $2, error_event = $3, finished_at = ${now},
       updated_at = ${now}
     where id = $1`,
    [id, error, event],
  );

/** `perform`, its end with an error that `retry_on` enqueues again. */
const retryLater = (id: string, error = 'Net::ReadTimeout: too slow') =>
  pool.query(
    `update public.good_jobs
     set locked_by_id = null, locked_at = null, lock_type = null, error = $2, error_event = 3, performed_at = null,
       finished_at = null, scheduled_at = ${now} - interval '1 second', updated_at = ${now}
     where id = $1`,
    [id, error],
  );

/** `retry_job`, the button on the dashboard. */
const retryByHand = (id: string) =>
  pool.query(
    `update public.good_jobs
     set scheduled_at = ${now}, performed_at = null, finished_at = null, error_event = 3, updated_at = ${now}
     where id = $1`,
    [id],
  );

/** `discard_job`, the other button. */
const discardByHand = (id: string) =>
  pool.query(
    `update public.good_jobs
     set finished_at = ${now}, error = 'GoodJob::Job::DiscardJobError: Discarded through dashboard', error_event = 5,
       updated_at = ${now}
     where id = $1`,
    [id],
  );

const told = async (): Promise<readonly string[]> => (await watched.scanAll()).map(({ jobId }) => jobId);

const successIndex =
  'create index concurrently "good_jobs_successes" on "public"."good_jobs" ("job_class", "queue_name", "finished_at") ' +
  'where "finished_at" is not null and "error" is null;';

describe('a GoodJob table', () => {
  it('is found fit, with an index of its own for failures, and lacks one for successes', async () => {
    const { problems, warnings, missingIndexes } = await watched.inspect();
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    expect(missingIndexes.map(({ statement }) => statement)).toEqual([successIndex]);
  });

  it('without the lock columns of 3.29 is refused with the reason', async () => {
    const client = await pool.connect();
    try {
      await client.query('begin');
      await client.query('alter table public.good_jobs drop column locked_by_id');
      const { problems } = await watched.inspect({
        pool: { ...pool, query: client.query.bind(client) } as typeof pool,
      });
      expect(problems.join()).toMatch(/GoodJob since 3\.29.*no column locked_by_id of good_jobs/);
    } finally {
      await client.query('rollback');
      client.release();
    }
  });

  it('says which index of its own an older release lacks', async () => {
    await pool.query('drop index public.index_good_jobs_on_discarded');
    const { missingIndexes } = await watched.inspect();
    expect(missingIndexes.map(({ statement }) => statement)).toEqual([
      'create index concurrently "good_jobs_failures" on "public"."good_jobs" ("finished_at", "id") ' +
        'where "finished_at" is not null and "error" is not null;',
      successIndex,
    ]);
    await pool.query(
      'create index index_good_jobs_on_discarded on public.good_jobs (finished_at desc) where finished_at is not null and error is not null',
    );
  });
});

describe('a job that failed for good', () => {
  it('is told with its class, queue, error and number of executions', async () => {
    const id = await enqueue();
    await start(id);
    await fail(id);
    const [failure, ...others] = await watched.scanAll();
    expect(others).toEqual([]);
    expect(failure).toMatchObject({
      jobId: id,
      kind: 'failed',
      source: 'billing',
      jobType: 'InvoiceJob',
      targetId: null,
      error: 'Net::ReadTimeout: too slow',
      attempts: 1,
      notes: [],
    });
    expect((await watched.reconcile()).map(({ jobId }) => jobId)).toEqual([id]);
  });

  it('is told when discard_on, rescue_from or a spent retry_on ended it', async () => {
    const ids: string[] = [];
    for (const event of [2, 4, 5]) {
      const id = await enqueue();
      await start(id);
      await fail(id, `Some::Error: event ${event}`, event);
      ids.push(id);
    }
    expect(await told()).toEqual(ids);
  });

  it('stays the same outcome when the row is touched, and is a new one when it fails again after a retry by hand', async () => {
    const id = await enqueue();
    await start(id);
    await fail(id);
    const [first] = await watched.scanAll();
    await pool.query(`update public.good_jobs set updated_at = ${now}, labels = '{seen}' where id = $1`, [id]);
    expect((await watched.scanAll())[0]?.outcomeId).toBe(first?.outcomeId);

    await retryByHand(id);
    expect(await told()).toEqual([]);
    expect(await watched.successesOf('billing', 'InvoiceJob')).toEqual([]);
    await start(id);
    await fail(id);
    const [second] = await watched.scanAll();
    expect(second).toMatchObject({ jobId: id, attempts: 2 });
    expect(second?.outcomeId).not.toBe(first?.outcomeId);
  });
});

describe('what is no failure', () => {
  it('is a retry to come, whose error stays in the row while it waits and runs again', async () => {
    const id = await enqueue();
    await start(id);
    await retryLater(id);
    expect(await told()).toEqual([]);
    expect(await watched.waiting()).toMatchObject([{ id, state: 'waiting', status: 'retried' }]);
    await start(id);
    expect(await told()).toEqual([]);
    expect(await watched.running()).toMatchObject([{ id, state: 'running', attempts: 2 }]);
    await succeed(id);
    expect(await told()).toEqual([]);
    expect(await watched.successesOf('billing', 'InvoiceJob')).toMatchObject([{ jobId: id }]);
  });

  it('is a job that a person discarded on the dashboard', async () => {
    const id = await enqueue();
    await discardByHand(id);
    expect(await told()).toEqual([]);
    expect(await watched.job(id)).toMatchObject({ state: 'canceled', status: 'discarded' });
    expect(await watched.successesOf('billing', 'InvoiceJob')).toEqual([]);
  });

  it('is a job whose worker was killed and that another took again', async () => {
    const dead = await startProcess();
    const id = await enqueue();
    await start(id, dead);
    // `Process.cleanup` of another process, then its `perform`: the error of the interruption stands while the job runs.
    await pool.query('update public.good_jobs set locked_by_id = null, locked_at = null where locked_by_id = $1', [
      dead,
    ]);
    await pool.query('delete from public.good_job_processes where id = $1', [dead]);
    expect(await watched.running()).toMatchObject([{ id, heartbeatAt: null }]);
    await pool.query(
      "update public.good_jobs set error = 'GoodJob::InterruptedError: Interrupted', error_event = 0 where id = $1",
      [id],
    );
    await start(id, await startProcess());
    expect(await told()).toEqual([]);
  });

  it('is a row that GoodJob deleted, which is no success either', async () => {
    const id = await enqueue();
    await start(id);
    await pool.query('delete from public.good_jobs where id = $1', [id]);
    expect(await told()).toEqual([]);
    expect(await watched.successesOf('billing', 'InvoiceJob')).toEqual([]);
    expect(await watched.job(id)).toBeUndefined();
  });
});

it('reads the heartbeat of a running job from the process that holds it', async () => {
  const processId = await startProcess();
  const id = await enqueue();
  await start(id, processId);
  await pool.query("update public.good_job_processes set updated_at = '2026-11-01 12:00:00.5' where id = $1", [
    processId,
  ]);
  expect(await watched.running()).toMatchObject([
    { id, heartbeatAt: '2026-11-01T12:00:00.500000Z', source: 'billing', jobType: 'InvoiceJob' },
  ]);
  expect((await watched.source()).hasHeartbeats).toBe(true);
});

it('needs the indexes that its page says', async () => {
  const { missingIndexes } = await watched.inspect();
  expect(indexesOnPage('good-job').toSorted()).toEqual(
    missingIndexes.map(({ statement }) => withoutQuotes(statement)).toSorted(),
  );
});

it('knows the state of every row', async () => {
  const process = await startProcess();
  await enqueue();
  await start(await enqueue(), process);
  for (const end of [succeed, fail, retryLater, discardByHand]) {
    const id = await enqueue();
    await start(id);
    await end(id);
  }
  expect((await watched.statuses()).filter(({ unknown }) => unknown)).toEqual([]);
});

it('is read with the grants of its page, and nothing can be written with them', async () => {
  const id = await enqueue();
  await start(id, await startProcess());
  await fail(id);
  await asReader(watched, 'good-job', async (reader) => {
    const { problems, warnings, source } = await watched.inspect({ pool: reader });
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    const { rows } = await reader.query(source?.statements.failuresFrom ?? '', ['2000-01-01T00:00:00Z', 10]);
    expect(rows).toMatchObject([{ id }]);
    for (const write of [
      `update public.good_jobs set error = null where id = '${id}'`,
      'delete from public.good_jobs',
      'insert into public.good_job_processes (created_at, updated_at) values (now(), now())',
    ])
      await expect(reader.query(write)).rejects.toThrow(/permission denied/);
  });
});

it('finds the target of a job in its arguments when the configuration says where', async () => {
  const id = await enqueue();
  await fail(id);
  await pool.query('update public.good_jobs set serialized_params = $1', [
    { job_class: 'InvoiceJob', arguments: [{ account_id: 'acme', _aj_symbol_keys: ['account_id'] }] },
  ]);
  // In the configuration: serialized_params.arguments.0.account_id
  const target = { column: 'serialized_params', path: ['arguments', '0', 'account_id'] };
  const mapping = customiseMapping(goodJobMapping, { columns: { target_id: target } });
  const { source } = await inspectTable(pool, mapping, { name: 'jobs', table: 'public.good_jobs' });
  const { rows } = await pool.query(source?.statements.failuresFrom ?? '', ['2000-01-01T00:00:00Z', 10]);
  expect(rows).toMatchObject([{ id, target_id: 'acme' }]);
});

it('never reads the whole table, with the indexes that GoodJob makes', async () => {
  await pool.query(
    `insert into public.good_jobs
       (id, active_job_id, job_class, queue_name, created_at, updated_at, scheduled_at, performed_at, finished_at, error)
     select gen_random_uuid(), gen_random_uuid(), 'Job' || n % 7, 'queue' || n % 3, at, at, at, at,
       case when n % 50 > 0 then at end, case when n % 100 = 1 then 'Error: no' end
     from (select n, ${now} - n * interval '1 minute' as at from generate_series(1, 40000) as n) as numbered`,
  );
  await pool.query('vacuum analyze public.good_jobs');
  const source = await watched.source();
  const { rows } = await pool.query<{ changed: string; id: string }>(
    'select finished_at::text as changed, id::text as id from public.good_jobs where error is not null order by finished_at offset 50 limit 1',
  );
  const [row] = rows;
  if (row === undefined) throw new Error('There is no failed row.');
  for (const [caption, text, values] of [
    ...failureScans(source, { since: '2001-01-01T00:00:00Z', ...row }),
    ...watchingReads(source, { source: 'queue1', jobType: 'Job3', since: '2001-01-01T00:00:00Z', id: row.id }),
  ])
    expect(await planOf(pool, text, values), caption).not.toMatch(/Seq Scan on good_jobs/);
});

import { beforeEach, describe, expect, it } from 'vitest';
import { watchAdapter } from '../adapter.fixture.ts';
import { customiseMapping } from '../customise-mapping.ts';
import { inspectTable } from '../inspect-table.ts';
import { procrastinateMapping } from './procrastinate-mapping.ts';
import { procrastinateDoes, procrastinateSchema } from './procrastinate-schema.fixture.ts';
import { failureScans, planOf } from './query-plan.fixture.ts';
import { asReader } from './read-only-role.fixture.ts';
import { entriesRead, indexesOnPage, watchingReads } from './watching-reads.fixture.ts';

const watched = await watchAdapter(procrastinateMapping, procrastinateSchema());
const older = await watchAdapter(procrastinateMapping, procrastinateSchema('3.0'));
const { pool } = watched;
beforeEach(() =>
  pool.query(
    'truncate procrastinate_jobs, procrastinate_events, procrastinate_periodic_defers, procrastinate_workers restart identity',
  ),
);

const defer = async (): Promise<string> => {
  const { rows } = await pool.query<{ id: string }>(
    `insert into procrastinate_jobs (queue_name, task_name, args) values ('mail', 'app.send_mail', '{"account_id": 7}')
     returning id::text as id`,
  );
  return rows[0]?.id ?? '';
};
const register = async (): Promise<string> => {
  const { rows } = await pool.query<{ id: string }>(
    'insert into procrastinate_workers default values returning id::text as id',
  );
  return rows[0]?.id ?? '';
};
/** Lets Procrastinate do something to the job, which must find its row. */
const does = async (what: keyof typeof procrastinateDoes, id: string, ...values: readonly (string | null)[]) => {
  const { rowCount } = await pool.query(procrastinateDoes[what], [id, ...values]);
  expect(rowCount, what).toBe(1);
};
const fetched = async (): Promise<string> => {
  const id = await defer();
  await does('fetch', id, null);
  return id;
};
const told = async (): Promise<readonly string[]> => (await watched.scanAll()).map(({ jobId }) => jobId);
const successes = () => watched.successesOf('mail', 'app.send_mail');

describe('the tables of Procrastinate', () => {
  it('are found fit, and want two indexes on the events', async () => {
    const { problems, warnings, missingIndexes } = await watched.inspect();
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    expect(missingIndexes.map(({ statement }) => statement)).toEqual([
      'create index concurrently "procrastinate_events_failures" on "public"."procrastinate_events" (at, job_id) ' +
        `where type in ('failed', 'cancelled');`,
      'create index concurrently "procrastinate_events_successes" on "public"."procrastinate_events" (at, job_id) ' +
        `where type in ('succeeded', 'cancelled');`,
    ]);
  });

  it('of 3.0, without workers, are read without signs of life', async () => {
    const { problems, warnings } = await older.inspect();
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    await older.pool.query(`insert into procrastinate_jobs (queue_name, task_name) values ('mail', 'app.send_mail')`);
    await older.pool.query(`update procrastinate_jobs set status = 'doing'`);
    expect(await older.running()).toMatchObject([{ id: '1', heartbeatAt: null, attempts: 0 }]);
    await older.pool.query(procrastinateDoes.finish, ['1', 'failed']);
    expect(await older.scanAll()).toMatchObject([{ jobId: '1', kind: 'failed', attempts: 1 }]);
  });

  it('without the events are refused with the reason', async () => {
    await older.pool.query('alter table procrastinate_events rename to elsewhere');
    const { problems } = await older.inspect();
    await older.pool.query('alter table elsewhere rename to procrastinate_events');
    expect(problems.join()).toContain('procrastinate_events');
  });
});

describe('a failed job', () => {
  it('is told with its task, queue and attempts, at the time of its event', async () => {
    const id = await fetched();
    await does('finish', id, 'failed');
    await pool.query(`update procrastinate_events set at = '2026-11-01 12:00:00.5+00' where type = 'failed'`);
    const [failure, ...others] = await watched.scanAll();
    expect(others).toEqual([]);
    expect(failure).toMatchObject({
      jobId: id,
      kind: 'failed',
      source: 'mail',
      jobType: 'app.send_mail',
      targetId: null,
      error: null,
      attempts: 1,
      maxAttempts: null,
      failedAt: '2026-11-01T12:00:00.500000Z',
      notes: [],
    });
  });

  it('is found by the comparison as well, page by page, with equal times', async () => {
    await pool.query('begin');
    for (let n = 0; n < 8; n += 1) await does('finish', await fetched(), 'failed');
    await pool.query(`update procrastinate_events set at = date_trunc('minute', now()) where type = 'failed'`);
    await pool.query('commit');
    const ids = await told();
    expect(ids).toHaveLength(8);
    expect(new Set(ids).size).toBe(8);
    expect((await watched.reconcile()).map(({ jobId }) => jobId)).toEqual(ids);
  });

  it('is a new failure when it is retried by hand and fails again, told once by its latest event', async () => {
    const id = await fetched();
    await does('finish', id, 'failed');
    const [first] = await watched.scanAll();
    await does('retry', id);
    expect(await told()).toEqual([]);
    expect(await watched.job(id)).toMatchObject({ state: 'waiting', finishedAt: null });
    await does('fetch', id, null);
    await does('finish', id, 'failed');
    const failures = await watched.scanAll();
    expect(failures).toMatchObject([{ jobId: id, attempts: 3 }]);
    expect(failures[0]?.outcomeId).not.toBe(first?.outcomeId);
  });

  it('is told when it was asked to stop and would have been retried', async () => {
    const id = await fetched();
    await does('cancel', id);
    await does('retryWhenAborting', id);
    expect(await told()).toEqual([id]);
  });

  it('is told when it was set back while its first worker still had it, which ends it from todo', async () => {
    const id = await fetched();
    await does('retry', id);
    await does('finish', id, 'failed');
    expect(await told()).toEqual([id]);
    const other = await fetched();
    await does('retry', other);
    await does('finish', other, 'succeeded');
    expect(await told()).toEqual([id]);
    expect(await successes()).toMatchObject([{ jobId: other }]);
  });

  it('is gone with its events when workers delete jobs, which is no success', async () => {
    const id = await fetched();
    await does('finishAndDelete', id);
    expect(await told()).toEqual([]);
    expect(await successes()).toEqual([]);
    expect(await watched.job(id)).toBeUndefined();
  });
});

describe('what is no failure', () => {
  it('is a try that failed and is retried', async () => {
    const id = await fetched();
    await does('retry', id);
    expect(await told()).toEqual([]);
    expect(await watched.waiting()).toMatchObject([{ id, state: 'waiting', status: 'todo', attempts: 1 }]);
    await does('fetch', id, null);
    await does('finish', id, 'succeeded');
    expect(await told()).toEqual([]);
    expect(await successes()).toMatchObject([{ jobId: id }]);
  });

  it('is a job that was aborted or cancelled', async () => {
    const running = await fetched();
    await does('cancel', running);
    await does('finish', running, 'aborted');
    const waiting = await defer();
    await does('cancel', waiting);
    expect(await told()).toEqual([]);
    expect(await watched.job(running)).toMatchObject({ state: 'canceled', status: 'aborted' });
    expect(await watched.job(waiting)).toMatchObject({ state: 'canceled', status: 'cancelled' });
  });
});

it('a status written by hand, past the events, is counted as unknown and not told', async () => {
  const id = await fetched();
  await does('finish', id, 'succeeded');
  await pool.query(`update procrastinate_jobs set status = 'failed' where id = $1`, [id]);
  expect(await told()).toEqual([]);
  expect(await watched.statuses()).toEqual([{ status: 'failed', rows: 1, unknown: true }]);
});

it('a running job has its latest start and the sign of life of its worker, until that one is pruned', async () => {
  const worker = await register();
  const id = await defer();
  await does('fetch', id, worker);
  await does('retry', id);
  await does('fetch', id, worker);
  await pool.query(`update procrastinate_workers set last_heartbeat = '2026-11-01 12:00:00+00'`);
  await pool.query(`update procrastinate_events set at = '2026-11-01 11:00:00+00' where type = 'started' and id < 4`);
  await pool.query(`update procrastinate_events set at = '2026-11-01 11:30:00+00' where type = 'started' and id >= 4`);
  const running = { id, state: 'running', status: 'doing', startedAt: '2026-11-01T11:30:00.000000Z' };
  expect(await watched.running()).toMatchObject([{ ...running, heartbeatAt: '2026-11-01T12:00:00.000000Z' }]);
  await does('pruneWorker', worker);
  expect(await watched.running()).toMatchObject([{ ...running, heartbeatAt: null }]);
});

it('a job that is deferred for now waits since then, and one for later since its time', async () => {
  const id = await defer();
  await pool.query(`update procrastinate_events set at = now() - interval '2 hours' where job_id = $1`, [id]);
  const later = await defer();
  await pool.query(`update procrastinate_jobs set scheduled_at = now() + interval '1 hour' where id = $1`, [later]);
  await pool.query(
    `update procrastinate_events set at = now() - interval '9 hours' where job_id = $1 and type = 'deferred'`,
    [later],
  );
  expect((await watched.waiting(3_600_000)).map((job) => job.id)).toEqual([id]);
});

it('knows the state of every row that Procrastinate makes', async () => {
  await defer();
  await does('cancel', await defer());
  await fetched();
  for (const status of ['succeeded', 'failed', 'aborted']) await does('finish', await fetched(), status);
  expect((await watched.statuses()).filter(({ unknown }) => unknown)).toEqual([]);
});

it('says what a job works on when the configuration names an argument', async () => {
  const id = await fetched();
  await does('finish', id, 'failed');
  const mapping = customiseMapping(procrastinateMapping, {
    columns: { target_id: { column: 'args', path: ['account_id'] } },
  });
  const { source, problems, warnings } = await inspectTable(pool, mapping, {
    name: 'jobs',
    table: 'public.procrastinate_jobs',
  });
  expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
  const { rows } = await pool.query(source?.statements.failuresFrom ?? '', ['2001-01-01T00:00:00Z', 10]);
  expect(rows).toMatchObject([{ id, target_id: '7' }]);
});

it('is read with the grants of its page, which open nothing else and no change', async () => {
  const id = await fetched();
  await does('finish', id, 'failed');
  await asReader(watched, 'procrastinate', async (reader) => {
    const { problems, warnings, source } = await watched.inspect({ pool: reader });
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    if (source === null) throw new Error('The table is unfit.');
    const work = { source: 'mail', jobType: 'app.send_mail', since: '2001-01-01T00:00:00Z', id };
    const scans = failureScans(source, { since: work.since, changed: '2001-01-01 00:00:00+00', id });
    for (const [, text, values] of [...scans, ...watchingReads(source, work)]) await reader.query(text, values);
    for (const refused of [
      'select task_name from procrastinate_periodic_defers',
      'update procrastinate_jobs set priority = 1',
      'delete from procrastinate_jobs',
      `insert into procrastinate_events (job_id, type) values (${id}, 'succeeded')`,
      'delete from procrastinate_workers',
    ])
      await expect(reader.query(refused)).rejects.toThrow(/permission denied/);
  });
});

it('never reads a whole table, with the indexes asked for', async () => {
  await pool.query('alter table procrastinate_jobs disable trigger user');
  await pool.query(
    `insert into procrastinate_jobs (queue_name, task_name, status, attempts)
     select 'queue' || n % 3, 'task' || n % 7,
       (case when n % 100 = 1 then 'failed' when n % 400 = 2 then 'doing' when n % 400 = 3 then 'todo' else 'succeeded' end)::procrastinate_job_status, 1
     from generate_series(1, 40000) as n`,
  );
  await pool.query(
    `insert into procrastinate_events (job_id, type, at)
     select job.id, happened.type::procrastinate_job_event_type, now() - (40000 - job.id) * interval '1 minute' + happened.n * interval '1 second'
     from procrastinate_jobs as job
     cross join lateral unnest(
       case job.status when 'todo' then array['deferred'] when 'doing' then array['deferred', 'started']
         else array['deferred', 'started', job.status::text] end
     ) with ordinality as happened (type, n)
     order by 3`,
  );
  await pool.query('alter table procrastinate_jobs enable trigger user');
  await pool.query('analyze procrastinate_jobs, procrastinate_events');
  const without = await planOf(pool, (await watched.source()).statements.failuresFrom, ['2001-01-01T00:00:00Z', 500]);
  expect(without).toMatch(/Seq Scan on procrastinate_(events|jobs)/);
  for (const statement of indexesOnPage('procrastinate')) await pool.query(statement);
  await pool.query('vacuum analyze procrastinate_jobs, procrastinate_events, procrastinate_workers');
  expect((await watched.inspect()).missingIndexes).toEqual([]);
  const source = await watched.source();
  const { rows } = await pool.query<{ changed: string; id: string }>(
    `select at::text as changed, job_id::text as id from procrastinate_events where type = 'failed' order by at offset 50 limit 1`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('There is no failed job.');
  const since = '2001-01-01T00:00:00Z';
  for (const [caption, text, values] of [
    ...failureScans(source, { since, ...row }),
    ...watchingReads(source, { source: 'queue1', jobType: 'task1', since, id: row.id }),
  ])
    expect(await planOf(pool, text, values), caption).not.toMatch(/Seq Scan on procrastinate_(jobs|events)/);
  // A page of 20 of the 400 failures reads little more than those.
  for (const [text, values] of [
    [source.statements.failuresFrom, [since, 20]],
    [source.statements.skimAfter, [row.changed, row.id, 20]],
  ] as const)
    expect(entriesRead(await planOf(pool, text, values), 'procrastinate_events_failures')).toBeLessThan(100);
  for (const [caption, text, values] of failureScans(source, { since, ...row }).filter(
    ([name]) => name !== 'read by id',
  ))
    expect(await planOf(pool, text, values), caption).toContain('procrastinate_events_failures');
});

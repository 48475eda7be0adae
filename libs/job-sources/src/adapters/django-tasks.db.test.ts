import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { watchAdapter } from '../adapter.fixture.ts';
import { customiseMapping } from '../customise-mapping.ts';
import { inspectTable } from '../inspect-table.ts';
import { indexesOnPage, withoutQuotes } from './adapter-page.fixture.ts';
import { djangoTasksMapping } from './django-tasks-mapping.ts';
import { djangoTasksSchema } from './django-tasks-schema.fixture.ts';
import { failureScans, planOf } from './query-plan.fixture.ts';
import { asReader } from './read-only-role.fixture.ts';
import { watchingReads } from './watching-reads.fixture.ts';

const watched = await watchAdapter(djangoTasksMapping, djangoTasksSchema);
const { pool } = watched;
const table = 'public.django_tasks_database_dbtaskresult';
beforeEach(() => pool.query(`truncate ${table}`));

// State changes as django-tasks-db 0.12.0 writes them (django_tasks_db/backend.py, models.py).

/** `enqueue`; "as soon as possible" is the year 9999. */
const enqueue = async (runAfter = '9999-01-01 00:00:00+00', path = 'shop.tasks.send_invoice'): Promise<string> => {
  const id = randomUUID();
  await pool.query(
    `insert into ${table} (id, status, enqueued_at, args_kwargs, priority, task_path, worker_ids, queue_name, backend_name,
       run_after, exception_class_path, traceback)
     values ($1, 'READY', clock_timestamp(), '{"args": [7], "kwargs": {"account_id": "acme"}}', 0, $2, '[]', 'default', 'default',
       $3, '', '')`,
    [id, path, runAfter],
  );
  return id;
};

/** `claim` */
const claim = (id: string) =>
  pool.query(
    `update ${table} set status = 'RUNNING', started_at = clock_timestamp(), worker_ids = worker_ids || '["w1"]' where id = $1`,
    [id],
  );

/** `set_successful` */
const succeed = (id: string) =>
  pool.query(
    `update ${table}
     set status = 'SUCCESSFUL', finished_at = clock_timestamp(), return_value = 'null', exception_class_path = '', traceback = ''
     where id = $1`,
    [id],
  );

const traceback =
  'Traceback (most recent call last):\n  File "tasks.py", line 3\nbuiltins.ValueError: no such account\n';

/** `set_failed` */
const fail = (id: string, text = traceback) =>
  pool.query(
    `update ${table}
     set status = 'FAILED', finished_at = clock_timestamp(), return_value = null,
       exception_class_path = 'builtins.ValueError', traceback = $2
     where id = $1`,
    [id, text],
  );

const told = async (): Promise<readonly string[]> => (await watched.scanAll()).map(({ jobId }) => jobId);

describe('the table of Django Tasks', () => {
  it('is found fit, with the indexes that it lacks', async () => {
    const { problems, warnings, missingIndexes } = await watched.inspect();
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    const name = 'django_tasks_database_dbtaskresult';
    expect(missingIndexes.map(({ statement }) => statement)).toEqual([
      `create index concurrently "${name}_failures" on "public"."${name}" ("finished_at", "id") where "status" in ('FAILED');`,
      `create index concurrently "${name}_successes" on "public"."${name}" ("queue_name", "task_path", "finished_at") ` +
        `where "status" in ('SUCCESSFUL', 'SUCCEEDED', 'COMPLETE');`,
      `create index concurrently "${name}_open" on "public"."${name}" ("status", "enqueued_at") where "status" in ('READY', 'NEW', 'RUNNING');`,
    ]);
  });

  it('of an unknown version is watched with a warning', async () => {
    await pool.query(
      "insert into public.django_migrations (app, name, applied) values ('django_tasks_database', '0021_new', now())",
    );
    const { problems, warnings } = await watched.inspect();
    await pool.query("delete from public.django_migrations where name = '0021_new'");
    expect(problems).toEqual([]);
    expect(warnings.join()).toMatch(/latest migration of django_tasks_database is 21.*tested with 12 to 20/);
  });
});

describe('a task that failed', () => {
  it('is told with its path, queue and traceback', async () => {
    const id = await enqueue();
    await claim(id);
    await fail(id);
    const [failure, ...others] = await watched.scanAll();
    expect(others).toEqual([]);
    expect(failure).toMatchObject({
      jobId: id,
      kind: 'failed',
      source: 'default',
      jobType: 'shop.tasks.send_invoice',
      targetId: null,
      error: traceback.trim(),
      attempts: null,
      notes: [],
    });
    expect((await watched.reconcile()).map(({ jobId }) => jobId)).toEqual([id]);
  });

  it('is told by the class of its exception when there is no traceback', async () => {
    const id = await enqueue();
    await fail(id, '');
    expect(await watched.scanAll()).toMatchObject([{ jobId: id, error: 'builtins.ValueError' }]);
  });

  it('and was put back to READY by hand is no success; failing again is a new outcome', async () => {
    const id = await enqueue();
    await claim(id);
    await fail(id);
    const [first] = await watched.scanAll();
    await pool.query(`update ${table} set status = 'READY' where id = $1`, [id]);
    expect(await told()).toEqual([]);
    expect(await watched.successesOf('default', 'shop.tasks.send_invoice')).toEqual([]);
    expect(await watched.job(id)).toMatchObject({ state: 'waiting' });
    await claim(id);
    expect(await told()).toEqual([]);
    await fail(id);
    const [second] = await watched.scanAll();
    expect(second?.jobId).toBe(id);
    expect(second?.outcomeId).not.toBe(first?.outcomeId);
  });

  it('stays the same outcome when its row is touched', async () => {
    const id = await enqueue();
    await fail(id);
    const [first] = await watched.scanAll();
    await pool.query(`update ${table} set priority = 5 where id = $1`, [id]);
    expect((await watched.scanAll())[0]?.outcomeId).toBe(first?.outcomeId);
  });
});

it('needs the indexes that its page says', async () => {
  const { missingIndexes } = await watched.inspect();
  expect(indexesOnPage('django-tasks').toSorted()).toEqual(
    missingIndexes.map(({ statement }) => withoutQuotes(statement)).toSorted(),
  );
});

it('takes the words of older releases for what they meant', async () => {
  const expected = {
    NEW: 'waiting',
    RUNNING: 'running',
    COMPLETE: 'succeeded',
    SUCCEEDED: 'succeeded',
    FAILED: 'failed',
  };
  for (const [status, state] of Object.entries(expected)) {
    const id = await enqueue();
    await pool.query(`update ${table} set status = $2, finished_at = now() where id = $1`, [id, status]);
    expect((await watched.job(id))?.state, status).toBe(state);
  }
  expect((await watched.statuses()).filter(({ unknown }) => unknown)).toEqual([]);
  expect(await watched.successesOf('default', 'shop.tasks.send_invoice')).toHaveLength(2);
});

it('sees a success, and nothing in a task that runs for ever because its worker died', async () => {
  const done = await enqueue();
  await claim(done);
  await succeed(done);
  const orphan = await enqueue();
  await claim(orphan);
  await pool.query(`update ${table} set started_at = '2026-11-01 12:00:00.5+00' where id = $1`, [orphan]);
  expect(await told()).toEqual([]);
  expect(await watched.successesOf('default', 'shop.tasks.send_invoice')).toMatchObject([{ jobId: done }]);
  expect(await watched.running()).toMatchObject([
    { id: orphan, heartbeatAt: null, startedAt: '2026-11-01T12:00:00.500000Z' },
  ]);
  expect((await watched.source()).hasHeartbeats).toBe(false);
});

it('takes a task without a time as due since it was enqueued, and another one from its time', async () => {
  const soon = await enqueue();
  const late = await enqueue('2026-01-01 00:00:00+00');
  await enqueue('2099-01-01 00:00:00+00');
  const waiting = await watched.waiting();
  expect(waiting.map(({ id }) => id)).toEqual([late, soon]);
  expect(waiting[0]?.dueAt).toBe('2026-01-01T00:00:00.000000Z');
  expect(waiting[1]?.dueAt).toBe(waiting[1]?.createdAt);
});

it('finds the target of a task in its arguments when the configuration says where', async () => {
  // In the configuration: args_kwargs.kwargs.account_id
  const target = { column: 'args_kwargs', path: ['kwargs', 'account_id'] };
  const mapping = customiseMapping(djangoTasksMapping, { columns: { target_id: target } });
  await fail(await enqueue());
  const { source } = await inspectTable(pool, mapping, { name: 'jobs', table });
  const { rows } = await pool.query(source?.statements.failuresFrom ?? '', ['2000-01-01T00:00:00Z', 10]);
  expect(rows).toMatchObject([{ target_id: 'acme' }]);
});

it('is read with the grants of its page, and nothing can be written with them', async () => {
  const id = await enqueue();
  await fail(id);
  await asReader(watched, 'django-tasks', async (reader) => {
    const { problems, warnings, source } = await watched.inspect({ pool: reader });
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    const { rows } = await reader.query(source?.statements.failuresFrom ?? '', ['2000-01-01T00:00:00Z', 10]);
    expect(rows).toMatchObject([{ id }]);
    for (const write of [
      `update ${table} set status = 'READY'`,
      `delete from ${table}`,
      'delete from public.django_migrations',
    ])
      await expect(reader.query(write)).rejects.toThrow(/permission denied/);
    await pool.query('revoke select on public.django_migrations from reader_of_django_tasks');
    expect(await watched.inspect({ pool: reader })).toMatchObject({ problems: [], warnings: [] });
  });
});

it('never reads the whole table, with the indexes of its page', async () => {
  await pool.query(
    `insert into ${table} (id, status, enqueued_at, started_at, finished_at, args_kwargs, priority, task_path, worker_ids,
       queue_name, backend_name, run_after, exception_class_path, traceback)
     select gen_random_uuid(),
       case when n % 100 = 0 then 'FAILED' when n % 100 = 1 then 'READY' when n % 400 = 2 then 'RUNNING' else 'SUCCESSFUL' end,
       at, at, at, '{}', 0, 'shop.tasks.t' || n % 7, '[]', 'default', 'default', '9999-01-01 00:00:00+00', '', ''
     from (select n, now() - n * interval '1 minute' as at from generate_series(1, 40000) as n) as numbered`,
  );
  for (const { statement } of (await watched.inspect()).missingIndexes)
    await pool.query(statement.replace('concurrently', ''));
  await pool.query(`vacuum analyze ${table}`);
  const source = await watched.source();
  const { rows } = await pool.query<{ changed: string; id: string }>(
    `select finished_at::text as changed, id::text as id from ${table} where status = 'FAILED' order by finished_at offset 50 limit 1`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('There is no failed row.');
  for (const [caption, text, values] of [
    ...failureScans(source, { since: '2001-01-01T00:00:00Z', ...row }),
    ...watchingReads(source, {
      source: 'default',
      jobType: 'shop.tasks.t3',
      since: '2001-01-01T00:00:00Z',
      id: row.id,
    }),
  ])
    expect(await planOf(pool, text, values), caption).not.toMatch(/Seq Scan on django_tasks/);
});

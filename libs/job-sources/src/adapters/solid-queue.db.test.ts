import { beforeEach, describe, expect, it } from 'vitest';
import { watchAdapter } from '../adapter.fixture.ts';
import { indexesOnPage, withoutQuotes } from './adapter-page.fixture.ts';
import { failureScans, planOf } from './query-plan.fixture.ts';
import { asReader } from './read-only-role.fixture.ts';
import { databaseNow, solidQueueChanges } from './solid-queue-changes.fixture.ts';
import { solidQueueMapping } from './solid-queue-mapping.ts';
import { solidQueueSchema } from './solid-queue-schema.fixture.ts';
import { watchingReads } from './watching-reads.fixture.ts';

const watched = await watchAdapter(solidQueueMapping, solidQueueSchema);
const { pool } = watched;
const { enqueue, startProcess, claim, finish, fail, failWith, retry, discard, retryOn } = solidQueueChanges(pool);
beforeEach(() => pool.query('truncate public.solid_queue_jobs, public.solid_queue_processes cascade'));

const told = async (): Promise<readonly string[]> => (await watched.scanAll()).map(({ jobId }) => jobId);
const successes = async (): Promise<readonly string[]> =>
  (await watched.successesOf('billing', 'InvoiceJob')).map(({ jobId }) => jobId);

describe('the tables of Solid Queue', () => {
  it('are found fit, with the indexes that they lack', async () => {
    const { problems, warnings, missingIndexes } = await watched.inspect();
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    expect(missingIndexes.map(({ statement }) => statement)).toEqual([
      'create index concurrently "solid_queue_failed_executions_failures" on "public"."solid_queue_failed_executions" (created_at, job_id);',
      'create index concurrently "solid_queue_jobs_successes" on "public"."solid_queue_jobs" ("class_name", "queue_name", "finished_at") ' +
        'where "finished_at" is not null;',
    ]);
  });

  it('are refused with the reason when one of them is not there', async () => {
    await pool.query('alter table public.solid_queue_processes rename to somewhere_else');
    const { problems } = await watched.inspect();
    await pool.query('alter table public.somewhere_else rename to solid_queue_processes');
    expect(problems.join()).toMatch(/Solid Queue since 1\.0.*no table solid_queue_processes/);
  });
});

describe('a job that failed', () => {
  it('is told with its class, queue, tries, and the class and message of its error', async () => {
    const { id } = await enqueue();
    await claim(id);
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
    expect(await watched.job(id)).toMatchObject({ state: 'failed', status: 'failed' });
  });

  it('and was retried by hand is no success; when it fails again, that is a new outcome', async () => {
    const { id } = await enqueue();
    await claim(id);
    await fail(id);
    const [first] = await watched.scanAll();
    await retry(id);
    expect(await told()).toEqual([]);
    expect(await successes()).toEqual([]);
    expect(await watched.waiting()).toMatchObject([{ id, state: 'waiting' }]);
    await claim(id);
    await fail(id);
    const [second] = await watched.scanAll();
    expect(second).toMatchObject({ jobId: id, attempts: 1 });
    expect(second?.outcomeId).not.toBe(first?.outcomeId);
  });

  it('and was discarded is gone, which is no success', async () => {
    const { id } = await enqueue();
    await claim(id);
    await fail(id);
    await discard(id);
    expect(await told()).toEqual([]);
    expect(await successes()).toEqual([]);
    expect(await watched.job(id)).toBeUndefined();
  });

  it('stays the same outcome when its row is touched', async () => {
    const { id } = await enqueue();
    await claim(id);
    await fail(id);
    const [first] = await watched.scanAll();
    await pool.query(`update public.solid_queue_jobs set priority = 5, updated_at = ${databaseNow} where id = $1`, [
      id,
    ]);
    expect((await watched.scanAll())[0]?.outcomeId).toBe(first?.outcomeId);
  });

  it('because its worker was pruned is told as such', async () => {
    const processId = await startProcess();
    const { id } = await enqueue();
    await claim(id, processId);
    await fail(id, 'Process was found dead', 'SolidQueue::Processes::ProcessPrunedError');
    await pool.query('delete from public.solid_queue_processes where id = $1', [processId]);
    expect(await watched.scanAll()).toMatchObject([
      { jobId: id, error: 'SolidQueue::Processes::ProcessPrunedError: Process was found dead' },
    ]);
  });
});

describe('retry_on', () => {
  it('finishes the row of a failed try, which counts as a success only if it was the last', async () => {
    const first = await enqueue();
    await claim(first.id);
    const second = await retryOn(first);
    expect(await told()).toEqual([]);
    expect(await successes()).toEqual([]);
    expect(await watched.job(first.id)).toMatchObject({ state: 'canceled', status: 'retried' });

    await claim(second.id);
    await finish(second.id);
    expect(await successes()).toEqual([second.id]);
    expect(await told()).toEqual([]);
  });

  it('that gives up is one failure, of the last row, with all tries counted', async () => {
    const first = await enqueue();
    await claim(first.id);
    const second = await retryOn(first, 1);
    await claim(second.id);
    const third = await retryOn(second, 2);
    await claim(third.id);
    await fail(third.id);
    expect(await watched.scanAll()).toMatchObject([{ jobId: third.id, attempts: 3 }]);
    expect(await successes()).toEqual([]);
  });

  it('counts tries by its own counter, whatever the arguments of the job hold', async () => {
    const { id } = await enqueue('InvoiceJob', {
      executions: 4,
      argument: { executions: 99, note: '"executions":98' },
    });
    await claim(id);
    await fail(id);
    expect(await watched.scanAll()).toMatchObject([{ attempts: 5 }]);
  });
});

describe('an error', () => {
  it.each([
    [
      'with quotes, lines and Ruby objects',
      'no "x" in #<Foo>\n\tat C:\\new & on',
      'E: no "x" in #<Foo>\n\tat C:\\new & on',
    ],
    ['with what jsonb refuses', 'a\u0000b and \ud83d', 'E: a'],
    ['without a message', '', 'E:'],
  ])('%s is read as people write it', async (_caption, message, expected) => {
    const { id } = await enqueue();
    await claim(id);
    // Rails writes JSON that is safe inside HTML.
    const json = JSON.stringify({ exception_class: 'E', message, backtrace: [] })
      .replaceAll('<', '\\u003c')
      .replaceAll('>', '\\u003e')
      .replaceAll('&', '\\u0026');
    await failWith(id, json);
    const [failure] = await watched.scanAll();
    expect(failure?.jobType).toBe('InvoiceJob');
    expect(failure?.error?.startsWith(expected)).toBe(true);
  });

  it.each([
    ['that is no JSON', 'boom'],
    ['that was cut off', '{"exception_class":"E","mess'],
    ['that is missing', null],
  ])('%s is told as it is', async (_caption, error) => {
    const { id } = await enqueue();
    await claim(id);
    await failWith(id, error);
    expect((await watched.scanAll())[0]).toMatchObject({ jobId: id, jobType: 'InvoiceJob', error });
  });

  it('of 10 MB delays nothing', async () => {
    const { id } = await enqueue();
    await claim(id);
    await failWith(id, JSON.stringify({ exception_class: 'E', message: 'x'.repeat(10_000_000), backtrace: [] }));
    const [failure] = await watched.scanAll();
    expect(failure?.error).toMatch(/^E: xxx/);
  });
});

it('reads the heartbeat of a claimed job from its process, and none when the process is gone', async () => {
  const processId = await startProcess();
  const { id } = await enqueue();
  await claim(id, processId);
  await pool.query(
    "update public.solid_queue_processes set last_heartbeat_at = '2026-11-01 12:00:00.5' where id = $1",
    [processId],
  );
  expect(await watched.running()).toMatchObject([
    { id, state: 'running', status: 'claimed', heartbeatAt: '2026-11-01T12:00:00.500000Z' },
  ]);
  await pool.query('delete from public.solid_queue_processes where id = $1', [processId]);
  expect(await watched.running()).toMatchObject([{ id, heartbeatAt: null }]);
});

it('needs the indexes that its page says', async () => {
  const { missingIndexes } = await watched.inspect();
  expect(indexesOnPage('solid-queue').toSorted()).toEqual(
    missingIndexes.map(({ statement }) => withoutQuotes(statement)).toSorted(),
  );
});

it('knows the state of every row', async () => {
  await enqueue();
  const jobs = await Promise.all(Array.from({ length: 4 }, () => enqueue()));
  for (const { id } of jobs) await claim(id);
  const [first, second, third] = jobs;
  await finish(first?.id ?? '');
  await fail(second?.id ?? '');
  if (third !== undefined) await retryOn(third);
  const statuses = await watched.statuses();
  expect(statuses.filter(({ unknown }) => unknown)).toEqual([]);
  expect(new Set(statuses.map(({ status }) => status))).toEqual(
    new Set(['waiting', 'claimed', 'finished', 'failed', 'retried']),
  );
});

it('is read with the grants of its page, and nothing can be written with them', async () => {
  const { id } = await enqueue();
  await claim(id);
  await fail(id);
  await asReader(watched, 'solid-queue', async (reader) => {
    const { problems, warnings, source } = await watched.inspect({ pool: reader });
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    const { rows } = await reader.query(source?.statements.failuresFrom ?? '', ['2000-01-01T00:00:00Z', 10]);
    expect(rows).toMatchObject([{ id }]);
    for (const write of [
      'update public.solid_queue_jobs set finished_at = null',
      'delete from public.solid_queue_failed_executions',
      'delete from public.solid_queue_processes',
      'select * from public.solid_queue_ready_executions',
    ])
      await expect(reader.query(write)).rejects.toThrow(/permission denied/);
  });
});

it('never reads a whole table, with the indexes of its page', async () => {
  await pool.query(
    `insert into public.solid_queue_jobs
       (id, queue_name, class_name, arguments, active_job_id, scheduled_at, created_at, updated_at, finished_at)
     select n, 'billing', 'Job' || n % 7, '{}', gen_random_uuid(), at, at, at, case when n % 4 > 0 then at end
     from (select n, ${databaseNow} - n * interval '1 minute' as at from generate_series(1, 40000) as n) as numbered`,
  );
  await pool.query(
    `insert into public.solid_queue_failed_executions (job_id, error, created_at)
     select id, '{}', created_at from public.solid_queue_jobs where finished_at is null`,
  );
  for (const { statement } of (await watched.inspect()).missingIndexes)
    await pool.query(statement.replace('concurrently', ''));
  await pool.query('vacuum analyze public.solid_queue_jobs, public.solid_queue_failed_executions');
  const source = await watched.source();
  const { rows } = await pool.query<{ changed: string; id: string }>(
    'select created_at::text as changed, job_id::text as id from public.solid_queue_failed_executions order by created_at offset 5000 limit 1',
  );
  const [row] = rows;
  if (row === undefined) throw new Error('There is no failed row.');
  for (const [caption, text, values] of [
    ...failureScans(source, { since: '2001-01-01T00:00:00Z', ...row }),
    ...watchingReads(source, { source: 'billing', jobType: 'Job3', since: '2001-01-01T00:00:00Z', id: row.id }),
  ])
    expect(await planOf(pool, text, values), caption).not.toMatch(/Seq Scan on solid_queue_(jobs|failed_executions)/);
});

import { beforeEach, describe, expect, it } from 'vitest';
import { watchAdapter } from '../adapter.fixture.ts';
import { indexesOnPage, withoutQuotes } from './adapter-page.fixture.ts';
import { delayedJobMapping } from './delayed-job-mapping.ts';
import { delayedJobSchema } from './delayed-job-schema.fixture.ts';
import { failureScans, planOf } from './query-plan.fixture.ts';
import { asReader } from './read-only-role.fixture.ts';
import { watchingReads } from './watching-reads.fixture.ts';

const watched = await watchAdapter(delayedJobMapping, delayedJobSchema);
const { pool } = watched;
beforeEach(() => pool.query('truncate public.delayed_jobs'));

// State changes as delayed_job 4.2.0 with delayed_job_active_record 4.1.11 writes them (lib/delayed/worker.rb,
// lib/delayed/backend/base.rb, lib/delayed/backend/active_record.rb), with the database's clock in UTC.
const now = "timezone('UTC', clock_timestamp())";

const ownObject = '--- !ruby/struct:NewsletterJob\ntext: lorem\nemails:\n- a@example.com\n';

/** `enqueue` */
const enqueue = async (handler = ownObject, queue: string | null = 'mail'): Promise<string> => {
  const { rows } = await pool.query<{ id: string }>(
    `insert into public.delayed_jobs (priority, attempts, handler, run_at, queue, created_at, updated_at)
     values (0, 0, $1, ${now}, $2, ${now}, ${now})
     returning id::text`,
    [handler, queue],
  );
  return rows[0]?.id ?? '';
};

/** `reserve` */
const reserve = (id: string) =>
  pool.query(`update public.delayed_jobs set locked_at = ${now}, locked_by = 'host:web-1 pid:7' where id = $1`, [id]);

/** `reschedule`: a try that failed, with more to come. */
const reschedule = (id: string) =>
  pool.query(
    `update public.delayed_jobs
     set attempts = attempts + 1, last_error = E'too slow\\napp/jobs/x.rb:3', run_at = ${now}, locked_at = null,
       locked_by = null, updated_at = ${now}
     where id = $1`,
    [id],
  );

/** `reschedule` → `failed` → `fail!`, with `destroy_failed_jobs = false`: the lock stays. */
const failForGood = (id: string) =>
  pool.query(
    `update public.delayed_jobs
     set attempts = attempts + 1, last_error = E'too slow\\napp/jobs/x.rb:3', failed_at = ${now}, updated_at = ${now}
     where id = $1`,
    [id],
  );

/** `run` when the handler cannot be loaded: failed at once, no try counted. */
const failToLoad = (id: string) =>
  pool.query(
    `update public.delayed_jobs
     set last_error = 'Job failed to load: uninitialized constant NewsletterJob.', failed_at = ${now}, updated_at = ${now}
     where id = $1`,
    [id],
  );

/** A success, and by default a job that failed for good. */
const destroy = (id: string) => pool.query('delete from public.delayed_jobs where id = $1', [id]);

/** `clear_locks!`, when the worker stops. */
const stopWorker = () => pool.query('update public.delayed_jobs set locked_by = null, locked_at = null');

const told = async (): Promise<readonly string[]> => (await watched.scanAll()).map(({ jobId }) => jobId);

it('is found fit, with the indexes that it lacks, and a warning that failures are deleted by default', async () => {
  const { problems, warnings, missingIndexes } = await watched.inspect();
  expect(problems).toEqual([]);
  expect(warnings.join()).toMatch(/destroy_failed_jobs = false/);
  expect(missingIndexes.map(({ statement }) => statement)).toEqual([
    'create index concurrently "delayed_jobs_failures" on "public"."delayed_jobs" ("failed_at", "id") where "failed_at" is not null;',
    'create index concurrently "delayed_jobs_open" on "public"."delayed_jobs" ("run_at") where "failed_at" is null;',
  ]);
});

it('is refused with the reason when it has no failed_at', async () => {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query('alter table public.delayed_jobs drop column failed_at');
    const { problems } = await watched.inspect({ pool: { ...pool, query: client.query.bind(client) } as typeof pool });
    expect(problems.join()).toMatch(/no column failed_at/);
  } finally {
    await client.query('rollback');
    client.release();
  }
});

describe('a job that failed for good', () => {
  it('is told with its class, queue, attempts and error', async () => {
    const id = await enqueue();
    await reserve(id);
    await failForGood(id);
    const [failure, ...others] = await watched.scanAll();
    expect(others).toEqual([]);
    expect(failure).toMatchObject({
      jobId: id,
      kind: 'failed',
      source: 'mail',
      jobType: 'NewsletterJob',
      targetId: null,
      error: 'too slow\napp/jobs/x.rb:3',
      attempts: 1,
      notes: [],
    });
    expect((await watched.reconcile()).map(({ jobId }) => jobId)).toEqual([id]);
  });

  it('is not running, although it keeps its lock until its worker stops; then it is the same outcome', async () => {
    const id = await enqueue();
    await reserve(id);
    await failForGood(id);
    expect(await watched.running()).toEqual([]);
    expect(await watched.job(id)).toMatchObject({ state: 'failed' });
    const [first] = await watched.scanAll();
    await stopWorker();
    expect((await watched.scanAll())[0]?.outcomeId).toBe(first?.outcomeId);
  });

  it('is told when its handler could not be loaded, with no attempt counted', async () => {
    const id = await enqueue();
    await reserve(id);
    await failToLoad(id);
    expect(await watched.scanAll()).toMatchObject([{ jobId: id, attempts: 0 }]);
  });

  it('is a new outcome when it was set back by hand and failed again', async () => {
    const id = await enqueue();
    await reserve(id);
    await failForGood(id);
    const [first] = await watched.scanAll();
    await pool.query(
      `update public.delayed_jobs set attempts = 0, failed_at = null, locked_at = null, locked_by = null, run_at = ${now}`,
    );
    expect(await told()).toEqual([]);
    await reserve(id);
    await failForGood(id);
    const [second] = await watched.scanAll();
    expect(second).toMatchObject({ jobId: id, attempts: 1 });
    expect(second?.outcomeId).not.toBe(first?.outcomeId);
  });
});

describe('what is no failure', () => {
  it('is a try that failed with more to come', async () => {
    const id = await enqueue();
    await reserve(id);
    expect(await watched.running()).toMatchObject([{ id, state: 'running', status: 'locked' }]);
    await reschedule(id);
    expect(await told()).toEqual([]);
    expect(await watched.waiting()).toMatchObject([{ id, state: 'waiting', status: 'errored', attempts: 1 }]);
  });

  it('is a row that is gone: a success, or by default a failure, and nobody can tell which', async () => {
    const id = await enqueue();
    await reserve(id);
    await destroy(id);
    expect(await told()).toEqual([]);
    expect(await watched.successesOf('mail', 'NewsletterJob')).toEqual([]);
    expect(await watched.job(id)).toBeUndefined();
    expect((await watched.source()).deletesSuccesses).toBe(true);
  });
});

describe('the class of a job', () => {
  const performable = (object: string, method = 'deliver_weekly!') =>
    `--- !ruby/object:Delayed::PerformableMethod\nobject: ${object}\nmethod_name: :${method}\nargs: []\n`;
  it.each([
    ['an object of its own', '--- !ruby/object:Billing::CloseMonthJob {}\n', 'Billing::CloseMonthJob'],
    ['a struct', ownObject, 'NewsletterJob'],
    [
      'an Active Job',
      '--- !ruby/object:ActiveJob::QueueAdapters::DelayedJobAdapter::JobWrapper\njob_data:\n  job_class: Crm::SyncJob\n' +
        '  job_id: 4a8\n  arguments:\n  - job_class: Other\n',
      'Crm::SyncJob',
    ],
    ['a method of a class', performable("!ruby/class 'Newsletter'"), 'Newsletter.deliver_weekly!'],
    ['a method of an object', performable('!ruby/object:Story {}', 'tell'), 'Story#tell'],
    [
      'a method of a record with attributes that look like YAML of their own',
      performable(
        '!ruby/object:User\n  raw_attributes:\n    name: |-\n      x\n      method_name: :wrong\n    object: !ruby/object:Wrong {}',
        'invite',
      ),
      'User#invite',
    ],
    [
      'a mail',
      "--- !ruby/object:Delayed::PerformableMailer\nobject: !ruby/class 'UserMailer'\nmethod_name: :welcome\nargs: []\n",
      'UserMailer.welcome',
    ],
    ['what is no YAML', 'BAh7BzoLb2JqZWN0', '(unknown handler)'],
    ['nothing', '', '(unknown handler)'],
    [
      'a method call that was cut off',
      '--- !ruby/object:Delayed::PerformableMethod\nobject: !ruby/ob',
      '(unknown handler)',
    ],
  ])('is found in %s', async (_caption, handler, expected) => {
    await failForGood(await enqueue(handler));
    expect((await watched.scanAll()).map(({ jobType }) => jobType)).toEqual([expected]);
  });

  it('is found in a handler of 10 MB without reading all of it', async () => {
    await failForGood(await enqueue(`${ownObject}text: ${'x'.repeat(10_000_000)}\n`));
    expect((await watched.scanAll()).map(({ jobType }) => jobType)).toEqual(['NewsletterJob']);
  });
});

it('calls the queue of a job without one default', async () => {
  await failForGood(await enqueue(ownObject, null));
  expect((await watched.scanAll()).map(({ source }) => source)).toEqual(['default']);
});

it('needs the indexes that its page says', async () => {
  const { missingIndexes } = await watched.inspect();
  expect(indexesOnPage('delayed-job').toSorted()).toEqual(
    missingIndexes.map(({ statement }) => withoutQuotes(statement)).toSorted(),
  );
});

it('knows the state of every row', async () => {
  await enqueue();
  for (const change of [reserve, reschedule, failForGood]) await change(await enqueue());
  const statuses = await watched.statuses();
  expect(statuses.filter(({ unknown }) => unknown)).toEqual([]);
  expect(new Set(statuses.map(({ status }) => status))).toEqual(new Set(['queued', 'locked', 'errored', 'failed']));
});

it('is read with the grants of its page, and nothing can be written with them', async () => {
  const id = await enqueue();
  await failForGood(id);
  await asReader(watched, 'delayed-job', async (reader) => {
    const { problems, source } = await watched.inspect({ pool: reader });
    expect(problems).toEqual([]);
    const { rows } = await reader.query(source?.statements.failuresFrom ?? '', ['2000-01-01T00:00:00Z', 10]);
    expect(rows).toMatchObject([{ id }]);
    for (const write of ['update public.delayed_jobs set failed_at = null', 'delete from public.delayed_jobs'])
      await expect(reader.query(write)).rejects.toThrow(/permission denied/);
  });
});

it('never reads the whole table, with the indexes of its page', async () => {
  await pool.query(
    `insert into public.delayed_jobs (handler, run_at, locked_at, failed_at, queue, created_at, updated_at)
     select $1, at, case when n % 400 = 1 then at end, case when n % 40 > 1 then at end, 'mail', at, at
     from (select n, ${now} - n * interval '1 minute' as at from generate_series(1, 40000) as n) as numbered`,
    [ownObject],
  );
  await pool.query('vacuum analyze public.delayed_jobs');
  const source = await watched.source();
  // Without them it would, so the test can fail.
  expect(await planOf(pool, source.statements.failuresFrom, ['2001-01-01T00:00:00Z', 500])).toMatch(
    /Seq Scan on delayed_jobs/,
  );
  for (const { statement } of (await watched.inspect()).missingIndexes)
    await pool.query(statement.replace('concurrently', ''));
  const { rows } = await pool.query<{ changed: string; id: string }>(
    'select failed_at::text as changed, id::text as id from public.delayed_jobs where failed_at is not null order by failed_at offset 50 limit 1',
  );
  const [row] = rows;
  if (row === undefined) throw new Error('There is no failed row.');
  for (const [caption, text, values] of [
    ...failureScans(source, { since: '2001-01-01T00:00:00Z', ...row }),
    ...watchingReads(source, { source: 'mail', jobType: 'NewsletterJob', since: '2001-01-01T00:00:00Z', id: row.id }),
  ])
    expect(await planOf(pool, text, values), caption).not.toMatch(/Seq Scan on delayed_jobs/);
});

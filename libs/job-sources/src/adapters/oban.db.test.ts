import { beforeEach, describe, expect, it } from 'vitest';
import { watchAdapter } from '../adapter.fixture.ts';
import { customiseMapping } from '../customise-mapping.ts';
import { inspectTable } from '../inspect-table.ts';
import { obanMapping } from './oban-mapping.ts';
import { obanDoes, obanSchema } from './oban-schema.fixture.ts';
import { failureScans, planOf } from './query-plan.fixture.ts';
import { asReader } from './read-only-role.fixture.ts';
import { entriesRead, indexesOnPage, watchingReads } from './watching-reads.fixture.ts';

const watched = await watchAdapter(obanMapping, obanSchema());
const { pool } = watched;
beforeEach(() => pool.query('truncate public.oban_jobs restart identity'));

const insert = async (maxAttempts = 1): Promise<string> => {
  const { rows } = await pool.query<{ id: string }>(
    `insert into oban_jobs (queue, worker, args, max_attempts) values ('mail', 'MyApp.Mailer', '{"account_id": 7}', $1)
     returning id::text as id`,
    [maxAttempts],
  );
  return rows[0]?.id ?? '';
};
/** Lets Oban do something to the job; every statement must find its row. */
const oban = async (does: keyof typeof obanDoes, id: string, error?: string): Promise<void> => {
  const { rowCount } = await pool.query(obanDoes[does], error === undefined ? [id] : [id, error]);
  expect(rowCount, does).toBe(1);
};
const told = async (): Promise<readonly string[]> => (await watched.scanAll()).map(({ jobId }) => jobId);
const successes = () => watched.successesOf('mail', 'MyApp.Mailer');

describe('the table of Oban', () => {
  it('is found fit, and wants one index for the look for successes', async () => {
    const { problems, warnings, missingIndexes } = await watched.inspect();
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    expect(missingIndexes.map(({ purpose }) => purpose)).toEqual(['finding the success of failed work']);
  });

  it('has nothing missing once the index asked for is there', async () => {
    const { missingIndexes } = await watched.inspect();
    for (const { statement } of missingIndexes) await pool.query(statement);
    expect((await watched.inspect()).missingIndexes).toEqual([]);
    await pool.query('drop index oban_jobs_successes');
  });

  it('lacks the cursor’s index before migration 13, and is watched with a warning', async () => {
    const older = await pool.connect();
    try {
      await older.query(`create schema older; set search_path to older; ${obanSchema(12)} reset search_path`);
    } finally {
      older.release();
    }
    const found = await inspectTable(pool, obanMapping, { name: 'jobs', table: 'older.oban_jobs' });
    expect(found.problems).toEqual([]);
    expect(found.warnings.join()).toContain('migration of Oban is 12');
    expect(found.missingIndexes.map(({ purpose }) => purpose)).toContain('finding new failures');
    await pool.query('drop schema older cascade');
  });
});

describe('a discarded job', () => {
  it('is told with its worker, queue, last error and attempts', async () => {
    const id = await insert(2);
    await oban('execute', id);
    await oban('retry', id, '** (RuntimeError) first');
    await oban('stage', id);
    await oban('execute', id);
    await oban('discard', id, '** (RuntimeError) last');
    const [failure, ...others] = await watched.scanAll();
    expect(others).toEqual([]);
    expect(failure).toMatchObject({
      jobId: id,
      kind: 'dead',
      source: 'mail',
      jobType: 'MyApp.Mailer',
      targetId: null,
      error: '** (RuntimeError) last',
      attempts: 2,
      maxAttempts: 2,
      notes: [],
    });
    expect((await watched.reconcile()).map(({ jobId }) => jobId)).toEqual([id]);
  });

  it('keeps its identity when it is touched, and is a new failure when it is retried by hand and discarded again', async () => {
    const id = await insert();
    await oban('execute', id);
    await oban('discard', id, 'one');
    const [first] = await watched.scanAll();
    await pool.query(`update oban_jobs set meta = '{"seen": true}' where id = $1`, [id]);
    expect((await watched.scanAll())[0]?.outcomeId).toBe(first?.outcomeId);

    await oban('retryByHand', id);
    expect(await told()).toEqual([]);
    await oban('execute', id);
    await oban('discard', id, 'two');
    const [second] = await watched.scanAll();
    expect(second).toMatchObject({ jobId: id, error: 'two', attempts: 2 });
    expect(second?.outcomeId).not.toBe(first?.outcomeId);
  });

  it('is a new failure even when its attempts are what they were, after a snooze and a counter set back', async () => {
    const id = await insert();
    await oban('execute', id);
    await oban('discard', id, 'one');
    const [first] = await watched.scanAll();
    await oban('retryByHand', id);
    await oban('execute', id);
    expect(await watched.job(id)).toMatchObject({ attempts: 2 });
    await oban('snooze', id);
    expect(await watched.job(id)).toMatchObject({ attempts: 1 });
    await pool.query('update oban_jobs set attempt = 0 where id = $1', [id]);
    await oban('stage', id);
    await oban('execute', id);
    await oban('discard', id, 'one');
    const [second] = await watched.scanAll();
    expect(second?.attempts).toBe(first?.attempts);
    expect(second?.outcomeId).not.toBe(first?.outcomeId);
  });

  it('has the same times and identity in every time zone of the session', async () => {
    const id = await insert();
    await oban('execute', id);
    await oban('discard', id, 'no');
    await pool.query(`update oban_jobs set discarded_at = '2026-11-01 05:30:00.25' where id = $1`, [id]);
    const source = await watched.source();
    const client = await pool.connect();
    try {
      const seen = new Set<string>();
      for (const zone of ['UTC', 'America/New_York', 'Asia/Kolkata']) {
        await client.query(`set time zone '${zone}'`);
        const { rows } = await client.query(source.statements.failuresFrom, ['2026-11-01T05:30:00.25Z', 10]);
        seen.add(JSON.stringify(rows.map((row) => [row['identity_at'], row['finished_at'], row['changed']])));
      }
      expect([...seen]).toEqual([
        '[["2026-11-01T05:30:00.250000Z","2026-11-01T05:30:00.250000Z","2026-11-01 05:30:00.250000 AD"]]',
      ]);
    } finally {
      await client.query('reset time zone');
      client.release();
    }
  });

  it('is gone without a trace once the Pruner took it', async () => {
    const id = await insert();
    await oban('execute', id);
    await oban('discard', id, 'no');
    await oban('prune', id);
    expect(await told()).toEqual([]);
    expect(await watched.job(id)).toBeUndefined();
    expect(await successes()).toEqual([]);
    expect((await watched.source()).retentionMs).toBe(60_000);
  });
});

describe('a job that Lifeline rescued although it was alive', () => {
  it('is told without an error, and is found as a success when it completes on the same row', async () => {
    const id = await insert();
    await oban('execute', id);
    await oban('rescueToDiscarded', id);
    const [failure] = await watched.scanAll();
    expect(failure).toMatchObject({ jobId: id, kind: 'dead', error: null });

    await oban('complete', id);
    expect(await told()).toEqual([]);
    const [success] = await successes();
    expect(success).toMatchObject({ jobId: id });
    expect((success?.finishedAt ?? '') > (failure?.failedAt ?? '')).toBe(true);
    expect(await watched.job(id)).toMatchObject({ state: 'succeeded' });
  });
});

describe('what is no failure', () => {
  it('is a job that waits for its next try', async () => {
    const id = await insert(2);
    await oban('execute', id);
    await oban('retry', id, 'not yet');
    expect(await told()).toEqual([]);
    await pool.query(`update oban_jobs set scheduled_at = scheduled_at - interval '2 hours' where id = $1`, [id]);
    expect(await watched.waiting(3_600_000)).toMatchObject([
      { id, state: 'waiting', status: 'retryable', attempts: 1 },
    ]);
  });

  it.each(['cancel', 'cancelWithError'] as const)('is a job that was cancelled (%s)', async (does) => {
    const id = await insert();
    await oban('execute', id);
    await oban(does, id, ...(does === 'cancelWithError' ? ['** (Oban.PerformError) on purpose'] : []));
    expect(await told()).toEqual([]);
    expect(await watched.job(id)).toMatchObject({ state: 'canceled', status: 'cancelled' });
  });
});

it('a suspended job is held back on purpose, and does not wait', async () => {
  const id = await insert();
  await pool.query(
    `update oban_jobs set state = 'suspended', scheduled_at = now() - interval '9 days', inserted_at = now() - interval '9 days'
     where id = $1`,
    [id],
  );
  expect(await watched.waiting()).toEqual([]);
  expect(await watched.job(id)).toMatchObject({ state: 'waiting', status: 'suspended', dueAt: null });
});

it('an executing job is told by its start only', async () => {
  const id = await insert();
  await oban('execute', id);
  const [job] = await watched.running();
  expect(job).toMatchObject({ id, state: 'running', status: 'executing', heartbeatAt: null, attempts: 1 });
  expect(Math.abs(Date.parse(job?.startedAt ?? '') - Date.now())).toBeLessThan(60_000);
  expect((await watched.source()).hasHeartbeats).toBe(false);
});

it('knows the state of every row', async () => {
  await pool.query(`insert into oban_jobs (worker, state) select 'W', unnest(enum_range(null::oban_job_state))`);
  expect((await watched.statuses()).filter(({ unknown }) => unknown)).toEqual([]);
});

it('says what a job works on when the configuration names an argument', async () => {
  const id = await insert();
  await oban('execute', id);
  await oban('discard', id, 'no');
  const mapping = customiseMapping(obanMapping, { columns: { target_id: { column: 'args', path: ['account_id'] } } });
  const { source, problems, warnings } = await inspectTable(pool, mapping, { name: 'jobs', table: 'public.oban_jobs' });
  expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
  const { rows } = await pool.query(source?.statements.failuresFrom ?? '', ['2001-01-01T00:00:00Z', 10]);
  expect(rows).toMatchObject([{ id, target_id: '7' }]);
});

it('is read with the grants of its page, which open neither arguments nor any change', async () => {
  const id = await insert();
  await oban('execute', id);
  await oban('discard', id, 'no');
  await asReader(watched, 'oban', async (reader) => {
    const { problems, warnings, source } = await watched.inspect({ pool: reader });
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    if (source === null) throw new Error('The table is unfit.');
    const work = { source: 'mail', jobType: 'MyApp.Mailer', since: '2001-01-01T00:00:00Z', id };
    const scans = failureScans(source, { since: work.since, changed: '2001-01-01', id });
    for (const [, text, values] of [...scans, ...watchingReads(source, work)]) await reader.query(text, values);
    for (const refused of [
      'select args from oban_jobs',
      'select node from oban_peers',
      'update oban_jobs set priority = 1',
      'delete from oban_jobs',
      `insert into oban_jobs (worker) values ('W')`,
    ])
      await expect(reader.query(refused)).rejects.toThrow(/permission denied/);
  });
});

it('never reads the whole table, with the indexes of Oban and the one asked for', async () => {
  await pool.query(
    `insert into oban_jobs (queue, worker, state, attempt, max_attempts, scheduled_at, attempted_at, completed_at, discarded_at)
     select 'queue' || n % 3, 'Worker' || n % 7,
       (case when n % 100 = 1 then 'discarded' when n % 400 = 2 then 'executing' when n % 400 = 3 then 'retryable' else 'completed' end)::oban_job_state,
       1, 20, at, at, case when n % 100 > 3 then at end, case when n % 100 = 1 then at end
     from (select n, timezone('UTC', now()) - n * interval '1 minute' as at from generate_series(1, 40000) as n) as numbered`,
  );
  for (const statement of indexesOnPage('oban')) await pool.query(statement);
  await pool.query('vacuum analyze oban_jobs');
  expect((await watched.inspect()).missingIndexes).toEqual([]);
  const source = await watched.source();
  const { rows } = await pool.query<{ changed: string; id: string }>(
    `select discarded_at::text as changed, id::text as id from oban_jobs where state = 'discarded' order by discarded_at offset 50 limit 1`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('There is no discarded row.');
  const since = '2001-01-01T00:00:00Z';
  for (const [caption, text, values] of [
    ...failureScans(source, { since, ...row }),
    ...watchingReads(source, { source: 'queue1', jobType: 'Worker1', since, id: row.id }),
  ])
    expect(await planOf(pool, text, values), caption).not.toMatch(/Seq Scan on oban_jobs/);
  // A page of 20 of the 400 failures reads little more than those.
  for (const [text, values] of [
    [source.statements.failuresFrom, [since, 20]],
    [source.statements.skimAfter, [row.changed, row.id, 20]],
  ] as const)
    expect(entriesRead(await planOf(pool, text, values), 'oban_jobs_state_discarded_at_index')).toBeLessThan(100);
});

import { beforeEach, describe, expect, it } from 'vitest';
import { watchAdapter } from '../adapter.fixture.ts';
import { customiseMapping } from '../customise-mapping.ts';
import { inspectTable } from '../inspect-table.ts';
import { failureScans, planOf } from './query-plan.fixture.ts';
import { asReader } from './read-only-role.fixture.ts';
import { riverMapping } from './river-mapping.ts';
import { riverDoes, riverSchema } from './river-schema.fixture.ts';
import { entriesRead, indexesOnPage, watchingReads } from './watching-reads.fixture.ts';

const watched = await watchAdapter(riverMapping, riverSchema);
const { pool } = watched;
beforeEach(() => pool.query('truncate public.river_job restart identity'));

const insert = async (maxAttempts = 1): Promise<string> => {
  const { rows } = await pool.query<{ id: string }>(
    `insert into river_job (queue, kind, args, max_attempts) values ('mail', 'send_mail', '{"account_id": 7}', $1) returning id::text as id`,
    [maxAttempts],
  );
  return rows[0]?.id ?? '';
};
/** Lets River do something to the job, which must find its row. */
const river = async (does: keyof typeof riverDoes, id: string, error?: string): Promise<void> => {
  const { rowCount } = await pool.query(riverDoes[does], error === undefined ? [id] : [id, error]);
  expect(rowCount, does).toBe(1);
};
const told = async (): Promise<readonly string[]> => (await watched.scanAll()).map(({ jobId }) => jobId);
const successes = () => watched.successesOf('mail', 'send_mail');

describe('the table of River', () => {
  it('is found fit, and wants one index for the look for successes', async () => {
    const { problems, warnings, missingIndexes } = await watched.inspect();
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    expect(missingIndexes.map(({ statement }) => statement)).toEqual([
      'create index concurrently "river_job_successes" on "public"."river_job" ("queue", "kind", "finalized_at") ' +
        `where "state" in ('completed');`,
    ]);
  });

  it.each([
    [3, 'migration of River (line main) is 3'],
    [8, 'migration of River (line main) is 8'],
  ])('of migration %s is watched with a warning', async (version, words) => {
    await pool.query('delete from river_migration where version > $1', [version]);
    await pool.query(`insert into river_migration (line, version) values ('main', $1) on conflict do nothing`, [
      version,
    ]);
    const { problems, warnings } = await watched.inspect();
    await pool.query(
      `insert into river_migration select 'main', n from generate_series(1, 7) as n on conflict do nothing`,
    );
    await pool.query('delete from river_migration where version > 7');
    expect(problems).toEqual([]);
    expect(warnings.join()).toContain(words);
  });

  it('is watched without a word on its version where that is not recorded', async () => {
    await pool.query('alter table river_migration rename to elsewhere');
    const { problems, warnings } = await watched.inspect();
    await pool.query('alter table elsewhere rename to river_migration');
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
  });
});

describe('a discarded job', () => {
  it('is told with its kind, queue, last error and attempts', async () => {
    const id = await insert(2);
    await river('work', id);
    await river('retry', id, 'first');
    await river('schedule', id);
    await river('work', id);
    await river('discard', id, 'last');
    const [failure, ...others] = await watched.scanAll();
    expect(others).toEqual([]);
    expect(failure).toMatchObject({
      jobId: id,
      kind: 'dead',
      source: 'mail',
      jobType: 'send_mail',
      targetId: null,
      error: 'last',
      attempts: 2,
      maxAttempts: 2,
      notes: [],
    });
    expect((await watched.reconcile()).map(({ jobId }) => jobId)).toEqual([id]);
  });

  it('keeps its identity when it is touched, and is a new failure when it is retried by hand and discarded again', async () => {
    const id = await insert();
    await river('work', id);
    await river('discard', id, 'one');
    const [first] = await watched.scanAll();
    await pool.query(`update river_job set metadata = metadata || '{"seen": true}' where id = $1`, [id]);
    expect((await watched.scanAll())[0]?.outcomeId).toBe(first?.outcomeId);

    await river('retryByHand', id);
    expect(await told()).toEqual([]);
    await river('work', id);
    await river('discard', id, 'two');
    const [second] = await watched.scanAll();
    expect(second).toMatchObject({ jobId: id, error: 'two', attempts: 2, maxAttempts: 2 });
    expect(second?.outcomeId).not.toBe(first?.outcomeId);
  });

  it('is a new failure even when its attempts are what they were, after a snooze and a counter set back', async () => {
    const id = await insert();
    await river('work', id);
    await river('discard', id, 'gave up');
    const [first] = await watched.scanAll();
    await river('retryByHand', id);
    await river('work', id);
    expect(await watched.job(id)).toMatchObject({ attempts: 2 });
    await river('snooze', id);
    expect(await watched.job(id)).toMatchObject({ attempts: 1 });
    await pool.query('update river_job set attempt = 0 where id = $1', [id]);
    await river('schedule', id);
    await river('work', id);
    await river('discard', id, 'gave up');
    const [second] = await watched.scanAll();
    expect(second?.attempts).toBe(first?.attempts);
    expect(second?.outcomeId).not.toBe(first?.outcomeId);
  });

  it('is gone once the cleaner took it, which is no success', async () => {
    const id = await insert();
    await river('work', id);
    await river('discard', id, 'no');
    await river('clean', id);
    expect(await told()).toEqual([]);
    expect(await watched.job(id)).toBeUndefined();
    expect(await successes()).toEqual([]);
    expect((await watched.source()).retentionMs).toBe(7 * 86_400_000);
  });
});

describe('a job that the rescuer discarded although it was alive', () => {
  it('stays discarded when its worker completes it, because River ignores that', async () => {
    const id = await insert();
    await river('work', id);
    await river('rescueToDiscarded', id);
    expect(await watched.scanAll()).toMatchObject([{ jobId: id, error: 'Stuck job rescued by JobRescuer' }]);
    expect((await pool.query(riverDoes.complete, [id])).rowCount).toBe(0);
    expect(await told()).toEqual([id]);
    expect(await successes()).toEqual([]);
  });

  it('is found as a success on the same row when it is retried and completes', async () => {
    const id = await insert();
    await river('work', id);
    await river('rescueToDiscarded', id);
    const [failure] = await watched.scanAll();
    await river('retryByHand', id);
    await river('work', id);
    await river('complete', id);
    expect(await told()).toEqual([]);
    const [success] = await successes();
    expect(success).toMatchObject({ jobId: id });
    expect((success?.finishedAt ?? '') > (failure?.failedAt ?? '')).toBe(true);
  });

  it('is told when a rescue overwrote a completed one, and the failure is later than that success', async () => {
    const id = await insert();
    await river('work', id);
    await river('complete', id);
    const [success] = await successes();
    await river('rescueToDiscarded', id);
    const [failure] = await watched.scanAll();
    expect((failure?.failedAt ?? '') > (success?.finishedAt ?? '')).toBe(true);
    expect(await successes()).toEqual([]);
  });
});

describe('what is no failure', () => {
  it('is a job that waits for its next try', async () => {
    const id = await insert(2);
    await river('work', id);
    await river('retry', id, 'not yet');
    expect(await told()).toEqual([]);
    await pool.query(`update river_job set scheduled_at = now() - interval '2 hours' where id = $1`, [id]);
    expect(await watched.waiting(3_600_000)).toMatchObject([
      { id, state: 'waiting', status: 'retryable', attempts: 1 },
    ]);
  });

  it('is a duplicate that the scheduler discarded', async () => {
    const id = await insert();
    await pool.query(`update river_job set state = 'scheduled' where id = $1`, [id]);
    await river('scheduleDuplicate', id);
    expect(await told()).toEqual([]);
    expect(await watched.reconcile()).toEqual([]);
    expect(await watched.job(id)).toMatchObject({ state: 'canceled', status: 'discarded' });
  });

  it('is a job that somebody cancelled, or that cancelled itself', async () => {
    const outside = await insert();
    await river('cancel', outside);
    const itself = await insert();
    await river('work', itself);
    await river('cancelWithError', itself, 'JobCancelError: on purpose');
    expect(await told()).toEqual([]);
    expect(await watched.job(outside)).toMatchObject({ state: 'canceled' });
    expect(await watched.job(itself)).toMatchObject({ state: 'canceled', status: 'cancelled' });
  });
});

it('a pending job is held back on purpose, and does not wait', async () => {
  const id = await insert();
  await pool.query(
    `update river_job set state = 'pending', scheduled_at = now() - interval '9 days', created_at = now() - interval '9 days'
     where id = $1`,
    [id],
  );
  expect(await watched.waiting()).toEqual([]);
  expect(await watched.job(id)).toMatchObject({ state: 'waiting', status: 'pending', dueAt: null });
});

it('a running job is told by its start only', async () => {
  const id = await insert();
  await river('work', id);
  const [job] = await watched.running();
  expect(job).toMatchObject({
    id,
    state: 'running',
    status: 'running',
    heartbeatAt: null,
    attempts: 1,
    maxAttempts: 1,
  });
  expect(job?.startedAt).not.toBeNull();
  expect((await watched.source()).hasHeartbeats).toBe(false);
});

it('knows the state of every row', async () => {
  await pool.query(
    `insert into river_job (kind, args, state, finalized_at)
     select 'k', '{}', state, case when state in ('cancelled', 'completed', 'discarded') then now() end
     from unnest(enum_range(null::river_job_state)) as state`,
  );
  expect((await watched.statuses()).filter(({ unknown }) => unknown)).toEqual([]);
});

it('says what a job works on when the configuration names an argument', async () => {
  const id = await insert();
  await river('work', id);
  await river('discard', id, 'no');
  const mapping = customiseMapping(riverMapping, { columns: { target_id: { column: 'args', path: ['account_id'] } } });
  const { source, problems, warnings } = await inspectTable(pool, mapping, { name: 'jobs', table: 'public.river_job' });
  expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
  const { rows } = await pool.query(source?.statements.failuresFrom ?? '', ['2001-01-01T00:00:00Z', 10]);
  expect(rows).toMatchObject([{ id, target_id: '7' }]);
});

it('is read with the grants of its page, which open neither arguments nor any change', async () => {
  const id = await insert();
  await river('work', id);
  await river('discard', id, 'no');
  await asReader(watched, 'river', async (reader) => {
    const { problems, warnings, source } = await watched.inspect({ pool: reader });
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    if (source === null) throw new Error('The table is unfit.');
    const work = { source: 'mail', jobType: 'send_mail', since: '2001-01-01T00:00:00Z', id };
    const scans = failureScans(source, { since: work.since, changed: '2001-01-01', id });
    for (const [, text, values] of [...scans, ...watchingReads(source, work)]) await reader.query(text, values);
    for (const refused of [
      'select args from river_job',
      'select * from river_queue',
      'update river_job set priority = 1',
      'delete from river_job',
      `insert into river_job (kind, args) values ('k', '{}')`,
      `insert into river_notification (payload, topic) values ('p', 't')`,
    ])
      await expect(reader.query(refused)).rejects.toThrow(/permission denied/);
  });
});

it('never reads the whole table, with the indexes of River and the one asked for', async () => {
  await pool.query(
    `insert into river_job (queue, kind, args, state, attempt, scheduled_at, attempted_at, finalized_at)
     select 'queue' || n % 3, 'kind' || n % 7, '{}', state::river_job_state, 1, at, at,
       case when state in ('discarded', 'completed') then at end
     from (
       select n, now() - n * interval '1 minute' as at,
         case when n % 100 = 1 then 'discarded' when n % 400 = 2 then 'running' when n % 400 = 3 then 'retryable' else 'completed' end as state
       from generate_series(1, 40000) as n
     ) as numbered`,
  );
  for (const statement of indexesOnPage('river')) await pool.query(statement);
  await pool.query('vacuum analyze river_job');
  expect((await watched.inspect()).missingIndexes).toEqual([]);
  const source = await watched.source();
  const { rows } = await pool.query<{ changed: string; id: string }>(
    `select finalized_at::text as changed, id::text as id from river_job where state = 'discarded' order by finalized_at offset 50 limit 1`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('There is no discarded row.');
  const since = '2001-01-01T00:00:00Z';
  for (const [caption, text, values] of [
    ...failureScans(source, { since, ...row }),
    ...watchingReads(source, { source: 'queue1', jobType: 'kind1', since, id: row.id }),
  ])
    expect(await planOf(pool, text, values), caption).not.toMatch(/Seq Scan on river_job/);
  // A page of 20 of the 400 failures reads little more than those.
  for (const [text, values] of [
    [source.statements.failuresFrom, [since, 20]],
    [source.statements.skimAfter, [row.changed, row.id, 20]],
  ] as const)
    expect(entriesRead(await planOf(pool, text, values), 'river_job_state_and_finalized_at_index')).toBeLessThan(100);
  // The rows without a time are looked for in the same index, and there is nothing to read.
  expect(await planOf(pool, source.statements.undatedFrom, [1, 500])).toMatch(/river_job_state_and_finalized_at_index/);
});

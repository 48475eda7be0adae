import { beforeEach, describe, expect, it } from 'vitest';
import { watchAdapter } from '../adapter.fixture.ts';
import { airflowDagRunMapping } from './airflow-dag-run-mapping.ts';
import { airflowDagRunSchema, airflowDoes } from './airflow-dag-run-schema.fixture.ts';
import { failureScans, planOf } from './query-plan.fixture.ts';
import { asReader } from './read-only-role.fixture.ts';
import { entriesRead, indexesOnPage, watchingReads } from './watching-reads.fixture.ts';

const watched = await watchAdapter(airflowDagRunMapping, airflowDagRunSchema);
const { pool } = watched;
beforeEach(() => pool.query('truncate dag_run restart identity'));

let runs = 0;
/** The scheduler makes a run of the DAG, queued. */
const queue = async (): Promise<string> => {
  runs += 1;
  const { rows } = await pool.query<{ id: string }>(
    `insert into dag_run (dag_id, run_id, run_type, state, queued_at, run_after, created_at, updated_at)
     values ('daily_report', $1, 'scheduled', 'queued', now(), now(), now(), now())
     returning id::text as id`,
    [`scheduled__${runs}`],
  );
  return rows[0]?.id ?? '';
};
const airflow = async (does: keyof typeof airflowDoes, id: string): Promise<void> => {
  expect((await pool.query(airflowDoes[does], [id])).rowCount, does).toBe(1);
};
const failed = async (): Promise<string> => {
  const id = await queue();
  await airflow('run', id);
  await airflow('fail', id);
  return id;
};
const told = async (): Promise<readonly string[]> => (await watched.scanAll()).map(({ jobId }) => jobId);
const successes = () => watched.successesOf('airflow', 'daily_report');

describe('the table of Airflow', () => {
  it('is found fit, and wants two indexes', async () => {
    const { problems, warnings, missingIndexes } = await watched.inspect();
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    expect(missingIndexes.map(({ statement }) => statement)).toEqual([
      `create index concurrently "dag_run_failures" on "public"."dag_run" ("updated_at", "id") where "state" in ('failed');`,
      `create index concurrently "dag_run_successes" on "public"."dag_run" ("dag_id", "end_date") where "state" in ('success');`,
    ]);
  });

  it('of Airflow 2, without run_after, is watched with a warning', async () => {
    await pool.query('alter table dag_run rename column run_after to execution_date');
    const { problems, warnings } = await watched.inspect();
    await pool.query('alter table dag_run rename column execution_date to run_after');
    expect(problems).toEqual([]);
    expect(warnings.join('\n')).toMatch(/major version of Airflow is 2.*docs\/adapters\/airflow-dag-run\.md/);
    expect(warnings.join('\n')).toContain('no readable column run_after');
  });
});

describe('a failed run', () => {
  it('is told with its DAG and which try it was', async () => {
    const id = await failed();
    const [failure, ...others] = await watched.scanAll();
    expect(others).toEqual([]);
    expect(failure).toMatchObject({
      jobId: id,
      kind: 'failed',
      source: 'airflow',
      jobType: 'daily_report',
      targetId: null,
      run: null,
      error: null,
      attempts: 1,
      maxAttempts: null,
      notes: [],
    });
    expect((await watched.reconcile()).map(({ jobId }) => jobId)).toEqual([id]);
    expect(await watched.job(id)).toMatchObject({ stage: `scheduled__${runs}`, forGood: true });
  });

  it('stays the same failure when the scheduler touches it, and is a new one when it is cleared and fails again', async () => {
    const id = await failed();
    const [first] = await watched.scanAll();
    await airflow('examine', id);
    expect((await watched.scanAll())[0]?.outcomeId).toBe(first?.outcomeId);
    await airflow('clear', id);
    expect(await told()).toEqual([]);
    await airflow('run', id);
    await airflow('fail', id);
    const [second] = await watched.scanAll();
    expect(second).toMatchObject({ jobId: id, attempts: 2 });
    expect(second?.outcomeId).not.toBe(first?.outcomeId);
  });

  it('that is cleared and succeeds is a success after the failure', async () => {
    const id = await failed();
    const [failure] = await watched.scanAll();
    await airflow('clear', id);
    await airflow('run', id);
    await airflow('succeed', id);
    expect(await told()).toEqual([]);
    const [success] = await successes();
    expect(success).toMatchObject({ jobId: id });
    expect((success?.finishedAt ?? '') > (failure?.failedAt ?? '')).toBe(true);
  });

  it('that is marked as success by hand is no success after the failure', async () => {
    const id = await failed();
    const [failure] = await watched.scanAll();
    await airflow('markSuccess', id);
    expect(await told()).toEqual([]);
    expect(await successes()).toMatchObject([{ jobId: id, finishedAt: failure?.failedAt }]);
  });

  it('that somebody marked so long after it had succeeded is at the end of the scan', async () => {
    const id = await queue();
    await airflow('run', id);
    await airflow('succeed', id);
    await pool.query(
      `update dag_run set end_date = now() - interval '3 hours', updated_at = now() - interval '3 hours'`,
    );
    const other = await failed();
    await airflow('markFailed', id);
    expect(await told()).toEqual([other, id]);
  });

  it('is gone once the database was cleaned, which is no success', async () => {
    const id = await failed();
    await pool.query('delete from dag_run where id = $1', [id]);
    expect(await told()).toEqual([]);
    expect(await successes()).toEqual([]);
    expect(await watched.job(id)).toBeUndefined();
  });
});

it('a cleared run of last week waits since it was queued again', async () => {
  const id = await failed();
  await pool.query(`update dag_run set run_after = now() - interval '7 days' where id = $1`, [id]);
  await airflow('clear', id);
  expect(await watched.waiting(3_600_000)).toEqual([]);
  expect(await watched.waiting()).toMatchObject([{ id, state: 'waiting', status: 'queued', attempts: 2 }]);
});

it('a run that is queued for later does not wait yet', async () => {
  const id = await queue();
  await pool.query(`update dag_run set run_after = now() + interval '1 hour' where id = $1`, [id]);
  expect(await watched.waiting()).toEqual([]);
});

it('a running run has the scheduler’s last look as its sign of life', async () => {
  const id = await queue();
  await airflow('run', id);
  await airflow('examine', id);
  await pool.query(`update dag_run set last_scheduling_decision = '2026-11-01 12:00:00.5+00' where id = $1`, [id]);
  expect(await watched.running()).toMatchObject([{ id, state: 'running', heartbeatAt: '2026-11-01T12:00:00.500000Z' }]);
});

it('knows the state of every row', async () => {
  await queue();
  const running = await queue();
  await airflow('run', running);
  await failed();
  const success = await queue();
  await airflow('run', success);
  await airflow('succeed', success);
  expect((await watched.statuses()).filter(({ unknown }) => unknown)).toEqual([]);
});

it('is read with the grants of its page, which open neither configurations nor any change', async () => {
  const id = await failed();
  await asReader(watched, 'airflow-dag-run', async (reader) => {
    const { problems, warnings, source } = await watched.inspect({ pool: reader });
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    if (source === null) throw new Error('The table is unfit.');
    const work = { source: 'airflow', jobType: 'daily_report', since: '2001-01-01T00:00:00Z', id };
    const scans = failureScans(source, { since: work.since, changed: '2001-01-01 00:00:00+00', id });
    for (const [, text, values] of [...scans, ...watchingReads(source, work)]) await reader.query(text, values);
    for (const refused of [
      'select conf from dag_run',
      `update dag_run set state = 'success'`,
      'delete from dag_run',
      `insert into dag_run (dag_id, run_id, run_type, run_after) values ('d', 'r', 'manual', now())`,
    ])
      await expect(reader.query(refused)).rejects.toThrow(/permission denied/);
  });
});

it('never reads the whole table, with the indexes asked for', async () => {
  await pool.query(
    `insert into dag_run (dag_id, run_id, run_type, state, queued_at, run_after, start_date, end_date, updated_at)
     select 'dag' || n % 7, 'run ' || n, 'scheduled',
       case when n % 100 = 1 then 'failed' when n % 400 = 2 then 'running' when n % 400 = 3 then 'queued' else 'success' end,
       at, at, at, case when n % 400 not in (2, 3) then at end, at
     from (select n, now() - n * interval '1 minute' as at from generate_series(1, 40000) as n) as numbered`,
  );
  for (const statement of indexesOnPage('airflow-dag-run')) await pool.query(statement);
  await pool.query('vacuum analyze dag_run');
  expect((await watched.inspect()).missingIndexes).toEqual([]);
  const source = await watched.source();
  const { rows } = await pool.query<{ changed: string; id: string }>(
    `select updated_at::text as changed, id::text as id from dag_run where state = 'failed' order by updated_at offset 50 limit 1`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('There is no failed run.');
  const since = '2001-01-01T00:00:00Z';
  for (const [caption, text, values] of [
    ...failureScans(source, { since, ...row }),
    ...watchingReads(source, { source: 'airflow', jobType: 'dag1', since, id: row.id }),
  ])
    expect(await planOf(pool, text, values), caption).not.toMatch(/Seq Scan on dag_run/);
  // A page of 20 of the 400 failures reads little more than those.
  for (const [text, values] of [
    [source.statements.failuresFrom, [since, 20]],
    [source.statements.skimAfter, [row.changed, row.id, 20]],
  ] as const)
    expect(entriesRead(await planOf(pool, text, values), 'dag_run_failures')).toBeLessThan(100);
});

import { describe, expect, it } from 'vitest';
import { watchAdapter } from '../adapter.fixture.ts';
import type { WatchedAdapter } from '../adapter.fixture.ts';
import { apalisMapping } from './apalis-mapping.ts';
import { apalisDoes, apalisSchema } from './apalis-schema.fixture.ts';
import type { ApalisRelease } from './apalis-schema.fixture.ts';
import { failureScans, planOf } from './query-plan.fixture.ts';
import { asReader } from './read-only-role.fixture.ts';
import { entriesRead, indexesOnPage, watchingReads } from './watching-reads.fixture.ts';

const releases = ['0.7', '1.0.0-rc.7', '2026-09'] as const satisfies readonly ApalisRelease[];
const tables = new Map<ApalisRelease, WatchedAdapter>();
for (const release of releases) tables.set(release, await watchAdapter(apalisMapping, apalisSchema(release)));

describe.each(releases)('the tables of Apalis %s', (release) => {
  const watched = tables.get(release);
  if (watched === undefined) throw new TypeError(`There is no table of ${release}.`);
  const { pool } = watched;
  const does = apalisDoes(release);
  let jobs = 0;

  const start = async (): Promise<void> => {
    await pool.query('truncate apalis.jobs, apalis.workers');
    await pool.query(does.register, ['worker-1']);
  };
  const push = async (maxAttempts = 3): Promise<string> => {
    jobs += 1;
    const id = `01JB${jobs}`;
    await pool.query(
      `insert into apalis.jobs (job, id, job_type, max_attempts, run_at) values ($1, $2, 'mailer', $3, now() - interval '1 second')`,
      ['{"account_id": 7}', id, maxAttempts],
    );
    return id;
  };
  /** A worker takes the job and reports of it, as `calculate_status` of the library decides. */
  const attempt = async (id: string, number: number, status: 'Done' | 'Failed' | 'Killed', result: string) => {
    expect((await pool.query(does.fetch, [id, 'worker-1'])).rowCount).toBe(1);
    expect((await pool.query(does.start, [id, 'worker-1'])).rowCount).toBe(release === '0.7' ? 0 : 1);
    expect((await pool.query(does.ack, [id, 'worker-1', number, status, result])).rowCount).toBe(1);
  };
  const told = async (): Promise<readonly string[]> => (await watched.scanAll()).map(({ jobId }) => jobId);

  it('are found fit, with the indexes that are missing', async () => {
    const { problems, warnings, missingIndexes } = await watched.inspect();
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    expect(missingIndexes.map(({ purpose }) => purpose)).toEqual([
      'finding new failures',
      'finding the success of failed work',
      ...(release === '2026-09' ? ['watching running jobs'] : []),
    ]);
  });

  it('tell a killed job with its type, error and attempts', async () => {
    await start();
    const id = await push(1);
    await attempt(id, 1, 'Killed', '{"Err":"smtp: connection refused"}');
    const [failure, ...others] = await watched.scanAll();
    expect(others).toEqual([]);
    expect(failure).toMatchObject({
      jobId: id,
      kind: 'dead',
      source: 'apalis',
      jobType: 'mailer',
      targetId: null,
      error: 'smtp: connection refused',
      attempts: 1,
      maxAttempts: 1,
      notes: [],
    });
    expect((await watched.reconcile()).map(({ jobId }) => jobId)).toEqual([id]);
  });

  it('tell Failed only when no attempt is left', async () => {
    await start();
    const id = await push(2);
    await attempt(id, 1, 'Failed', '{"Err":"one"}');
    expect(await told()).toEqual([]);
    expect(await watched.reconcile()).toEqual([]);
    expect(await watched.job(id)).toMatchObject({ state: 'failed', forGood: false, status: 'Failed', attempts: 1 });

    await attempt(id, 2, 'Failed', '{"Err":"two"}');
    expect(await watched.scanAll()).toMatchObject([{ jobId: id, kind: 'failed', error: 'two', attempts: 2 }]);
    expect(await watched.job(id)).toMatchObject({ state: 'failed', forGood: true });
  });

  it('tell a killed job even when it has attempts left', async () => {
    await start();
    const id = await push(25);
    await attempt(id, 1, 'Killed', '{"Err":"abort"}');
    expect(await watched.scanAll()).toMatchObject([{ jobId: id, kind: 'dead', attempts: 1, maxAttempts: 25 }]);
  });

  it('hold the end of the try before while a job is tried again, which is no end', async () => {
    await start();
    const id = await push(5);
    await attempt(id, 1, 'Failed', '{"Err":"one"}');
    await pool.query(does.fetch, [id, 'worker-1']);
    expect(await told()).toEqual([]);
    expect(await watched.waiting()).toEqual([]);
    expect(await watched.running()).toMatchObject([{ id, state: 'running' }]);
    expect(await watched.successesOf('apalis', 'mailer')).toEqual([]);
  });

  it('let a job with attempts left wait since it failed, not since it was first due', async () => {
    await start();
    const id = await push(5);
    await pool.query(`update apalis.jobs set run_at = now() - interval '9 hours' where id = $1`, [id]);
    await attempt(id, 1, 'Failed', '{"Err":"one"}');
    expect(await watched.waiting()).toMatchObject([{ id }]);
    expect(await watched.waiting(3_600_000)).toEqual([]);
  });

  it('have a new failure when a job was set back by hand and was killed again', async () => {
    await start();
    const id = await push(1);
    await attempt(id, 1, 'Killed', '{"Err":"one"}');
    const [first] = await watched.scanAll();
    await pool.query('update apalis.jobs set priority = 9 where id = $1', [id]);
    expect((await watched.scanAll())[0]?.outcomeId).toBe(first?.outcomeId);

    await pool.query(
      `update apalis.jobs set status = 'Pending', attempts = 0, done_at = null, lock_by = null, lock_at = null where id = $1`,
      [id],
    );
    expect(await told()).toEqual([]);
    await attempt(id, 1, 'Killed', '{"Err":"one"}');
    const [second] = await watched.scanAll();
    expect(second?.attempts).toBe(first?.attempts);
    expect(second?.outcomeId).not.toBe(first?.outcomeId);
  });

  it('have the success of a job, and nothing when the vacuum took it', async () => {
    await start();
    const id = await push();
    await attempt(id, 1, 'Done', '{"Ok":null}');
    expect(await watched.successesOf('apalis', 'mailer')).toMatchObject([{ jobId: id }]);
    await pool.query(does.vacuum);
    expect(await watched.successesOf('apalis', 'mailer')).toEqual([]);
    expect(await watched.job(id)).toBeUndefined();
    expect(await told()).toEqual([]);
  });

  it('say of a running job when its worker was last seen', async () => {
    await start();
    const id = await push();
    await pool.query(does.fetch, [id, 'worker-1']);
    await pool.query(`update apalis.workers set last_seen = '2026-11-01 12:00:00.5+00'`);
    expect(await watched.running()).toMatchObject([
      { id, state: 'running', heartbeatAt: '2026-11-01T12:00:00.500000Z' },
    ]);
    expect((await watched.source()).hasHeartbeats).toBe(true);
  });

  it('have a job whose worker died waiting again, which is no failure', async () => {
    await start();
    const id = await push();
    await pool.query(does.fetch, [id, 'worker-1']);
    await pool.query(does.reenqueueOrphaned, [id]);
    expect(await told()).toEqual([]);
    expect(await watched.waiting()).toMatchObject([{ id, state: 'waiting', attempts: 1, heartbeatAt: null }]);
  });

  it('hold results of any form without stopping the scan', async () => {
    await start();
    const forms =
      release === '0.7'
        ? ['plain words', '{"Err":', '{"Err":"he said \\"no\\""}', '{"Err":""}', null]
        : ['"plain words"', '[1, 2]', '{"Err": {"code": 7}}', '{}', 'null', null];
    for (const [n, form] of forms.entries())
      await pool.query(
        `insert into apalis.jobs (job, id, job_type, status, done_at, ${release === '0.7' ? 'last_error' : 'last_result'})
         values ('{}', $1, 'mailer', 'Killed', now() + $2 * interval '1 millisecond', $3)`,
        [`odd-${n}`, n - 100, form],
      );
    const failures = await watched.scanAll();
    expect(failures.map(({ error }) => error)).toEqual(
      release === '0.7'
        ? ['plain words', '{"Err":', 'he said \\"no\\"', null, null]
        : ['"plain words"', '[1, 2]', '{"code": 7}', '{}', 'null', null],
    );
  });

  it('know the state of every row', async () => {
    await start();
    await pool.query(
      `insert into apalis.jobs (job, id, job_type, status)
       select '{}', 'id ' || status, 'mailer', status from unnest(array['Pending', 'Queued', 'Running', 'Done', 'Failed', 'Killed']) as status`,
    );
    expect((await watched.statuses()).filter(({ unknown }) => unknown)).toEqual([]);
  });

  it('are never read as a whole, with the indexes asked for', async () => {
    await start();
    await pool.query(
      `insert into apalis.jobs (job, id, job_type, status, attempts, run_at, lock_at, done_at)
       select '{}', 'job ' || n, 'type' || n % 7,
         case when n % 200 = 1 then 'Failed' when n % 200 = 2 then 'Killed' when n % 400 = 3 then 'Running' when n % 400 = 4 then 'Pending' else 'Done' end,
         case when n % 400 = 1 then 3 else 25 end, at, at, case when n % 200 not in (3, 4) then at end
       from (select n, now() - n * interval '1 minute' as at from generate_series(1, 40000) as n) as numbered`,
    );
    for (const statement of indexesOnPage('apalis')) await pool.query(statement);
    await pool.query('vacuum analyze apalis.jobs');
    const source = await watched.source();
    const { rows } = await pool.query<{ changed: string; id: string }>(
      `select done_at::text as changed, id from apalis.jobs where status = 'Killed' order by done_at offset 50 limit 1`,
    );
    const [row] = rows;
    if (row === undefined) throw new Error('There is no killed row.');
    const since = '2001-01-01T00:00:00Z';
    for (const [caption, text, values] of [
      ...failureScans(source, { since, ...row }),
      ...watchingReads(source, { source: 'apalis', jobType: 'type1', since, id: row.id }),
    ])
      expect(await planOf(pool, text, values), caption).not.toMatch(/Seq Scan on jobs/);
    // A page of 20 of the 400 failures reads little more than those.
    for (const [text, values] of [
      [source.statements.failuresFrom, [since, 20]],
      [source.statements.skimAfter, [row.changed, row.id, 20]],
    ] as const)
      expect(entriesRead(await planOf(pool, text, values), 'jobs_failures')).toBeLessThan(100);
    expect((await watched.inspect()).missingIndexes).toEqual([]);
  });
});

it('a table with neither column for the result is refused with the reason', async () => {
  const watched = tables.get('0.7');
  if (watched === undefined) throw new TypeError('There is no table of 0.7.');
  await watched.pool.query('alter table apalis.jobs rename column last_error to outcome');
  const { problems } = await watched.inspect();
  await watched.pool.query('alter table apalis.jobs rename column outcome to last_error');
  expect(problems.join()).toMatch(/not laid out as adapter apalis knows Apalis.*no column last_/);
});

it('are read with the grants of the page, which open neither the job nor any change', async () => {
  const watched = tables.get('1.0.0-rc.7');
  if (watched === undefined) throw new TypeError('There is no table of 1.0.0-rc.7.');
  await asReader(watched, 'apalis', async (reader) => {
    const { problems, warnings, source } = await watched.inspect({ pool: reader });
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    if (source === null) throw new Error('The table is unfit.');
    const work = { source: 'apalis', jobType: 'mailer', since: '2001-01-01T00:00:00Z', id: '01JB1' };
    const scans = failureScans(source, { since: work.since, changed: '2001-01-01 00:00:00+00', id: work.id });
    for (const [, text, values] of [...scans, ...watchingReads(source, work)]) await reader.query(text, values);
    for (const refused of [
      'select job from apalis.jobs',
      'select layers from apalis.workers',
      'update apalis.jobs set priority = 1',
      'delete from apalis.jobs',
      'delete from apalis.workers',
    ])
      await expect(reader.query(refused)).rejects.toThrow(/permission denied/);
  });
});

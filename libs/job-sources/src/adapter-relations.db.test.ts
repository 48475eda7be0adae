import { createPool } from '@tocsin/runtime';
import { createTestDatabase } from '@tocsin/testing';
import { expect, it } from 'vitest';
import type { AdapterMapping } from './adapter-mapping.ts';
import { watchAdapter } from './adapter.fixture.ts';
import { inspectTable } from './inspect-table.ts';

/** A job system whose states are in other tables, as an old and a new release have them. */
const mapping: AdapterMapping = {
  adapter: 'split',
  title: 'Split',
  defaultTable: 'split.jobs',
  relations: [
    {
      sql: `select job.*, failure.failed_at, failure.message, worker.seen_at
            from {table} as job
            left join {schema}.failures as failure on failure.job_id = job.id
            left join {schema}.workers as worker on worker.id = job.worker_id`,
      needs: {
        '{table}': ['id', 'kind', 'args', 'worker_id', 'done_at'],
        failures: ['job_id', 'failed_at', 'message'],
        workers: ['id', 'seen_at'],
      },
      versions: 'since 2',
    },
    {
      sql: 'select job.*, null::timestamptz as seen_at from {table} as job',
      needs: { '{table}': ['id', 'kind', 'args', 'failed_at', 'message', 'done_at'] },
      versions: 'before 2',
    },
  ],
  fields: {
    id: { column: 'id', use: 'key', required: true },
    source: { value: 'split' },
    jobType: { sql: `upper({kind})`, use: 'text', required: true },
    targetId: { column: 'args', path: ['account', 'id'], use: 'text', required: false },
    attempts: { column: 'args', path: ['tries'], use: 'count', required: false },
    error: { column: 'message', use: 'anything', required: false },
    dueAt: { column: 'made_at', use: 'instant', required: false },
    heartbeatAt: { column: 'seen_at', use: 'instant', required: false },
    finishedAt: { sql: 'coalesce({failed_at}, {done_at})', use: 'instant', required: true },
    changedAt: { column: 'failed_at', use: 'instant', required: true },
  },
  states: {
    waiting: { sql: '{failed_at} is null and {done_at} is null and {seen_at} is null' },
    running: { sql: '{failed_at} is null and {done_at} is null and {seen_at} is not null' },
    failed: { sql: '{failed_at} is not null' },
    dead: [],
    succeeded: { sql: '{done_at} is not null' },
    canceled: [],
  },
  failedForGood: 'true',
  runKey: null,
  identityTimes: ['finishedAt'],
  indexes: [
    {
      purpose: 'finding new failures',
      nameSuffix: 'by_time',
      table: 'failures',
      fields: [],
      key: 'failed_at, job_id',
      where: 'true',
      leading: 1,
    },
  ],
  version: { sql: 'select v as version from {schema}.release', from: 2, to: 3, of: 'schema version of Split' },
  retention: { failuresMs: 60_000, words: 'A minute.' },
  deletesSuccesses: false,
  reads: ['release'],
  traps: [],
};

const newRelease = `
  create schema split;
  create domain split.moment as timestamptz;
  create table split.release (v integer);
  insert into split.release values (3);
  create table split.workers (id integer primary key, seen_at timestamptz);
  create table split.jobs (id bigint primary key, kind text, args jsonb, worker_id integer, done_at split.moment, made_at timestamptz default now() - interval '1 minute');
  create table split.failures (job_id bigint primary key, failed_at timestamptz not null, message text);`;

const watched = await watchAdapter(mapping, newRelease);
const old = await createTestDatabase({ empty: true });

it('reads a job whose state, heartbeat and error are in tables of their own', async () => {
  await watched.pool.query(`
    insert into split.workers values (1, now());
    insert into split.jobs (id, kind, args, worker_id, done_at) values
      (1, 'mail', '{"account": {"id": 7}, "tries": 3}', null, null),
      (2, 'mail', '{"account": {"id": 8}, "tries": "many"}', 1, null),
      (3, 'mail', '[]', null, now()),
      (4, 'mail', null, null, null);
    insert into split.failures select n, now(), 'boom' from generate_series(1, 1) as n;`);
  expect(await watched.scanAll()).toMatchObject([
    {
      jobId: '1',
      kind: 'failed',
      source: 'split',
      jobType: 'MAIL',
      targetId: '7',
      attempts: 3,
      error: 'boom',
      notes: [],
    },
  ]);
  expect((await watched.reconcile()).map(({ jobId }) => jobId)).toEqual(['1']);
  expect(await watched.running()).toMatchObject([{ id: '2', targetId: '8', attempts: null, state: 'running' }]);
  expect((await watched.waiting()).map(({ id }) => id)).toEqual(['4']);
  expect((await watched.successesOf('split', 'MAIL')).map(({ jobId }) => jobId)).toEqual(['3']);
  expect(await watched.job('1')).toMatchObject({ state: 'failed' });
  expect(await watched.job('no number')).toBeUndefined();
});

it('says what it found out about the release and which index of a sibling is missing', async () => {
  const { source, warnings, missingIndexes } = await watched.inspect();
  expect(warnings).toEqual([]);
  expect(source).toMatchObject({ isRelation: true, hasHeartbeats: true, countsParts: false, retentionMs: 60_000 });
  expect(missingIndexes.map(({ statement }) => statement)).toEqual([
    'create index concurrently "failures_by_time" on "split"."failures" (failed_at, job_id);',
  ]);
  for (const { statement } of missingIndexes) await watched.pool.query(statement);
  await watched.pool.query('update split.release set v = 9');
  const later = await watched.inspect({ retentionMs: 5 });
  expect(later.missingIndexes).toEqual([]);
  expect(later.source?.retentionMs).toBe(5);
  expect(later.warnings.join()).toMatch(/schema version of Split is 9; adapter split was tested with 2 to 3/);
});

it('takes the first relation that the installed release has, and says so when there is none', async () => {
  await old.pool.query(`
    create schema split;
    create table split.release (v text);
    create table split.jobs (id bigint primary key, kind text, args jsonb, done_at timestamptz, failed_at timestamptz, message text, made_at timestamptz);
    insert into split.jobs (id, kind, failed_at) values (5, 'mail', now())`);
  const inspect = () => inspectTable(old.pool, mapping, { name: 'jobs', table: 'split.jobs' });
  expect((await inspect()).problems).toEqual([]);
  await old.pool.query('alter table split.jobs drop column message');
  expect((await inspect()).problems.join()).toMatch(
    /"split"\."jobs" is not laid out as adapter split knows Split \(before 2: there is no column message of jobs\)/,
  );
});

it('asks for the grant of each table and column it reads, and is content when all are given', async () => {
  const { pool, connectionString } = watched;
  await pool.query("create role splitter login password 'splitter-pw'");
  const url = new URL(connectionString);
  url.username = 'splitter';
  url.password = 'splitter-pw';
  const reader = createPool({ connectionString: url.href, max: 1, applicationName: 'test', onError: () => {} });
  try {
    const problems = async () => (await watched.inspect({ pool: reader })).problems;
    expect(await problems()).toEqual([expect.stringContaining('run: grant usage on schema "split" to "splitter";')]);
    await pool.query('grant usage on schema split to splitter');
    const asked = await problems();
    expect(asked.map((text) => /run: (grant .*;)/.exec(text)?.[1])).toEqual(
      ['jobs', 'failures', 'workers', 'release'].map((table) => `grant select on "split"."${table}" to "splitter";`),
    );
    await pool.query(
      'grant select on split.jobs, split.failures, split.release to splitter; grant select (id) on split.workers to splitter',
    );
    const [column] = await problems();
    expect(column).toContain('run: grant select ("seen_at") on "split"."workers" to "splitter";');
    await pool.query(/run: (grant .*;)/.exec(column ?? '')?.[1] ?? '');
    expect(await problems()).toEqual([]);
  } finally {
    await reader.end();
    await pool.query('drop owned by splitter; drop role splitter');
  }
});

it('names the table that is read beside it and is not there', async () => {
  await old.pool.query('alter table split.jobs add column message text; drop table split.release');
  const { problems } = await inspectTable(old.pool, mapping, { name: 'jobs', table: 'split.jobs' });
  expect(problems.join()).toMatch(/reads "split"\."release" beside "split"\."jobs", and there is no such table/);
});

it('reads pages in the order of an index of a sibling, and no table whole', async () => {
  const { pool } = watched;
  await pool.query(`
    insert into split.jobs (id, kind, args) select n, 'mail', '{}' from generate_series(100, 120000) as n;
    insert into split.failures select n, now() - n * interval '1 second', 'boom' from generate_series(100, 120000, 50) as n;`);
  await pool.query('vacuum analyze split.jobs, split.failures');
  const { statements } = await watched.source();
  const plans = [
    [statements.failuresFrom, ['2001-01-01', 100]],
    [statements.failuresAfter, ['2026-01-01 00:00:00+00', '5', 100]],
    [statements.skimAfter, ['2026-01-01 00:00:00+00', '5', 100]],
    [statements.failuresById, [['100', '150']]],
    [statements.undatedFrom, [86_400_000, 100]],
    [statements.snapshots.byId.text, [['100', '150']]],
  ] as const;
  for (const [text, values] of plans) {
    const { rows } = await pool.query(`explain ${text}`, values);
    expect(JSON.stringify(rows)).not.toMatch(/Seq Scan on (jobs|failures)/);
  }
});

import { expect, it } from 'vitest';
import { watchAdapter } from '../adapter.fixture.ts';
import { customiseMapping } from '../customise-mapping.ts';
import { inspectTable } from '../inspect-table.ts';
import { customMappingProblems } from './custom-mapping.ts';
import { asReader } from './read-only-role.fixture.ts';

const column = (name: string, ...path: readonly string[]) => ({ column: name, path });

/** As docs/adapters/custom.md shows it. */
const mapping = customiseMapping('custom', {
  columns: {
    id: column('export_id'),
    job_type: { value: 'nightly_export' },
    status: column('state'),
    updated_at: column('modified_at'),
    source: column('tenant'),
    target_id: column('options', 'account_id'),
    error: column('failure_reason'),
    attempts: column('tries'),
    max_attempts: column('tries_allowed'),
    due_at: column('not_before'),
    heartbeat_at: column('seen_at'),
    finished_at: column('ended_at'),
    failed_count: column('rows_rejected'),
    total_count: column('rows_total'),
    run: column('batch_id'),
  },
  states: {
    waiting: ['queued', 'delayed'],
    running: ['running'],
    failed: ['error'],
    dead: ['gave_up'],
    succeeded: ['ok'],
    canceled: ['aborted'],
  },
});

const watched = await watchAdapter(
  mapping,
  `create schema app;
   create table app.exports (
     export_id integer primary key, tenant text, state text, modified_at timestamp default (now() at time zone 'utc'),
     options json default '{}', failure_reason text, tries smallint default 1, tries_allowed smallint default 3,
     not_before timestamptz, seen_at timestamptz, ended_at timestamptz, rows_rejected bigint, rows_total bigint, batch_id uuid
   )`,
  { table: 'app.exports' },
);

it('reads a table that is told by columns and states alone', async () => {
  expect(customMappingProblems(mapping, 'exports')).toEqual([]);
  await watched.pool.query(
    `insert into app.exports (export_id, tenant, state, tries, options, failure_reason, batch_id, rows_rejected, rows_total, ended_at, not_before) values
       (1, 'acme', 'error', 1, '{}', 'try again', null, null, null, null, now() - interval '2 h'),
       (2, 'acme', 'error', 3, '{"account_id": 7}', 'disk full', '8c3f3c4e-0d3f-4c3b-8b43-0b9d3a7a6f10', null, null, now(), null),
       (3, 'bolt', 'gave_up', 1, '{"account_id": "\\u0000"}', 'no', null, null, null, now(), null),
       (4, 'bolt', 'ok', 1, '{}', null, null, 50, 1000, now(), null),
       (5, 'bolt', 'running', 1, '{}', null, null, null, null, null, null),
       (6, 'bolt', 'delayed', 0, '{}', null, null, null, null, null, now() + interval '1 h'),
       (7, 'bolt', 'aborted', 0, '{}', null, null, null, null, null, null),
       (8, 'bolt', 'exploded', 0, '{}', null, null, null, null, null, null)`,
  );
  const told = await watched.scanAll();
  expect(told.toSorted((a, b) => Number(a.jobId) - Number(b.jobId))).toMatchObject([
    {
      jobId: '2',
      kind: 'failed',
      source: 'acme',
      jobType: 'nightly_export',
      targetId: '7',
      run: '8c3f3c4e-0d3f-4c3b-8b43-0b9d3a7a6f10',
      error: 'disk full',
    },
    { jobId: '3', kind: 'dead', source: 'bolt' },
  ]);
  expect((await watched.reconcile()).map(({ jobId }) => jobId).toSorted()).toEqual(['2', '3']);
  expect(await watched.scanAll('partials')).toMatchObject([{ jobId: '4', counts: { failed: 50, total: 1_000 } }]);
  expect((await watched.running()).map(({ id }) => id)).toEqual(['5']);
  expect((await watched.waiting()).map(({ id }) => id)).toEqual(['1']);
  expect((await watched.statuses()).filter(({ unknown }) => unknown)).toMatchObject([{ status: 'exploded' }]);
});

it('names a column that is not there, with its table', async () => {
  const wrong = customiseMapping(mapping, { columns: { status: column('stat'), heartbeat_at: column('beat') } });

  const { problems } = await inspectTable(watched.pool, wrong, { name: 'exports', table: 'app.exports' });
  expect(problems.join('\n')).toMatch(/"exports" has no column stat\b[\s\S]*"exports" has no column beat\b/);
});

it('reads with the privileges of its page', async () => {
  await asReader(watched, 'custom', async (reader) => {
    expect((await watched.inspect({ pool: reader })).problems).toEqual([]);
    await expect(reader.query('delete from app.exports')).rejects.toThrow(/permission denied/);
  });
});

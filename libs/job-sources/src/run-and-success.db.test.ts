import type { FailureSignal } from '@tocsin/alert-model';
import { createTestDatabase, insertResearchJob, insertResearchJobs } from '@tocsin/testing';
import type { ResearchJobFields } from '@tocsin/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { countStatuses } from './count-statuses.ts';
import { findSuccesses } from './find-successes.ts';
import { readRunContexts } from './read-run-contexts.ts';
import { scanFailures } from './scan-failures.ts';
import { createJobTable, sourceOf } from './watched-table.fixture.ts';

const { pool } = await createTestDatabase();
const source = await sourceOf(pool, 'public.research_jobs');
beforeEach(() => pool.query('truncate public.research_jobs'));

const monday = '2026-03-02T03:00:00Z';
const nextMonday = '2026-03-09T03:00:00Z';
const thirdMonday = '2026-03-16T03:00:00Z';
const targets = ['albums', 'songs', 'artists'];

/** One run of the catalogue chain; `statuses` by target, `rebuild` null when it was never enqueued. */
const insertRun = async (
  run: string,
  statuses: readonly ResearchJobFields['status'][],
  rebuild: ResearchJobFields['status'] | null,
) => {
  const finished = (minutes: number) => new Date(Date.parse(run) + minutes * 60_000).toISOString();
  await insertResearchJobs(pool, [
    ...targets.map((target_id, n) => ({
      target_id,
      status: statuses[n] ?? 'pending',
      attempts: 3,
      finished_at: finished(n + 1),
      payload: { chain_started_at: run },
    })),
    ...(rebuild === null
      ? []
      : [
          {
            job_type: 'rebuild_index',
            status: rebuild,
            attempts: 3,
            finished_at: finished(10),
            payload: { chain_started_at: run },
          },
        ]),
  ]);
};

const failures = async (): Promise<readonly FailureSignal[]> =>
  (await scanFailures(pool, source, { after: '2000-01-01T00:00:00Z', limit: 100, isKnown: () => false })).failures;

describe('what is known of a run', () => {
  it('is its jobs, the steps of the last green run before it, and when that finished', async () => {
    await insertRun(monday, ['succeeded', 'succeeded', 'succeeded'], 'succeeded');
    await insertRun(nextMonday, ['succeeded', 'canceled', 'succeeded'], null);
    await insertRun(thirdMonday, ['succeeded', 'failed', 'running'], null);
    // Another chain of the same source, green and more recent.
    await insertResearchJob(pool, {
      job_type: 'sweep',
      status: 'succeeded',
      payload: { chain_started_at: '2026-03-15T00:00:00Z' },
    });

    const [songs] = await failures();
    const context = (await readRunContexts(pool, source, [songs!])).get(songs!.outcomeId);
    expect(context).toEqual({
      steps: [
        { jobType: 'refresh_catalog', targetId: 'albums', status: 'succeeded' },
        { jobType: 'refresh_catalog', targetId: 'artists', status: 'running' },
        { jobType: 'refresh_catalog', targetId: 'songs', status: 'failed' },
      ],
      learned: [
        { jobType: 'rebuild_index', targetId: null },
        { jobType: 'refresh_catalog', targetId: 'albums' },
        { jobType: 'refresh_catalog', targetId: 'artists' },
        { jobType: 'refresh_catalog', targetId: 'songs' },
      ],
      lastGreenAt: '2026-03-02T03:10:00.000000Z',
    });
  });

  it('has no learned steps when no run before it was green', async () => {
    await insertRun(monday, ['failed', 'succeeded', 'succeeded'], null);
    const [albums] = await failures();
    expect((await readRunContexts(pool, source, [albums!])).get(albums!.outcomeId)).toMatchObject({
      learned: [],
      lastGreenAt: null,
    });
  });

  it('is bounded, and there is none outside of a run', async () => {
    await pool.query(
      `insert into public.research_jobs (source, job_type, target_id, status, attempts, payload)
       select 'apple', 'refresh_catalog', n::text, 'failed', 3, jsonb_build_object('chain_started_at', $1::text) from generate_series(1, 150) as n`,
      [monday],
    );
    await insertResearchJob(pool, { status: 'failed', attempts: 3, target_id: 'alone' });
    const all = await failures();
    const contexts = await readRunContexts(pool, source, all);
    expect(contexts.get(all.find(({ run }) => run !== null)!.outcomeId)?.steps).toHaveLength(100);
    expect(contexts.has(all.find(({ targetId }) => targetId === 'alone')?.outcomeId ?? '')).toBe(false);
  });
});

describe('successes', () => {
  const since = '2026-03-02T03:00:00.000000Z';
  const at = (minutes: number) => new Date(Date.parse(since) + minutes * 60_000).toISOString();
  const look = async (target: { id: string | null } | 'any') =>
    (await findSuccesses(pool, source, [{ source: 'apple', jobType: 'refresh_catalog', target, since }])).map(
      ({ signal }) => signal,
    );

  it('are those after the failure, with their run, and the latest few of each work only', async () => {
    await insertResearchJobs(pool, [
      { target_id: 'songs', status: 'succeeded', finished_at: at(-1) },
      { target_id: 'songs', status: 'failed', finished_at: at(1) },
      { target_id: 'albums', status: 'succeeded', finished_at: at(1) },
      ...Array.from({ length: 8 }, (_, n) => ({
        target_id: 'songs',
        status: 'succeeded' as const,
        finished_at: at(10 + n),
        payload: { chain_started_at: `run ${n}` },
      })),
    ]);
    const found = await look({ id: 'songs' });
    expect(found.map(({ run }) => run)).toEqual(['run 3', 'run 4', 'run 5', 'run 6', 'run 7']);
    expect(found.every(({ targetId }) => targetId === 'songs')).toBe(true);
  });

  it('tell work with, without and with whatever target apart', async () => {
    await insertResearchJobs(pool, [
      { target_id: null, status: 'succeeded', finished_at: at(1) },
      { target_id: 'songs', status: 'succeeded', finished_at: at(2) },
    ]);
    expect((await look({ id: null })).map(({ targetId }) => targetId)).toEqual([null]);
    expect((await look({ id: 'songs' })).map(({ targetId }) => targetId)).toEqual(['songs']);
    expect((await look('any')).map(({ targetId }) => targetId)).toEqual([null, 'songs']);
  });

  it('without an end time count with their last change, and never lie in the future', async () => {
    await insertResearchJobs(pool, [
      { target_id: 'songs', status: 'succeeded', finished_at: null, updated_at: at(5) },
      { target_id: 'songs', status: 'succeeded', finished_at: new Date(Date.now() + 3_600_000).toISOString() },
    ]);
    const [changed, ahead] = await look({ id: 'songs' });
    expect(changed?.finishedAt).toBe('2026-03-02T03:05:00.000000Z');
    expect(ahead?.finishedAt).toBe(ahead?.observedAt);
  });

  it.each<[string, Parameters<typeof createJobTable>[1] & object]>([
    ['times without zone', { finished_at: 'timestamp', updated_at: 'timestamp' }],
    ['targets that are numbers', { target_id: 'bigint' }],
    ['no target column', { target_id: null }],
    ['a status of its own type', { status: 'app.state' }],
  ])('are found in a table with %s', async (_caption, changes) => {
    await pool.query(
      "create schema if not exists app; drop type if exists app.state; create type app.state as enum ('failed', 'succeeded')",
    );
    const table = await createJobTable(pool, changes);
    const other = await sourceOf(pool, table);
    await pool.query(
      changes.target_id === null
        ? `insert into ${table} (status, finished_at) values ('succeeded', '2026-03-02 04:00')`
        : `insert into ${table} (status, finished_at, target_id) values ('succeeded', '2026-03-02 04:00', '5')`,
    );
    const target = changes.target_id === null ? ({ id: null } as const) : ({ id: '5' } as const);
    const found = await findSuccesses(pool, other, [{ source: 'apple', jobType: 'refresh_catalog', target, since }]);
    expect(found.map(({ signal }) => signal.finishedAt)).toEqual(['2026-03-02T04:00:00.000000Z']);
    await pool.query(`drop table ${table}`);
  });
});

describe('statuses', () => {
  it('are counted, and those that nobody knows are marked', async () => {
    const table = await createJobTable(pool);
    await pool.query(`insert into ${table} (status) values ('failed'), ('failed'), ('exploded'), (null)`);
    const { statuses, sampled } = await countStatuses(pool, await sourceOf(pool, table));
    expect(sampled).toBe(false);
    expect(statuses).toEqual(
      expect.arrayContaining([
        { status: 'failed', rows: 2, unknown: false },
        { status: 'exploded', rows: 1, unknown: true },
        { status: null, rows: 1, unknown: true },
      ]),
    );
  });
});

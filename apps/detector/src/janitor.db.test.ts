import type { JobRepairedSignal, Rule, StuckAction } from '@tocsin/alert-model';
import { createTestDatabase, insertResearchJob, updateResearchJob } from '@tocsin/testing';
import { beforeEach, expect, it } from 'vitest';
import { createDetectorBench, watched } from './detector.fixture.ts';

const database = await createTestDatabase();
const { pool } = database;
const bench = await createDetectorBench(database);
beforeEach(async () => {
  await bench.clear();
  await pool.query('truncate tocsin.repairs');
});

const minuteMs = 60_000;
const minutesAgo = (minutes: number): string => new Date(Date.now() - minutes * minuteMs).toISOString();
const table = watched(pool, {
  janitorPool: pool,
  columns: { checkpoint: { column: 'payload', path: ['checkpoint'] } },
});
const requeue: StuckAction = { action: 'requeue', restartsMax: 3, backoffMs: minuteMs, checkpointSchema: null };
const withRule = (onStuck: StuckAction, changes: Partial<Parameters<typeof bench.detector>[0]> = {}) => {
  const rule: Rule = {
    name: 'rules[0]',
    match: {},
    stuckAfter: { mode: 'fixed', heartbeatMs: 15 * minuteMs, updateMs: null },
    onStuck,
  };
  return bench.detector({
    tables: [table],
    policy: { rules: [rule], chains: [], schedules: [], storm: null },
    ...changes,
  });
};
const silent = (changes = {}) =>
  insertResearchJob(pool, {
    target_id: 'songs',
    status: 'running',
    attempts: 1,
    started_at: minutesAgo(60),
    heartbeat_at: minutesAgo(20),
    updated_at: minutesAgo(20),
    created_at: minutesAgo(70),
    payload: { checkpoint: { stage: 'text_extracted' } },
    ...changes,
  });
const repaired = async (): Promise<readonly JobRepairedSignal[]> =>
  (await bench.signals()).filter((signal) => signal.signal === 'JobRepaired');
const row = async (id: string) =>
  (
    await pool.query<{ status: string; error: string | null; run_after: Date; attempts: number }>(
      'select status, error, extract(epoch from run_after - now())::integer as delay_s, attempts from public.research_jobs where id = $1',
      [id],
    )
  ).rows[0];

it('does nothing but tell by default', async () => {
  const id = await silent();
  await withRule({ action: 'alert' }).runOnce();
  expect(await row(id)).toMatchObject({ status: 'running' });
  expect(await repaired()).toEqual([]);
});

it('does nothing without a connection of its own', async () => {
  const id = await silent();
  await withRule({ action: 'mark_dead' }, { tables: [watched(pool)] }).runOnce();
  expect(await row(id)).toMatchObject({ status: 'running' });
  expect(await repaired()).toEqual([]);
});

it('marks a stuck job dead, says why in its error, and the death is then found like any other', async () => {
  const id = await silent();
  const detector = withRule({ action: 'mark_dead' });
  await detector.runOnce();
  await detector.runOnce();
  expect(await row(id)).toMatchObject({ status: 'dead', error: expect.stringContaining('No heartbeat for 20 min') });
  expect(await repaired()).toMatchObject([{ jobId: id, action: 'mark_dead', result: 'done', restart: null }]);
  expect((await bench.failures()).map(({ kind }) => kind)).toEqual(['stuck', 'dead']);
});

it('requeues a stuck job from its checkpoint, put off by the backoff, and counts the restart', async () => {
  const id = await silent();
  const detector = withRule(requeue);
  await detector.runOnce();
  await detector.runOnce();
  expect(await row(id)).toMatchObject({ status: 'pending', attempts: 1, delay_s: expect.closeTo(60, -1) });
  expect(await repaired()).toMatchObject([{ action: 'requeue', result: 'done', restart: 1 }]);
});

it('restarts a job at most so often, ever more slowly, and then says that it does not', async () => {
  const id = await silent();
  const again = { ...requeue, restartsMax: 2 } as const;
  const delays: unknown[] = [];
  for (let round = 0; round < 3; round += 1) {
    await withRule(again).runOnce();
    delays.push(((await row(id)) as unknown as { delay_s: number }).delay_s > 90);
    await updateResearchJob(pool, id, {
      status: 'running',
      started_at: minutesAgo(40 - round),
      heartbeat_at: minutesAgo(30 - round),
      updated_at: minutesAgo(30 - round),
    });
  }
  expect((await repaired()).map(({ result, restart, reason }) => [result, restart, reason])).toEqual([
    ['done', 1, 'restart 1 of 2'],
    ['done', 2, 'restart 2 of 2'],
    ['skipped', 3, 'it was restarted 2 times already'],
  ]);
  expect(delays.slice(0, 2)).toEqual([false, true]);
});

it.each([
  ['no checkpoint', {}, /no checkpoint/],
  ['a checkpoint that does not fit', { checkpoint: { stage: 'baked' } }, /does not fit/],
])('leaves a job alone that has %s', async (_, payload, reason) => {
  const id = await silent({ payload });
  const schema = {
    type: 'object',
    properties: { stage: { enum: ['text_extracted', 'tiles_generated'] } },
    required: ['stage'],
  };
  await withRule({ ...requeue, checkpointSchema: schema }).runOnce();
  expect(await row(id)).toMatchObject({ status: 'running' });
  expect(await repaired()).toMatchObject([{ result: 'skipped', reason: expect.stringMatching(reason) }]);
});

it('never overwrites a worker that wakes up between the look and the change', async () => {
  const id = await silent();
  const waking: typeof pool = {
    ...pool,
    query: async (text, values) => {
      if (text.trimStart().startsWith('update')) await updateResearchJob(pool, id, { heartbeat_at: minutesAgo(0) });
      return pool.query(text, values);
    },
  };
  await withRule({ action: 'mark_dead' }, { tables: [{ ...table, janitorPool: waking }] }).runOnce();
  expect(await row(id)).toMatchObject({ status: 'running' });
  expect(await repaired()).toMatchObject([{ result: 'skipped', reason: expect.stringContaining('changed since') }]);
});

it('repairs once when two detectors look at the same time', async () => {
  await silent();
  await Promise.all([withRule(requeue).runOnce(), withRule(requeue).runOnce()]);
  expect(await repaired()).toHaveLength(1);
});

it('finds out what became of a repair whose detector died', async () => {
  const id = await silent();
  const cut: typeof pool = {
    ...pool,
    query: async (text, values) => {
      const outcome = await pool.query(text, values);
      if (text.trimStart().startsWith('update'))
        throw Object.assign(new Error('Connection terminated unexpectedly'), { code: '57P01' });
      return outcome as never;
    },
  };
  await withRule(requeue, { tables: [{ ...table, janitorPool: cut }] }).runOnce();
  expect(await repaired()).toEqual([]);
  await withRule(requeue, { interruptedAfterMs: 0 }).runOnce();
  expect(await row(id)).toMatchObject({ status: 'pending' });
  expect(await repaired()).toMatchObject([
    { result: 'done', restart: 1, reason: expect.stringContaining('found done') },
  ]);
});

it('says what is missing when its role may not update the table', async () => {
  await silent();
  const forbidden: typeof pool = {
    ...pool,
    query: (text, values) =>
      text.trimStart().startsWith('update')
        ? Promise.reject(Object.assign(new Error('permission denied for table research_jobs'), { code: '42501' }))
        : pool.query(text, values),
  };
  await withRule({ action: 'mark_dead' }, { tables: [{ ...table, janitorPool: forbidden }] }).runOnce();
  expect(await repaired()).toMatchObject([{ result: 'skipped', reason: 'permission denied for table research_jobs' }]);
  expect((await bench.failures()).map(({ kind }) => kind)).toEqual(['stuck']);
});

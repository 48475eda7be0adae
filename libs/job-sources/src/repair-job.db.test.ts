import { createPool } from '@tocsin/runtime';
import { createTestDatabase } from '@tocsin/testing';
import { describe, expect, it } from 'vitest';
import type { AdapterMapping } from './adapter-mapping.ts';
import { researchJobsMapping } from './adapters/research-jobs-mapping.ts';
import { inspectTable } from './inspect-table.ts';
import type { JobSource } from './job-source.ts';
import { readCheckpoint } from './read-checkpoint.ts';
import { readRunning } from './read-running.ts';
import { markDead, requeue } from './repair-job.ts';
import { createJobTable, sourceOf } from './watched-table.fixture.ts';

const { pool, connectionString } = await createTestDatabase();

type Changes = Parameters<typeof createJobTable>[1];

/** A table with one running job, and that job as it was seen. */
const stuckJob = async (changes: Changes = {}, inspect = sourceOf) => {
  const table = await createJobTable(pool, { status: "text default 'running'", ...changes });
  await pool.query(`insert into ${table} default values`);
  const columns = Object.entries({
    heartbeat_at: "now() - interval '1 hour'",
    started_at: "now() - interval '2 hours'",
  });
  for (const [column, value] of columns)
    if (changes[column as keyof Changes] !== null) await pool.query(`update ${table} set ${column} = ${value}`);
  const source = await inspect(pool, table);
  const [seen] = (await readRunning(pool, source, { limit: 1 })).jobs;
  if (seen === undefined) throw new Error('Nothing runs.');
  const row = async () => (await pool.query<Record<string, unknown>>(`select * from ${table}`)).rows[0];
  return { table, source, seen, row };
};

describe('a stuck job', () => {
  it('is marked dead with a reason and an end', async () => {
    const { source, seen, row } = await stuckJob();
    expect(await markDead(pool, source, { id: seen.id, seen, error: 'Marked dead by Tocsin: silent for 1 h.' })).toBe(
      true,
    );
    expect(await row()).toMatchObject({ status: 'dead', attempts: 3, error: 'Marked dead by Tocsin: silent for 1 h.' });
    expect((await row())?.['finished_at']).toEqual((await row())?.['updated_at']);
    expect(await markDead(pool, source, { id: seen.id, seen, error: 'again' })).toBe(false);
  });

  it('is put back into the queue, due after a pause', async () => {
    const { source, seen, row } = await stuckJob();
    expect(await requeue(pool, source, { id: seen.id, seen, delayMs: 60_000 })).toBe(true);
    const changed = await row();
    expect(changed).toMatchObject({
      status: 'pending',
      attempts: 3,
      error: null,
      started_at: null,
      heartbeat_at: null,
      finished_at: null,
    });
    const pauseMs = Date.parse(String(changed?.['run_after'])) - Date.parse(String(changed?.['updated_at']));
    expect(pauseMs).toBe(60_000);
  });

  it.each([
    ['it sent a heartbeat', "heartbeat_at = now() - interval '59 minutes'"],
    ['its first heartbeat came', 'heartbeat_at = now()'],
    ['it was started anew', 'started_at = now()'],
    ['it was tried once more', 'attempts = attempts + 1'],
    ['it made progress', "updated_at = now() + interval '1 microsecond'"],
    ['it ended', "status = 'succeeded'"],
    ['somebody canceled it', "status = 'canceled'"],
  ])('is left alone when %s', async (_caption, change) => {
    const { table, source, seen, row } = await stuckJob();
    await pool.query(`update ${table} set ${change}`);
    const before = await row();
    expect(await markDead(pool, source, { id: seen.id, seen, error: 'x' })).toBe(false);
    expect(await requeue(pool, source, { id: seen.id, seen, delayMs: 0 })).toBe(false);
    expect(await row()).toEqual(before);
  });

  it('is left alone when its worker wakes up in a transaction that commits later', async () => {
    const { table, source, seen, row } = await stuckJob();
    const worker = await pool.connect();
    try {
      await worker.query('begin');
      await worker.query(`update ${table} set heartbeat_at = now()`);
      const marked = markDead(pool, source, { id: seen.id, seen, error: 'x' });
      await worker.query('commit');
      expect(await marked).toBe(false);
    } finally {
      worker.release();
    }
    expect(await row()).toMatchObject({ status: 'running', error: null });
  });

  it.each<[string, Changes & object]>([
    [
      'times without zone',
      { heartbeat_at: 'timestamp', finished_at: 'timestamp', updated_at: 'timestamp', run_after: 'timestamp' },
    ],
    ['no heartbeats', { heartbeat_at: null }],
    ['an error of jsonb', { error: 'jsonb' }],
    ['an error that is no text', { error: 'integer' }],
    ['a bigint id', { id: 'bigint generated always as identity primary key' }],
    ['no due time', { run_after: null }],
  ])('is repaired in a table with %s', async (_caption, changes) => {
    const dead = await stuckJob(changes);
    expect(await markDead(pool, dead.source, { id: dead.seen.id, seen: dead.seen, error: 'silent' })).toBe(true);
    expect(await dead.row()).toMatchObject({ status: 'dead' });
    const queued = await stuckJob(changes);
    expect(await requeue(pool, queued.source, { id: queued.seen.id, seen: queued.seen, delayMs: 1_000 })).toBe(true);
    expect(await queued.row()).toMatchObject({ status: 'pending' });
  });

  it('is repaired by a role that may update the named columns only', async () => {
    const { table, source, seen } = await stuckJob();
    await pool.query(`
      create role janitor login password 'janitor-pw';
      grant usage on schema app to janitor;
      grant select, update (status, error, finished_at, updated_at, run_after, started_at, heartbeat_at) on ${table} to janitor`);
    const url = new URL(connectionString);
    url.username = 'janitor';
    url.password = 'janitor-pw';
    const janitor = createPool({ connectionString: url.href, max: 1, applicationName: 'test', onError: () => {} });
    try {
      expect(await requeue(janitor, source, { id: seen.id, seen, delayMs: 0 })).toBe(true);
      await expect(janitor.query(`update ${table} set payload = '{}'`)).rejects.toThrow(/permission denied/);
      await expect(janitor.query(`delete from ${table}`)).rejects.toThrow(/permission denied/);
    } finally {
      await janitor.end();
      await pool.query('drop owned by janitor; drop role janitor');
    }
  });
});

describe('a table that cannot be repaired by changing one row', () => {
  const refused = async (mapping: AdapterMapping, to: 'dead' | 'waiting') => {
    const inspect = async (_pool: typeof pool, table: string): Promise<JobSource> => {
      const { source } = await inspectTable(pool, mapping, { name: 'jobs', table });
      if (source === null) throw new Error('Unfit.');
      return source;
    };
    const { source, seen, row } = await stuckJob({}, inspect);
    const repair =
      to === 'dead'
        ? markDead(pool, source, { id: seen.id, seen, error: 'x' })
        : requeue(pool, source, { id: seen.id, seen, delayMs: 0 });
    await expect(repair).rejects.toMatchObject({ code: 'JANITOR_UNFIT' });
    expect(await row()).toMatchObject({ status: 'running' });
    return (await repair.catch((error: unknown) => error)) as Error;
  };

  it('is refused by the name of its adapter', async () => {
    const relations = [{ sql: 'select * from {table}', needs: {}, versions: 'all' }];
    const error = await refused({ ...researchJobsMapping, adapter: 'joined', relations }, 'dead');
    expect(error.message).toMatch(/adapter joined.*not one column.*on_stuck: alert/);
  });

  it('is refused when no status stands for the new state', async () => {
    const { states } = researchJobsMapping;
    expect((await refused({ ...researchJobsMapping, states: { ...states, dead: [] } }, 'dead')).message).toContain(
      'no status for jobs that are dead',
    );
    const waiting = { sql: "{status} = 'pending'" };
    await refused({ ...researchJobsMapping, states: { ...states, waiting } }, 'waiting');
  });
});

describe('a checkpoint', () => {
  it('is what the row holds, whatever its type', async () => {
    const { table, source, seen } = await stuckJob();
    const read = () => readCheckpoint(pool, source, seen.id);
    expect(await read()).toBeUndefined();
    await pool.query(`update ${table} set payload = '{"checkpoint": {"stage": "text_extracted", "page": 3}}'`);
    expect(await read()).toEqual({ stage: 'text_extracted', page: 3 });
    await pool.query(`update ${table} set payload = '{"checkpoint": "just text"}'`);
    expect(await read()).toBe('just text');
    await pool.query(`update ${table} set payload = jsonb_build_object('checkpoint', repeat('x', 2000000))`);
    expect(await read()).toBeUndefined();
    expect(await readCheckpoint(pool, source, 'no uuid')).toBeUndefined();
  });

  it('is unknown in a table that has none', async () => {
    const { source, seen } = await stuckJob({ payload: null });
    expect(await readCheckpoint(pool, source, seen.id)).toBeUndefined();
  });
});

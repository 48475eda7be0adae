import { createTestDatabase } from '@tocsin/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrateQueue } from './migrate-queue.ts';
import { queueDatabase } from './queue-database.fixture.ts';
import { testCallbacks } from './test-payloads.fixture.ts';

const { connectionString, pool } = await createTestDatabase({ empty: true });
const database = queueDatabase({ connectionString, pool });
beforeEach(() => migrateQueue({ connectionString }));
afterEach(async () => {
  await pool.query('drop schema if exists pgboss cascade');
});

const settings = async (): Promise<unknown> => {
  const { rows } = await pool.query(
    `select name, notify, retry_limit, retry_backoff, retry_delay_max, heartbeat_seconds, deletion_seconds, dead_letter
     from pgboss.queue order by name`,
  );
  return rows;
};
const start = (): Promise<void> => database.queue(testCallbacks([], [])).start();

describe('migrateQueue', () => {
  it('creates the queues when five run at once in an empty database', async () => {
    await pool.query('drop schema pgboss cascade');
    await Promise.all(Array.from({ length: 5 }, () => migrateQueue({ connectionString })));
    const worker = {
      retry_limit: 50_000,
      retry_backoff: true,
      retry_delay_max: 60,
      heartbeat_seconds: 10,
      deletion_seconds: 3_600,
    };
    const collector = {
      retry_limit: 0,
      retry_backoff: false,
      retry_delay_max: null,
      heartbeat_seconds: null,
      deletion_seconds: 3_600,
    };
    expect(await settings()).toEqual([
      { name: 'dead-letters', notify: false, ...collector, dead_letter: null },
      { name: 'deliveries', notify: true, ...worker, dead_letter: 'dead-letters' },
      { name: 'signals', notify: true, ...worker, dead_letter: 'dead-letters' },
      { name: 'timers', notify: true, ...worker, dead_letter: 'dead-letters' },
    ]);
  });

  it('brings changed settings back and keeps the jobs', async () => {
    const queue = database.queue(testCallbacks([], []));
    await queue.start();
    await database.transaction((tx) => queue.enqueue(tx, [{ queue: 'signals', data: { text: 'kept' } }]));
    const before = await settings();
    await pool.query('update pgboss.queue set retry_limit = 2, notify = false');
    await migrateQueue({ connectionString });
    expect(await settings()).toEqual(before);
    expect((await queue.depth()).signals.ready).toBe(1);
    await queue.stop();
  });

  it('finishes the index builds that a migration has left behind', async () => {
    await pool.query(
      `insert into pgboss.bam (name, version, status, table_name, command)
       values ('late index', 1, 'pending', 'job_common', 'create index if not exists late_index on pgboss.job_common (name)')`,
    );
    await pool.query('update pgboss.version set bam_on = null');
    await migrateQueue({ connectionString });
    const { rows } = await pool.query(`select to_regclass('pgboss.late_index') is not null as built`);
    expect(rows).toEqual([{ built: true }]);
  });
});

describe('a queue that is started', () => {
  it('says what to run when the tables are missing', async () => {
    await pool.query('drop schema pgboss cascade');
    await expect(start()).rejects.toMatchObject({
      code: 'QUEUE_NOT_UNDERSTOOD',
      message: expect.stringContaining('npx tocsin migrate'),
    });
  });

  it('says what to run when the tables are older', async () => {
    await pool.query('update pgboss.version set version = version - 1');
    await expect(start()).rejects.toMatchObject({
      code: 'QUEUE_NOT_UNDERSTOOD',
      message: expect.stringContaining('npx tocsin migrate'),
    });
  });

  it('asks for an upgrade of the program when the tables are newer, and so does a migration', async () => {
    await pool.query('update pgboss.version set version = version + 1');
    const newer = { code: 'QUEUE_NOT_UNDERSTOOD', message: expect.stringContaining('upgrade this one') };
    await expect(start()).rejects.toMatchObject(newer);
    await expect(migrateQueue({ connectionString })).rejects.toMatchObject(newer);
  });

  it('says what to run when a queue is missing', async () => {
    await pool.query(`delete from pgboss.queue where name = 'timers'`);
    await expect(start()).rejects.toThrow('lacks timers. Run: npx tocsin migrate');
  });
});

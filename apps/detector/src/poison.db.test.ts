import type { FailureSignal } from '@tocsin/alert-model';
import { createTestDatabase } from '@tocsin/testing';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createDetectorBench, sorted, watched } from './detector.fixture.ts';

const database = await createTestDatabase();
const { pool } = database;
const bench = await createDetectorBench(database);
beforeEach(async () => {
  await bench.clear();
  // Without the checks, and without the indexes that refuse large keys.
  await pool.query(`
    drop view if exists poisoned;
    drop function if exists explode(text);
    drop table if exists poison;
    create table poison (like public.research_jobs including defaults);
    create index on poison (updated_at, id) where status in ('failed', 'dead')`);
});

/** What was told of jobs; what is told of the table itself, such as clocks that are wrong, is another matter. */
const failures = async (): Promise<readonly FailureSignal[]> =>
  (await bench.failures()).filter(({ kind }) => kind === 'failed' || kind === 'dead');

/** One row that is hard to read, and where somebody finds out about it. */
interface Poison {
  readonly what: string;
  /** Run on `poison`, a table like research_jobs without its checks. */
  readonly change?: string;
  /** What is watched. Default: the table itself. */
  readonly watch?: string;
  /** Columns of the row and their values as SQL, besides those of every failure. */
  readonly row: Readonly<Record<string, string>>;
  /** What is told of it; null when nothing is. */
  readonly told: Readonly<Partial<Record<keyof FailureSignal, unknown>>> | null;
  readonly logged?: Readonly<Record<string, unknown>>;
}

const noteOf = (text: string): unknown => expect.arrayContaining([expect.stringContaining(text) as string]);
const megabytes = 10;
const large = `repeat('0123456789abcdef', ${(megabytes * 1_048_576) / 16})`;

const poisons: readonly Poison[] = [
  {
    what: 'a text that the server cannot hand out',
    change: `
      create function explode(value text) returns text language plpgsql immutable as $$
        begin
          if value = 'poison' then raise exception 'invalid byte sequence' using errcode = '22021'; end if;
          return value;
        end $$;
      create view poisoned as
        select id, source, job_type, target_id, status, attempts, max_attempts, payload, explode(error) as error,
          started_at, heartbeat_at, finished_at, created_at, updated_at, run_after, result
        from poison`,
    watch: 'public.poisoned',
    row: { error: "'poison'" },
    told: { source: '(unreadable)', error: null, notes: noteOf('could not be read') },
    logged: { decision: 'SignalsSent', unreadable: 1 },
  },
  {
    what: `an error and a payload of ${megabytes} MB each`,
    row: { error: `${large} || 'the end'`, payload: `jsonb_build_object('chain_started_at', ${large})` },
    // Beginning and end of the error are kept; the name of the run is shortened.
    told: { error: expect.stringMatching(/^0123.{0,20000}the end$/s) as string, run: expect.any(String) as string },
  },
  {
    what: 'a status that nobody knows',
    row: { status: "'exploded'" },
    told: null,
    logged: { decision: 'StatusUnknown', status: 'exploded', level: 'warn' },
  },
  {
    what: 'a payload that is no JSON',
    change: 'alter table poison alter payload drop default, alter payload drop not null, alter payload type text',
    row: { payload: `'{"chain_started_at": "\\ud800", '` },
    told: { error: 'boom', run: null },
  },
  {
    what: 'a payload that JSON allows and Postgres cannot read',
    change:
      'alter table poison alter payload drop default, alter payload drop not null, alter payload type json using payload::json',
    row: { payload: `'{"chain_started_at": "\\u0000", "other": "\\ud800"}'` },
    told: { error: 'boom' },
  },
  {
    what: 'counters that count nothing',
    row: { attempts: '-7', max_attempts: '2147483647' },
    told: { attempts: null, notes: noteOf('attempt counters say nothing usable') },
  },
  {
    what: 'an end that never comes',
    row: { finished_at: "'infinity'" },
    told: { notes: noteOf('no usable time') },
  },
  {
    what: 'a change before the beginning of time',
    row: { updated_at: "'-infinity'", finished_at: "'-infinity'" },
    told: { notes: noteOf('no usable time') },
  },
  {
    what: 'a change in the far future',
    row: { updated_at: "'294276-12-31'", finished_at: "'9998-01-01'" },
    told: { notes: noteOf('lies in the future') },
  },
  {
    what: 'no time of change at all',
    change: 'alter table poison alter updated_at drop not null',
    row: { updated_at: 'null' },
    told: { error: 'boom' },
  },
  {
    what: 'a result that counts nothing',
    row: { status: "'succeeded'", result: `'{"failed": "many", "total": [1]}'` },
    told: null,
  },
  {
    what: 'a result that counts more than there are numbers for',
    row: { status: "'succeeded'", result: `'{"failed": 1e300, "total": -1}'` },
    told: null,
  },
  {
    what: 'a running job that beats for ever',
    row: { status: "'running'", finished_at: 'null', started_at: "'-infinity'", heartbeat_at: "'infinity'" },
    told: null,
  },
  {
    what: 'a waiting job that is never due',
    row: {
      status: "'pending'",
      finished_at: 'null',
      attempts: '-1',
      run_after: "'infinity'",
      created_at: "'-infinity'",
    },
    told: null,
  },
  {
    what: 'names of a million characters, and none at all',
    change: 'alter table poison alter job_type drop not null',
    row: { source: "repeat('x', 1000000)", job_type: 'null', target_id: "E'\\x01\\x02'" },
    told: { source: expect.stringMatching(/^x+~[0-9a-f]{32}$/) as string },
  },
];

const insert = (row: Readonly<Record<string, string>>): Promise<unknown> => {
  const values = {
    source: "'apple'",
    job_type: "'refresh'",
    status: "'failed'",
    attempts: '3',
    error: "'boom'",
    finished_at: 'now()',
    ...row,
  };
  return pool.query(
    `insert into poison (${Object.keys(values).join(', ')}) values (${Object.values(values).join(', ')})`,
  );
};

describe('one row that is hard to read', () => {
  it.each(poisons)('delays nothing: $what', async ({ change, watch, row, told, logged }) => {
    if (change !== undefined) await pool.query(change);
    const detector = bench.detector({ tables: [watched(pool, { table: watch ?? 'public.poison', reconcileMs: 0 })] });
    const targets = async (): Promise<readonly (string | null)[]> =>
      sorted((await failures()).map(({ targetId }) => targetId).filter((id) => id?.startsWith('good') === true));
    await detector.pollOnce();

    await insert({ target_id: "'good before'" });
    await insert(row);
    await insert({ target_id: "'good beside'" });
    const [first] = (await detector.pollOnce()).tables;
    expect(first).toMatchObject({ problem: null, more: false });
    expect(await targets()).toEqual(['good before', 'good beside']);

    await insert({ target_id: "'good after'" });
    const [second] = (await detector.pollOnce()).tables;
    expect(second).toMatchObject({ problem: null, more: false });
    expect(await targets()).toEqual(['good after', 'good before', 'good beside']);

    await detector.pollOnce();
    await bench.detector({ tables: [watched(pool, { table: watch ?? 'public.poison' })] }).runOnce();
    const poison = (await failures()).filter(({ targetId }) => targetId?.startsWith('good') !== true);
    expect(poison).toMatchObject(told === null ? [] : [told]);
    expect(bench.log).toContainEqual(expect.objectContaining(logged ?? {}));
  });
});

describe('all of them at once', () => {
  it('a running detector keeps its pace, and its heartbeat says that the table is read', async () => {
    const together = poisons.filter(({ change }) => change === undefined);
    for (const { row } of together) await insert(row);
    const pausesMs: number[] = [];
    const detector = bench.detector({
      tables: [watched(pool, { table: 'public.poison', reconcileMs: 0 })],
      pause: async (ms, signal) => {
        pausesMs.push(ms);
        await new Promise<void>((resolve) => {
          if (signal.aborted) resolve();
          signal.addEventListener('abort', () => resolve(), { once: true });
          setImmediate(resolve);
        });
      },
    });
    detector.start();
    try {
      await vi.waitUntil(() => pausesMs.length >= 3, { timeout: 10_000 });
      await insert({ target_id: "'good'" });
      const before = pausesMs.length;
      const isTold = async (): Promise<boolean> => (await failures()).some(({ targetId }) => targetId === 'good');
      await vi.waitUntil(() => pausesMs.length >= before + 2, { timeout: 10_000 });
      expect(await isTold()).toBe(true);
    } finally {
      await detector.stop();
    }
    // One interval at most, and never the longer pause after a poll that failed.
    expect(Math.max(...pausesMs)).toBeLessThanOrEqual(bench.table.pollMs);
    expect(await failures()).toHaveLength(together.filter(({ told }) => told !== null).length + 1);
    const { rows } = await pool.query("select data -> 'tables' -> 0 -> 'problem' as problem from tocsin.heartbeats");
    expect(rows).toEqual([{ problem: null }]);
  });
});

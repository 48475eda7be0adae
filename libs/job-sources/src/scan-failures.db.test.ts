import { FailureSignal } from '@tocsin/alert-model';
import { createPool } from '@tocsin/runtime';
import { createTestDatabase } from '@tocsin/testing';
import { describe, expect, it } from 'vitest';
import type { JobSource } from './job-source.ts';
import { readIdentities } from './read-identities.ts';
import type { IdentityPosition } from './read-identities.ts';
import { readFailures, scanFailures } from './scan-failures.ts';
import type { FailurePage } from './scan-failures.ts';
import { createJobTable, sorted, sourceOf } from './watched-table.fixture.ts';

const { pool, connectionString } = await createTestDatabase();
const dayMs = 86_400_000;
const longAgo = '2000-01-01T00:00:00.000000Z';

const scan = async (source: JobSource, limit = 500): Promise<FailurePage> =>
  scanFailures(pool, source, { after: longAgo, limit, isKnown: () => false });

const scanAll = async (source: JobSource, limit: number): Promise<readonly FailureSignal[]> => {
  const all: FailureSignal[] = [];
  let after: Parameters<typeof scanFailures>[2]['after'] | null = longAgo;
  while (after !== null) {
    const page: FailurePage = await scanFailures(pool, source, { after, limit, isKnown: () => false });
    all.push(...page.failures);
    after = page.next;
  }
  return all;
};

const identities = async (source: JobSource, limit: number, lookBackMs = 14 * dayMs) => {
  const ids: string[] = [];
  let position: IdentityPosition | null = null;
  do {
    const page: Awaited<ReturnType<typeof readIdentities>> = await readIdentities(pool, source, position, {
      lookBackMs,
      limit,
    });
    ids.push(...page.outcomes.map(({ jobId }) => jobId));
    position = page.next;
  } while (position !== null);
  return ids;
};

/** A table with rows of these SQL values, one row per entry; the others have their defaults. */
const tableWith = async (
  rows: readonly Readonly<Record<string, string>>[],
  changes: Parameters<typeof createJobTable>[1] = {},
) => {
  const table = await createJobTable(pool, changes);
  for (const row of rows)
    await pool.query(
      Object.keys(row).length === 0
        ? `insert into ${table} default values`
        : `insert into ${table} (${Object.keys(row).join(', ')}) values (${Object.values(row).join(', ')})`,
    );
  return { table, source: await sourceOf(pool, table) };
};

describe('which rows are failures', () => {
  it('tells what failed for the last time or is dead, and nothing else', async () => {
    const { source } = await tableWith([
      { target_id: "'last'", attempts: '3' },
      { target_id: "'retried'", attempts: '1' },
      { target_id: "'beyond'", attempts: '4' },
      { target_id: "'dead'", status: "'dead'", attempts: '1', max_attempts: '5' },
      ...['pending', 'running', 'succeeded', 'canceled', 'exploded'].map((status) => ({
        target_id: `'${status}'`,
        status: `'${status}'`,
      })),
    ]);
    const { failures } = await scan(source);
    expect(sorted(failures.map(({ targetId, kind }) => `${targetId} ${kind}`))).toEqual([
      'beyond failed',
      'dead dead',
      'last failed',
    ]);
  });

  it('tells a failed row whose counters say nothing usable', async () => {
    const { source } = await tableWith([
      { target_id: "'a'", attempts: 'null' },
      { target_id: "'b'", attempts: '-2' },
      { target_id: "'c'", attempts: '0', max_attempts: 'null' },
      { target_id: "'d'", attempts: '0', max_attempts: '-1' },
    ]);
    const { failures } = await scan(source);
    expect(sorted(failures.map(({ targetId }) => targetId))).toEqual(['a', 'b', 'c', 'd']);
    for (const { notes } of failures) expect(notes.join()).toContain('counters');
  });
});

describe('pages', () => {
  it('go through equal times of change without losing or repeating a row', async () => {
    const { table, source } = await tableWith([]);
    await pool.query(
      `insert into ${table} (target_id, updated_at) select n::text, '2026-03-01 03:00+00' from generate_series(1, 25) as n`,
    );
    const all = await scanAll(source, 4);
    expect(all.map(({ targetId }) => Number(targetId)).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 25 }, (_, n) => n + 1),
    );
  });

  it('are empty with a horizon when there is nothing', async () => {
    const { source } = await tableWith([]);
    const page = await scan(source);
    expect(page).toMatchObject({ failures: [], rowsRead: 0, next: null, reached: null });
    expect(Date.parse(page.horizon.readAt)).not.toBeNaN();
  });

  it('leave out what is known without mapping it', async () => {
    const { source } = await tableWith([{ target_id: "'a'" }]);
    const first = await scan(source);
    const known = new Set(first.failures.map(({ outcomeId }) => outcomeId));
    const again = await scanFailures(pool, source, { after: longAgo, limit: 10, isKnown: (id) => known.has(id) });
    expect(again).toMatchObject({ failures: [], rowsRead: 1 });
  });
});

describe('columns of other types', () => {
  it.each([
    ['a bigint id', { id: 'bigint generated always as identity primary key' }],
    ['an id of text', { id: "text primary key default 'job ' || md5(random()::text)" }],
    ['no payload', { payload: null }],
    ['a payload of json', { payload: 'json' }],
    ['a payload of text', { payload: 'text' }],
    [
      'times without time zone',
      {
        updated_at: "timestamp default (now() at time zone 'UTC')",
        finished_at: "timestamp default (now() at time zone 'UTC')",
      },
    ],
    ['a status of varchar', { status: "varchar(20) default 'failed'" }],
    ['an error of jsonb', { error: 'jsonb default \'{"message": "boom"}\'' }],
    ['targets that are numbers', { target_id: 'bigint default 5' }],
  ])('%s are read in pages and by comparison alike', async (_caption, changes) => {
    const { table, source } = await tableWith([], changes);
    for (let n = 0; n < 5; n += 1) await pool.query(`insert into ${table} default values`);
    const all = await scanAll(source, 2);
    expect(new Set(all.map(({ jobId }) => jobId)).size).toBe(5);
    expect((await identities(source, 2)).toSorted()).toEqual(all.map(({ jobId }) => jobId).toSorted());
    for (const { failedAt, observedAt } of all)
      expect(Math.abs(Date.parse(failedAt) - Date.parse(observedAt))).toBeLessThan(60_000);
  });

  it('an enum that has no word for dead is read', async () => {
    await pool.query("create schema if not exists app; create type app.two_states as enum ('failed', 'succeeded')");
    const { source } = await tableWith([{}], { status: "app.two_states default 'failed'" });
    expect((await scan(source)).failures).toHaveLength(1);
  });

  it('the run is found in every kind of payload, and never outside of an object', async () => {
    const run = '2026-03-02T03:00:00Z';
    for (const payload of ['jsonb', 'json', 'text']) {
      const { source } = await tableWith(
        [
          { target_id: "'object'", payload: `'{"chain_started_at": "${run}", "x": [1]}'` },
          { target_id: "'array'", payload: "'[1, 2]'" },
          { target_id: "'string'", payload: '\'"chain_started_at"\'' },
          { target_id: "'number'", payload: "'17'" },
          { target_id: "'none'", payload: 'null' },
        ],
        { payload },
      );
      const { failures } = await scan(source);
      expect(Object.fromEntries(failures.map(({ targetId, run: found }) => [targetId, found]))).toEqual({
        object: run,
        array: null,
        string: null,
        number: null,
        none: null,
      });
    }
  });
});

describe('rows of any quality', () => {
  it('shortens 20 MB of payload, a 10 MB error and long names in the database', async () => {
    const { table, source } = await tableWith([]);
    await pool.query(
      `insert into ${table} (source, job_type, target_id, payload, error) values (
        repeat('s', 5000), repeat('j', 400), repeat('t', 100000),
        jsonb_build_object('chain_started_at', repeat('r', 20000000)), repeat('password=geheim12 ', 600000))`,
    );
    const { rows } = await pool.query(source.statements.failuresFrom, [longAgo, 10]);
    expect(JSON.stringify(rows).length).toBeLessThan(8_000);
    const [failure] = (await scan(source)).failures;
    expect(FailureSignal.safeParse(failure).success).toBe(true);
    expect(failure?.error).not.toContain('geheim');
    expect(failure?.targetId).toHaveLength(300);
  });

  it('tells a payload that json accepts and no operator can read', async () => {
    const { source } = await tableWith(
      [
        { target_id: "'a'", payload: `'{"a": "\\ud800", "b": "\\u0000", "chain_started_at": "monday"}'` },
        { target_id: "'b'", payload: `'{"chain_started_at": "tuesday"}'` },
      ],
      { payload: 'json' },
    );
    expect(sorted((await scan(source)).failures.map(({ run }) => run))).toEqual(['monday', 'tuesday']);
  });

  it('copes with every odd time', async () => {
    const { source } = await tableWith([
      { target_id: "'no end'", finished_at: 'null' },
      { target_id: "'future'", finished_at: "now() + interval '1 hour'" },
      { target_id: "'infinity'", finished_at: "'infinity'", updated_at: "'infinity'" },
      { target_id: "'-infinity'", finished_at: "'-infinity'" },
      { target_id: "'BC'", finished_at: "'0044-03-15 BC'" },
      { target_id: "'ahead'", updated_at: "now() + interval '1 hour'" },
    ]);
    const all = await scanAll(source, 2);
    expect(sorted(all.map(({ targetId }) => targetId))).toEqual([
      '-infinity',
      'BC',
      'ahead',
      'future',
      'infinity',
      'no end',
    ]);
    for (const { failedAt, observedAt } of all) expect(failedAt <= observedAt).toBe(true);
    const withoutNote = all.filter(({ notes }) => notes.length === 0);
    expect(withoutNote.map(({ targetId }) => targetId)).toEqual(['ahead']);
  });

  it('tells a row with invalid bytes by its id and state, and the rows beside it in full', async () => {
    await pool.query("create database jobs_win1252 encoding 'WIN1252' locale 'C' template template0");
    const url = new URL(connectionString);
    url.pathname = '/jobs_win1252';
    const odd = createPool({ connectionString: url.href, max: 1, applicationName: 'test', onError: () => {} });
    try {
      const table = await createJobTable(odd);
      // Byte 81 means nothing in Windows-1252, so the server cannot send it as UTF-8 (SQLSTATE 22P05).
      await odd.query(
        `insert into ${table} (target_id, error) values ('good', 'boom'), ('bad', E'boom \\x81'), ('fine', 'bang')`,
      );
      const source = await sourceOf(odd, table);
      const page = await scanFailures(odd, source, { after: longAgo, limit: 10, isKnown: () => false });
      expect(page.unreadable).toBe(1);
      expect(sorted(page.failures.map(({ error }) => error))).toEqual([null, 'bang', 'boom']);
      const bad = page.failures.find(({ error }) => error === null);
      expect(bad).toMatchObject({ kind: 'failed', attempts: 3, source: '(unreadable)' });
      expect(bad?.notes[0]).toContain('could not be read');
      const byId = await readFailures(
        odd,
        source,
        page.failures.map(({ jobId }) => jobId),
      );
      expect(sorted(byId.map(({ outcomeId }) => outcomeId))).toEqual(
        page.failures.map(({ outcomeId }) => outcomeId).toSorted(),
      );
    } finally {
      await odd.end();
      await pool.query('drop database jobs_win1252');
    }
  });
});

describe('identity', () => {
  const idsOf = async (source: JobSource) => (await scan(source)).failures.map(({ outcomeId }) => outcomeId);

  it('stays when the row is touched', async () => {
    const { table, source } = await tableWith([{}]);
    const before = await idsOf(source);
    await pool.query(`update ${table} set updated_at = now() + interval '1 minute', error = 'other'`);
    expect(await idsOf(source)).toEqual(before);
  });

  it('is another one when the job was set back and failed again', async () => {
    const { table, source } = await tableWith([{}]);
    const [before] = await idsOf(source);
    await pool.query(`update ${table} set finished_at = finished_at + interval '1 microsecond'`);
    const [after] = await idsOf(source);
    expect(after).not.toBe(before);
  });

  it('is the same by scan, by id and by comparison, whatever the time zone of the session', async () => {
    const { source } = await tableWith([{}, { finished_at: 'null', started_at: 'now()' }]);
    const scanned = (await idsOf(source)).toSorted();
    const url = new URL(connectionString);
    url.searchParams.set('options', '-c TimeZone=Asia/Kolkata -c DateStyle=German');
    const zoned = createPool({ connectionString: url.href, max: 1, applicationName: 'test', onError: () => {} });
    try {
      const page = await readIdentities(zoned, source, null, { lookBackMs: dayMs });
      expect(sorted(page.outcomes.map(({ id }) => id))).toEqual(scanned);
      const byId = await readFailures(
        zoned,
        source,
        page.outcomes.map(({ jobId }) => jobId),
      );
      expect(sorted(byId.map(({ outcomeId }) => outcomeId))).toEqual(scanned);
      const paged = await scanFailures(zoned, source, { after: longAgo, limit: 1, isKnown: () => false });
      const next = await scanFailures(zoned, source, { after: paged.next ?? longAgo, limit: 1, isKnown: () => false });
      expect([...paged.failures, ...next.failures].map(({ outcomeId }) => outcomeId).toSorted()).toEqual(scanned);
    } finally {
      await zoned.end();
    }
  });
});

describe('comparison', () => {
  it('finds rows without a time of change, and leaves out what is older than the look-back', async () => {
    const old = "now() - interval '30 days'";
    const { table, source } = await tableWith([
      { target_id: "'undated'", updated_at: 'null' },
      { target_id: "'timeless'", updated_at: 'null', finished_at: 'null', created_at: 'null' },
      { target_id: "'fresh'" },
      { target_id: "'never updated'", updated_at: old, created_at: old },
      { target_id: "'old'", updated_at: old, created_at: old, finished_at: old },
      { target_id: "'retried'", attempts: '1' },
    ]);
    const found = await identities(source, 2);
    const { rows } = await pool.query<{ target_id: string }>(
      `select target_id from ${table} where id = any($1::uuid[])`,
      [found],
    );
    expect(rows.map((row) => row.target_id).toSorted()).toEqual(['fresh', 'never updated', 'timeless', 'undated']);
    expect(found).toHaveLength(4);
  });
});

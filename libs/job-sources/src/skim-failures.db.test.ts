import { createTestDatabase } from '@tocsin/testing';
import { expect, it } from 'vitest';
import { scanFailures } from './scan-failures.ts';
import { skimFailures } from './skim-failures.ts';
import { createJobTable, sourceOf } from './watched-table.fixture.ts';

const { pool } = await createTestDatabase();
const longAgo = '2000-01-01T00:00:00.000000Z';

/** A table with this many failures, a minute apart, and what the scan read of it. */
const readTable = async (rows: number) => {
  const table = await createJobTable(pool);
  await pool.query(
    `insert into ${table} (target_id, updated_at) select n::text, '2026-03-01 03:00+00'::timestamptz + n * interval '1 minute'
     from generate_series(1, $1::int) as n`,
    [rows],
  );
  const source = await sourceOf(pool, table);
  const { failures, rowKeys } = await scanFailures(pool, source, { after: longAgo, limit: 500, isKnown: () => false });
  return { table, source, failures, known: new Set(rowKeys) };
};

it('goes past what was read before, page by page, until there is no more', async () => {
  const { source, known } = await readTable(5);
  const wasRead = (key: string): boolean => known.has(key);
  const first = await skimFailures(pool, source, { after: longAgo, limit: 3, wasRead });
  expect(first).toMatchObject({ rowsPassed: 3, followedBy: 'known' });
  const second = await skimFailures(pool, source, { after: first.last!, limit: 3, wasRead });
  expect(second).toMatchObject({ rowsPassed: 2, followedBy: 'dry' });
  expect(Date.parse(second.horizon.readAt)).not.toBeNaN();
});

it('stops before the first row that was not read, and the scan reads that next', async () => {
  const { table, source, known } = await readTable(5);
  await pool.query(`insert into ${table} (target_id, updated_at) values ('late', '2026-03-01 03:02:30+00')`);
  const skimmed = await skimFailures(pool, source, { after: longAgo, wasRead: (key) => known.has(key) });
  expect(skimmed).toMatchObject({ rowsPassed: 2, followedBy: 'unread' });
  const { failures } = await scanFailures(pool, source, { after: skimmed.last!, limit: 1, isKnown: () => false });
  expect(failures).toMatchObject([{ targetId: 'late' }]);
});

it('takes a row for another one when any part of its outcome is another, and for the same when the rest is', async () => {
  const { table, source, known } = await readTable(1);
  const passed = async (change: string) => {
    await pool.query(`update ${table} set ${change}`);
    return (await skimFailures(pool, source, { after: longAgo, wasRead: (key) => known.has(key) })).rowsPassed;
  };
  expect(await passed("error = 'other', updated_at = updated_at + interval '1 hour'")).toBe(1);
  expect(await passed("status = 'dead'")).toBe(0);
  expect(await passed("status = 'failed'")).toBe(1);
  expect(await passed('attempts = attempts + 1')).toBe(0);
  expect(await passed("attempts = attempts - 1, finished_at = '2026-03-02'")).toBe(0);
});

it('says where nothing is known and where nothing is', async () => {
  const { table, source } = await readTable(2);
  expect(await skimFailures(pool, source, { after: longAgo, wasRead: () => false })).toMatchObject({
    rowsPassed: 0,
    last: null,
    followedBy: 'unread',
  });
  await pool.query(`delete from ${table}`);
  expect(await skimFailures(pool, source, { after: longAgo, wasRead: () => true })).toMatchObject({
    rowsPassed: 0,
    last: null,
    followedBy: 'dry',
  });
});

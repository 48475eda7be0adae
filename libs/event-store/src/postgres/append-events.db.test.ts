import { alertModelVersion, alertStream, evolveAlert } from '@tocsin/alert-model';
import { createTestDatabase } from '@tocsin/testing';
import { expect, it } from 'vitest';
import { rowsPerStatementMax } from '../chunks.ts';
import { acknowledged, alertOf, opened } from '../contract/builders.ts';
import { OpenKeyConflict, VersionConflict } from '../store.ts';
import { createPostgresStore } from './postgres-store.ts';

const { pool } = await createTestDatabase();
const store = createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: alertModelVersion });

it('lets one of two transactions that extend a stream at once win', async () => {
  const first = opened();
  const streamId = alertStream(first.data.alertId);
  await store.transaction('open', (session) =>
    session.appendEvents([{ streamId, expectedVersion: 0, events: [first] }]),
  );
  const results = await Promise.allSettled(
    Array.from({ length: 4 }, () =>
      store.transaction('extend', (session) =>
        session.appendEvents([{ streamId, expectedVersion: 1, events: [acknowledged()] }]),
      ),
    ),
  );
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  expect(failures).toHaveLength(3);
  for (const failure of failures) expect(failure).toBeInstanceOf(VersionConflict);
  expect(await store.read((session) => session.loadStream(streamId))).toHaveLength(2);
});

it('lets one of two transactions that open an alert of the same key at once win', async () => {
  const key = 'job/apple/refresh_catalog';
  const results = await Promise.allSettled(
    Array.from({ length: 4 }, () =>
      store.transaction('open', (session) => session.saveAlerts([alertOf(opened({ key }))])),
    ),
  );
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  expect(failures).toHaveLength(3);
  for (const failure of failures) expect(failure).toBeInstanceOf(OpenKeyConflict);
});

it('appends more than one statement takes, in order, also within one stream', async () => {
  const first = opened();
  const streamId = alertStream(first.data.alertId);
  const events = [first, ...Array.from({ length: rowsPerStatementMax + 1 }, () => acknowledged())];
  await store.transaction('append', (session) => session.appendEvents([{ streamId, expectedVersion: 0, events }]));
  const { rows } = await pool.query<{ readonly count: number; readonly ordered: boolean }>(
    `select count(*)::integer as count, bool_and(ordered) as ordered
     from (select version = row_number() over (order by position) as ordered from tocsin.events where stream_id = $1) as numbered`,
    [streamId],
  );
  expect(rows).toEqual([{ count: rowsPerStatementMax + 2, ordered: true }]);
});

it('enqueues through the same transaction, so that nothing of it stays when the append fails', async () => {
  const first = opened();
  const streamId = alertStream(first.data.alertId);
  await store.transaction('open', (session) =>
    session.appendEvents([{ streamId, expectedVersion: 0, events: [first] }]),
  );
  const failed = store.transaction('fails', async (session) => {
    await session.tx.query(`insert into tocsin.cursors (name, changed_at) values ('enqueued', now())`);
    await session.appendEvents([{ streamId, expectedVersion: 0, events: [first] }]);
  });
  await expect(failed).rejects.toBeInstanceOf(VersionConflict);
  expect(await store.read((session) => session.loadCursor('enqueued'))).toBeNull();
});

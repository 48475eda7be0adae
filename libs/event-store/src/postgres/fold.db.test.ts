import { alertModelVersion, alertStream, evolveAlert } from '@tocsin/alert-model';
import type { AlertEvent, AlertState } from '@tocsin/alert-model';
import { createTestDatabase } from '@tocsin/testing';
import { expect, it } from 'vitest';
import {
  acknowledged,
  alertOf,
  batched,
  digestOf,
  digestOpened,
  longAfter,
  newDigestId,
  opened,
  resolved,
  writeAlert,
  writeDigest,
} from '../contract/builders.ts';
import { createPostgresStore } from './postgres-store.ts';

const { pool } = await createTestDatabase();
const today = createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: alertModelVersion });
const retitled = (state: AlertState | null, event: AlertEvent): AlertState => ({
  ...evolveAlert(state, event),
  title: 'another model',
});
const tomorrow = createPostgresStore({ pool, foldAlert: retitled, modelVersion: alertModelVersion + 1 });

it('folds an alert of another model version from its events instead of trusting what is stored', async () => {
  const first = opened();
  const events = [first, batched(newDigestId()), acknowledged()] as const;
  const state = await today.transaction('write', (session) => writeAlert(session, ...events));
  await pool.query(`update tocsin.alerts set data = data || '{"title": "forged"}' where id = $1`, [state.id]);

  expect((await today.read((session) => session.loadAlerts([state.id])))[0]?.title).toBe('forged');
  const expected = { ...alertOf(...events), title: 'another model' };
  expect(await tomorrow.read((session) => session.loadAlerts([state.id]))).toEqual([expected]);
  expect(await tomorrow.read((session) => session.loadOpenAlertsByKey([state.key]))).toEqual([expected]);

  await tomorrow.transaction('save', (session) => session.saveAlerts([expected]));
  expect(await tomorrow.read((session) => session.loadAlerts([state.id]))).toEqual([expected]);
});

it('folds an alert of the model before conditions anew, wherever it is loaded, and saves it as of today', async () => {
  const first = opened();
  const events = [first, batched(newDigestId())] as const;
  const state = await today.transaction('write', (session) => writeAlert(session, ...events));
  // What 0.1 stored: no suspicions, no repairs, and batches without developments.
  await pool.query(
    `update tocsin.alerts
     set
       model_version = 1,
       data = (data - 'suspicions' - 'lastRetraction' - 'repairs') #- array['batches', $2, 'batch', 'developments']
     where id = $1`,
    [state.id, events[1].data.digestId],
  );
  const { rows } = await pool.query<{ readonly data: AlertState }>('select data from tocsin.alerts where id = $1', [
    state.id,
  ]);
  expect(rows[0]?.data).not.toEqual(alertOf(...events));
  expect(await today.read((session) => session.loadAlerts([state.id]))).toEqual([alertOf(...events)]);
  expect(await today.read((session) => session.loadOpenAlertsByKey([state.key]))).toEqual([alertOf(...events)]);
  const watched = await today.read((session) => session.watchedAlerts(null, 1_000));
  expect(watched.find(({ id }) => id === state.id)?.owed).toEqual(alertOf(...events).owed);
  await today.transaction('save', async (session) => session.saveAlerts(await session.loadAlerts([state.id])));
  const saved = await pool.query('select model_version, data from tocsin.alerts where id = $1', [state.id]);
  expect(saved.rows).toEqual([{ model_version: alertModelVersion, data: alertOf(...events) }]);
});

it('folds only the rows that need it, and keeps the order asked for', async () => {
  const old = await today.transaction('write', (session) => writeAlert(session, opened()));
  const recent = await tomorrow.transaction('write', (session) => writeAlert(session, opened()));
  const loaded = await tomorrow.read((session) => session.loadAlerts([recent.id, old.id]));
  expect(loaded.map(({ id, title }) => [id, title])).toEqual([
    [recent.id, recent.title],
    [old.id, 'another model'],
  ]);
});

it('folds a digest of another model version from its events', async () => {
  const event = digestOpened();
  const digest = await today.transaction('write', (session) => writeDigest(session, event));
  await pool.query(`update tocsin.digests set data = data || '{"route": "forged"}' where id = $1`, [digest.id]);
  expect(await tomorrow.read((session) => session.loadDigest(digest.id))).toEqual(digestOf(event));
});

it('refuses a row of another model version that has no events', async () => {
  const state = alertOf(opened());
  await today.transaction('save', (session) => session.saveAlerts([state]));
  await expect(tomorrow.read((session) => session.loadAlerts([state.id]))).rejects.toThrow('no events to fold it from');
});

it('refuses an event of a version it does not know', async () => {
  const first = opened();
  await today.transaction('write', (session) => writeAlert(session, first));
  await pool.query(
    `insert into tocsin.events (stream_id, version, event_id, type, schema_version, data, occurred_at)
     values ($1, 2, gen_random_uuid(), 'AlertAcknowledged', 99, '{}', now())`,
    [alertStream(first.data.alertId)],
  );
  await expect(today.read((session) => session.loadStream(alertStream(first.data.alertId)))).rejects.toThrow(
    'Upgrade Tocsin',
  );
});

it('names open alerts of an older model, and those no more that are saved anew', async () => {
  const [open, over, next] = await today.transaction('write', async (session) => [
    await writeAlert(session, opened()),
    await writeAlert(session, opened(), resolved(longAfter)),
    await writeAlert(session, opened()),
  ]);
  await pool.query('update tocsin.alerts set model_version = 1, next_action = null where id = any($1::uuid[])', [
    [open.id, over.id],
  ]);
  const older = async () => {
    const ids = await today.read((session) => session.alertsOfOlderModel(1_000));
    return [open.id, over.id, next.id].filter((id) => ids.includes(id));
  };
  expect(await older()).toEqual([open.id]);
  await today.transaction('refold', async (session) => session.saveAlerts(await session.loadAlerts([open.id])));
  expect(await older()).toEqual([]);
  const { rows } = await pool.query('select next_action from tocsin.alerts where id = $1', [open.id]);
  expect(rows).toEqual([{ next_action: open.next.action }]);
});

import { alertStream, digestStream } from '@tocsin/alert-model';
import { describe, expect, it } from 'vitest';
import { OpenKeyConflict, VersionConflict } from '../store.ts';
import {
  acknowledged,
  alertOf,
  batched,
  digestOpened,
  longAgo,
  newAlertId,
  newDigestId,
  opened,
  resolved,
  writeAlert,
  writeDigest,
} from './builders.ts';
import type { ContractStore } from './store-contract.ts';

export const logContract = (store: ContractStore): void => {
  describe('the log', () => {
    it('keeps the events of a stream in the order they were appended, with their times to the microsecond', async () => {
      const first = opened();
      const streamId = alertStream(first.data.alertId);
      const second = batched(newDigestId(), '2026-01-05T03:00:01.000009Z');
      await store.transaction('append', (session) =>
        session.appendEvents([{ streamId, expectedVersion: 0, events: [first, second] }]),
      );
      await store.transaction('append', (session) =>
        session.appendEvents([{ streamId, expectedVersion: 2, events: [acknowledged()] }]),
      );

      const events = await store.read((session) => session.loadStream(streamId));
      expect(events.map(({ version, event }) => [version, event])).toEqual([
        [1, first],
        [2, second],
        [3, acknowledged()],
      ]);
      expect(events.map(({ position }) => position)).toEqual(
        events.map(({ position }) => position).toSorted((a, b) => a - b),
      );
      expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(3);
      expect(events[0]?.recordedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    });

    it('numbers the events of several streams in the order of the call', async () => {
      const [one, two] = [opened(), opened()];
      const [oneStream, twoStream] = [alertStream(one.data.alertId), alertStream(two.data.alertId)];
      await store.transaction('append', (session) =>
        session.appendEvents([
          { streamId: oneStream, expectedVersion: 0, events: [one] },
          { streamId: twoStream, expectedVersion: 0, events: [two] },
          { streamId: oneStream, expectedVersion: 1, events: [acknowledged()] },
        ]),
      );
      const events = await store.read(async (session) => [
        ...(await session.loadStream(oneStream)),
        ...(await session.loadStream(twoStream)),
      ]);
      const inOrder = events
        .toSorted((a, b) => a.position - b.position)
        .map(({ streamId, version }) => [streamId, version]);
      expect(inOrder).toEqual([
        [oneStream, 1],
        [twoStream, 1],
        [oneStream, 2],
      ]);
    });

    it.each([
      { caption: 'a stream that exists already', expectedVersion: 0 },
      { caption: 'a stream that has moved on', expectedVersion: 1 },
      { caption: 'a stream that is shorter than believed', expectedVersion: 3 },
    ])('refuses to append to $caption', async ({ expectedVersion }) => {
      const first = opened();
      const streamId = alertStream(first.data.alertId);
      await store.transaction('append', (session) =>
        session.appendEvents([{ streamId, expectedVersion: 0, events: [first, acknowledged()] }]),
      );

      const late = store.transaction('append', (session) =>
        session.appendEvents([{ streamId, expectedVersion, events: [acknowledged()] }]),
      );
      await expect(late).rejects.toBeInstanceOf(VersionConflict);
      expect(await store.read((session) => session.loadStream(streamId))).toHaveLength(2);
    });

    it('refuses two parts of a stream that do not follow each other', async () => {
      const streamId = alertStream(newAlertId());
      const torn = store.transaction('append', (session) =>
        session.appendEvents([
          { streamId, expectedVersion: 0, events: [opened()] },
          { streamId, expectedVersion: 2, events: [acknowledged()] },
        ]),
      );
      await expect(torn).rejects.toBeInstanceOf(VersionConflict);
    });

    it('refuses an event whose time it could not give back letter for letter', async () => {
      const event = opened({}, '2026-01-05T03:00:00.5Z');
      const append = store.transaction('append', (session) =>
        session.appendEvents([{ streamId: alertStream(event.data.alertId), expectedVersion: 0, events: [event] }]),
      );
      await expect(append).rejects.toThrow('microseconds');
    });

    it('stores texts that Postgres has no room for, without what it has no room for', async () => {
      const first = opened({ error: 'be\u0000fore \ud800 after \\u0000 \ud83d\ude80' });
      const streamId = alertStream(first.data.alertId);
      await store.transaction('append', (session) =>
        session.appendEvents([{ streamId, expectedVersion: 0, events: [first] }]),
      );
      const [stored] = await store.read((session) => session.loadStream(streamId));
      expect(stored?.event.data).toMatchObject({ error: 'before \ufffd after \\u0000 \ud83d\ude80' });
    });

    it('gives single events in the order asked for and leaves out those that do not exist', async () => {
      const first = opened();
      const streamId = alertStream(first.data.alertId);
      await store.transaction('append', (session) =>
        session.appendEvents([{ streamId, expectedVersion: 0, events: [first, acknowledged()] }]),
      );
      const refs = [
        { streamId, version: 2 },
        { streamId, version: 7 },
        { streamId: 'alert-none', version: 1 },
        { streamId, version: 1 },
      ];
      const events = await store.read((session) => session.loadEventsAt(refs));
      expect(events.map(({ version }) => version)).toEqual([2, 1]);
    });

    it('names the alerts of a digest once each, in id order', async () => {
      const digestId = newDigestId();
      const states = await store.transaction('write', async (session) => [
        await writeAlert(session, opened(), batched(digestId)),
        await writeAlert(session, opened(), batched(digestId), opened({ opening: null }), batched(digestId)),
        await writeAlert(session, opened(), batched(newDigestId())),
      ]);
      const alerts = await store.read((session) => session.alertsOfDigest(digestId));
      expect(alerts).toEqual(
        states
          .slice(0, 2)
          .map(({ id }) => id)
          .toSorted(),
      );
    });

    it('leaves nothing behind of a transaction that throws', async () => {
      const first = opened();
      const digest = digestOpened();
      const failed = store.transaction('fails', async (session) => {
        await writeAlert(session, first);
        await writeDigest(session, digest);
        await session.saveCursor(first.data.alertId, longAgo, {});
        throw new Error('enough');
      });
      await expect(failed).rejects.toThrow('enough');
      await store.read(async (session) => {
        expect(await session.loadStream(alertStream(first.data.alertId))).toEqual([]);
        expect(await session.loadStream(digestStream(digest.data.digestId))).toEqual([]);
        expect(await session.loadAlerts([first.data.alertId])).toEqual([]);
        expect(await session.loadOpenAlertsByKey([first.data.key])).toEqual([]);
        expect(await session.loadDigest(digest.data.digestId)).toBeNull();
        expect(await session.loadCursor(first.data.alertId)).toBeNull();
      });
    });

    it('does not commit what was done around an error that was swallowed', async () => {
      const key = `key-${newAlertId()}`;
      const second = opened({ key });
      await store.transaction('write', (session) => writeAlert(session, opened({ key })));
      const swallowed = store.transaction('write', async (session) => {
        await session.appendEvents([
          { streamId: alertStream(second.data.alertId), expectedVersion: 0, events: [second] },
        ]);
        await expect(session.saveAlerts([alertOf(second)])).rejects.toBeInstanceOf(OpenKeyConflict);
      });
      await expect(swallowed).rejects.toThrow();
      expect(await store.read((session) => session.loadStream(alertStream(second.data.alertId)))).toEqual([]);
    });

    it('refuses to write in a transaction that only reads', async () => {
      const first = opened();
      const written = store.read((session) => writeAlert(session, first, resolved(longAgo)));
      await expect(written).rejects.toThrow();
      expect(await store.read((session) => session.loadAlerts([first.data.alertId]))).toEqual([]);
    });

    it('gives the time in microseconds, never going back', async () => {
      const [one, two] = await store.read(async (session) => [await session.now(), await session.now()]);
      expect(one).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      expect(two >= one).toBe(true);
    });
  });
};

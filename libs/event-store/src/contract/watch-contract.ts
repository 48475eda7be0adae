import { randomUUID } from 'node:crypto';
import type { AlertId, AlertState, DigestEvent, DigestState, EventNamed, NextAction } from '@tocsin/alert-model';
import { describe, expect, it } from 'vitest';
import {
  acknowledged,
  alertOf,
  batched,
  digestOpened,
  digestSealed,
  longAfter,
  longAgo,
  newAlertId,
  newDelivery,
  newDeliveryId,
  newDigestId,
  newOutcomeId,
  opened,
  resolved,
  writeAlert,
  writeDigest,
} from './builders.ts';
import { newSilence } from './silences-contract.ts';
import type { ContractStore } from './store-contract.ts';

const everything = 100_000;
const minuteMs = 60_000;
/** Before what any other test of a shared store says was due. */
const beforeAll = '2020-01-01T00:00:00.000000Z';

export const watchContract = (store: ContractStore): void => {
  const now = () => store.read((session) => session.now());
  /** An alert whose next action is that, whatever its events say. */
  const writeDue = (action: NextAction['action'], at: string, changes: Partial<AlertState> = {}) =>
    store.transaction('write', async (session) => {
      const state: AlertState = { ...alertOf(opened()), next: { action, at }, ...changes };
      await session.saveAlerts([state]);
      return state.id;
    });
  const overdue = async (graceMs = 0) =>
    new Map(
      (await store.read((session) => session.overdueAlerts(graceMs, everything))).map((alert) => [alert.id, alert]),
    );
  const audit = () => store.read((session) => session.audit({ actionGraceMs: minuteMs, attemptGraceMs: minuteMs }));

  describe('open alerts', () => {
    it('pages through them in id order', async () => {
      const written = await store.transaction('write', async (session) => {
        await writeAlert(session, opened(), resolved(longAfter));
        return [await writeAlert(session, opened()), await writeAlert(session, opened())];
      });
      const all = await store.read((session) => session.openAlerts(null, everything));
      const ids = all.map(({ id }) => id);
      expect(ids).toEqual([...new Set(ids)].toSorted());
      expect(ids).toHaveLength(await store.read((session) => session.countOpenAlerts()));
      expect(all).toEqual(expect.arrayContaining(written));
      expect(await store.read((session) => session.openAlerts(ids[0] ?? null, 1))).toEqual(all.slice(1, 2));
    });

    it('counts those of a list, each once', async () => {
      const [open, over] = await store.transaction('write', async (session) => [
        await writeAlert(session, opened()),
        await writeAlert(session, opened(), resolved(longAfter)),
      ]);
      const count = (ids: readonly AlertId[]) => store.read((session) => session.countOpenOf(ids));
      expect(await count([open.id, over.id, newAlertId(), open.id])).toBe(1);
      expect(await count([])).toBe(0);
    });

    it('counts those that an accepted message of a conversation told of, each once', async () => {
      const threadId = newDigestId();
      await store.transaction('write', async (session) => {
        const [first, second, over, untold] = [
          await writeAlert(session, opened()),
          await writeAlert(session, opened()),
          await writeAlert(session, opened(), resolved(longAfter)),
          await writeAlert(session, opened()),
        ];
        const digest = await writeDigest(session, digestOpened());
        const [one, two, waiting] = [
          newDelivery(digest.id, { threadId, alertIds: [first.id, over.id] }),
          newDelivery(digest.id, { threadId, alertIds: [first.id, second.id] }),
          newDelivery(digest.id, { threadId, alertIds: [untold.id] }),
        ];
        await session.insertDeliveries([one, two, waiting]);
        for (const { id } of [one, two])
          await session.updateDelivery(id, { state: 'accepted', providerMessageId: null });
      });
      expect(await store.read((session) => session.countOpenInThread(threadId))).toBe(2);
      expect(await store.read((session) => session.countOpenInThread(newDigestId()))).toBe(0);
    });

    it('has none of an older model that the running model wrote', async () => {
      const { id } = await store.transaction('write', (session) => writeAlert(session, opened()));
      expect(await store.read((session) => session.alertsOfOlderModel(everything))).not.toContain(id);
    });
  });

  describe('new keys', () => {
    it('counts the alerts opened since, by source, the newest up to a limit', async () => {
      const [one, two] = [randomUUID(), randomUUID()];
      // After everything that other tests opened.
      const [before, first, last] = [0, 1, 2].map((second) => `2998-01-01T00:00:0${second}.500000Z`) as [
        string,
        string,
        string,
      ];
      await store.transaction('write', async (session) => {
        for (const [source, at] of [
          [one, before],
          [one, first],
          [one, last],
          [two, first],
        ] as const)
          await writeAlert(session, opened({ source }, at));
        await writeAlert(session, opened({ source: two }, last), resolved(longAfter));
      });
      const count = async (since: string, limit: number) =>
        [...(await store.read((session) => session.keysOpenedSince(since, limit)))].toSorted(([a], [b]) =>
          a < b ? -1 : 1,
        );
      const bySource = (counts: readonly (readonly [string, number])[]) =>
        counts.toSorted(([a], [b]) => (a < b ? -1 : 1));
      expect(await count(first, everything)).toEqual(
        bySource([
          [one, 2],
          [two, 2],
        ]),
      );
      expect(await count(before, 2)).toEqual(
        bySource([
          [one, 1],
          [two, 1],
        ]),
      );
      expect(await count(longAfter, everything)).toEqual([]);
      expect(await store.read((session) => session.lastOpenedAt())).toBe('2998-01-01T00:00:02.500000Z');
    });
  });

  describe('storm digests', () => {
    it('gives the newest of each route sealed since, and neither open nor empty ones', async () => {
      const [route, quiet] = [`a-${randomUUID()}`, `b-${randomUUID()}`];
      const sealedAt = (at: string, deliveries = 1): EventNamed<'DigestSealed'> => {
        const sealed = digestSealed(newDeliveryId(), newDigestId());
        return {
          ...sealed,
          occurredAt: at,
          data: { ...sealed.data, deliveries: sealed.data.deliveries.slice(0, deliveries) },
        };
      };
      const write = (data: Partial<EventNamed<'DigestOpened'>['data']>, ...events: readonly DigestEvent[]) =>
        store.transaction('write', (session) =>
          writeDigest(session, digestOpened({ route, purpose: 'storm', ...data }), ...events),
        );
      await write({}, sealedAt('2997-01-01T00:00:01.000000Z'));
      const newest = await write({}, sealedAt('2997-01-01T00:00:03.000000Z'));
      await write({}, sealedAt('2997-01-01T00:00:02.000000Z'));
      await write({}, sealedAt('2997-01-01T00:00:04.000000Z', 0));
      await write({ purpose: 'window' }, sealedAt('2997-01-01T00:00:05.000000Z'));
      await write({});
      const other = await write({ route: quiet }, sealedAt('2997-01-01T00:00:02.000000Z'));
      const since = (at: string): Promise<readonly DigestState[]> =>
        store.read((session) => session.stormDigestsSince(at));
      expect(await since('2997-01-01T00:00:00Z')).toEqual([newest, other]);
      expect(await since('2997-01-01T00:00:03Z')).toEqual([newest]);
      expect(await since('2997-01-01T00:00:04Z')).toEqual([]);
    });
  });

  describe('next actions', () => {
    it('names alerts whose action is overdue, the longest first', async () => {
      const second = await writeDue('escalate', '2020-01-01T00:00:01.000000Z');
      const first = await writeDue('lapse', beforeAll);
      const found = [...(await overdue()).values()];
      expect(found.slice(0, 2)).toEqual([
        { id: first, action: 'lapse', at: beforeAll },
        { id: second, action: 'escalate', at: '2020-01-01T00:00:01.000000Z' },
      ]);
      expect(await store.read((session) => session.overdueAlerts(0, 1))).toEqual(found.slice(0, 1));
      await store.transaction('resolve', (session) =>
        session.saveAlerts([first, second].map((id) => ({ ...alertOf(opened()), id }))),
      );
    });

    it('leaves out what is not due yet, what waits for nothing in particular, and what is within the grace', async () => {
      const recent = await writeDue('escalate', await now());
      const coming = await writeDue('settle', longAfter);
      const waiting = await writeDue('wait', longAfter, { next: { action: 'wait', at: null } });
      const named = async (graceMs: number) => {
        const found = await overdue(graceMs);
        return [recent, coming, waiting].map((id) => found.has(id));
      };
      expect(await named(minuteMs)).toEqual([false, false, false]);
      expect(await named(0)).toEqual([true, false, false]);
    });

    it('does not forget a resolution that has not been told', async () => {
      const over = alertOf(opened(), resolved(longAgo));
      const id = await writeDue('rejoin', longAgo, { ...over, next: { action: 'rejoin', at: longAgo } });
      expect((await overdue()).get(id)).toMatchObject({ action: 'rejoin' });
    });

    it('leaves out news in a digest that is on its way, and names it when nothing goes on', async () => {
      const [coming, late] = await store.transaction('write', async (session) => [
        await writeDigest(session, digestOpened({ dueAt: longAfter })),
        await writeDigest(session, digestOpened({ dueAt: longAgo })),
      ]);
      const withNewsIn = async (digest: DigestState) => {
        const state = alertOf(opened(), batched(digest.id));
        return writeDue('digest', longAgo, { ...state, next: { action: 'digest', at: longAgo } });
      };
      const [onItsWay, forgotten] = [await withNewsIn(coming), await withNewsIn(late)];
      const named = async () => {
        const found = await overdue();
        return [onItsWay, forgotten].map((id) => found.has(id));
      };
      expect(await named()).toEqual([false, true]);

      // Sealed, and its message on its way: for as long as it takes.
      const delivery = newDelivery(late.id, { alertIds: [forgotten] });
      await store.transaction('seal', async (session) => {
        await session.saveDigests([{ ...late, state: 'sealed', sealedAt: longAgo }]);
        await session.insertDeliveries([delivery]);
        await session.updateDelivery(delivery.id, { state: 'retrying', afterMs: minuteMs, reason: 'server-error' });
      });
      expect(await named()).toEqual([false, false]);
      await store.transaction('late', (session) =>
        session.updateDelivery(delivery.id, { state: 'retrying', afterMs: -minuteMs, reason: 'server-error' }),
      );
      expect(await named()).toEqual([false, true]);
      // Accepted, and its alerts are being told so.
      await store.transaction('accept', (session) =>
        session.updateDelivery(delivery.id, { state: 'accepted', providerMessageId: null }),
      );
      expect(await named()).toEqual([false, false]);
      await store.transaction('settle', (session) => session.settleProgress(delivery.id, 0, 1, true));
      expect(await named()).toEqual([false, true]);
    });
  });

  describe('the audit', () => {
    it('counts what is overdue: actions, attempts, silences', async () => {
      const before = await audit();
      await writeDue('escalate', longAgo);
      await writeDue('escalate', await now());
      await store.transaction('write', async (session) => {
        const digest = await writeDigest(session, digestOpened());
        const delivery = newDelivery(digest.id);
        await session.insertDeliveries([delivery]);
        await session.claimDelivery(delivery.id, { id: randomUUID(), timeoutMs: minuteMs });
        await session.insertSilences([
          newSilence(),
          newSilence({ startsAt: longAfter }),
          newSilence({ startsAt: await session.now() }),
        ]);
      });
      expect(await audit()).toMatchObject({
        overdueAlerts: before.overdueAlerts + 1,
        overdueSilences: before.overdueSilences + 1,
        staleAttempts: before.staleAttempts,
      });
      // From the future, where an attempt just made is old.
      const later = await store.read((session) =>
        session.audit({ actionGraceMs: minuteMs, attemptGraceMs: -minuteMs }),
      );
      expect(later.staleAttempts).toBeGreaterThan(before.staleAttempts);
    });

    it('counts failures that nobody has decided on, and their age', async () => {
      const before = await audit();
      const outcome = { id: newOutcomeId(), table: 'jobs', jobId: randomUUID(), kind: 'failed', failedAt: longAgo };
      await store.transaction('announce', (session) => session.announceOutcomes([outcome]));
      const after = await audit();
      expect(after.unaccounted).toBe(before.unaccounted + 1);
      expect(after.oldestUnaccountedMs).toBeGreaterThanOrEqual(0);
      await store.transaction('record', (session) =>
        session.recordOutcomes([{ ...outcome, alertId: newAlertId(), disposition: 'recorded' }]),
      );
      expect((await audit()).unaccounted).toBe(before.unaccounted);
    });

    it('counts quarantined signals, and names parked channels', async () => {
      const before = await audit();
      const channel = `parked-${randomUUID()}`;
      await store.transaction('write', async (session) => {
        await session.quarantine([{ id: randomUUID(), queue: 'signals', payload: {}, reason: 'not a signal' }]);
        await session.parkChannel(channel, '401');
      });
      const after = await audit();
      expect(after.quarantined).toBe(before.quarantined + 1);
      expect(after.parkedChannels).toContain(channel);
      await store.transaction('unpark', (session) => session.unparkChannel(channel));
      expect((await audit()).parkedChannels).not.toContain(channel);
    });

    it('counts open alerts that nobody was told of because no channel took the message', async () => {
      const before = await audit();
      const notificationFailed: EventNamed<'NotificationFailed'> = {
        type: 'NotificationFailed',
        occurredAt: longAgo,
        data: {
          digestId: newDigestId(),
          deliveryId: newDeliveryId(),
          route: 'default',
          channel: 'email',
          reason: 'bad-request',
          fallback: null,
          final: true,
        },
      };
      await store.transaction('write', async (session) => {
        await writeAlert(session, opened(), notificationFailed);
        await writeAlert(session, opened());
        await writeAlert(session, opened(), notificationFailed, acknowledged());
        await writeAlert(session, opened(), notificationFailed, resolved(longAgo));
        const told = await writeAlert(session, opened(), notificationFailed);
        const message = { route: 'default', channel: 'slack', purpose: 'window', at: longAgo } as const;
        const ids = { digestId: newDigestId(), deliveryId: newDeliveryId(), threadId: newDigestId() };
        await session.saveAlerts([{ ...told, told: [{ ...message, ...ids }] }]);
      });
      expect((await audit()).untold).toBe(before.untold + 1);
    });
  });

  describe('signs of life', () => {
    it('gives the newest of each component, with its age', async () => {
      const component = `component-${randomUUID()}`;
      for (const [instance, turn] of [
        ['a', 1],
        ['b', 2],
        ['a', 3],
      ] as const) {
        const before = (await now()).slice(0, 23);
        await expect.poll(async () => (await now()).slice(0, 23) > before).toBe(true);
        await store.transaction('beat', (session) => session.beat(component, instance, { turn }));
      }
      const beat = (await store.read((session) => session.newestBeats())).get(component);
      expect(beat).toMatchObject({ instance: 'a', data: { turn: 3 } });
      expect(beat?.ageMs).toBeGreaterThanOrEqual(0);
      expect(beat?.ageMs).toBeLessThan(minuteMs);
    });
  });
};

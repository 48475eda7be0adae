import type { AlertState, Batch } from '@tocsin/alert-model';
import { describe, expect, it } from 'vitest';
import { asStoredJsonb } from '../jsonb.ts';
import { OpenKeyConflict } from '../store.ts';
import {
  acknowledged,
  alertOf,
  batched,
  digestOf,
  digestOpened,
  digestSealed,
  longAfter,
  longAgo,
  newAlertId,
  newDeliveryId,
  newDigestId,
  opened,
  resolved,
  writeAlert,
  writeDigest,
} from './builders.ts';
import { silencedBy } from './silences-contract.ts';
import type { ContractStore } from './store-contract.ts';

/** Enough to see everything that other tests left in a shared store. */
const everything = 10_000;

export const modelsContract = (store: ContractStore): void => {
  describe('the read models of alerts', () => {
    it('gives alerts back whole, in the order asked for, each once', async () => {
      const [one, two] = await store.transaction('write', async (session) => [
        await writeAlert(session, opened()),
        await writeAlert(session, opened(), batched(newDigestId()), resolved(longAfter)),
      ]);
      const loaded = await store.read((session) => session.loadAlerts([two.id, newAlertId(), one.id, two.id]));
      expect(loaded).toEqual([two, one]);
    });

    it('gives the keys of an object in the order of jsonb, which is not that of writing', async () => {
      const state = await store.transaction('write', (session) => writeAlert(session, opened()));
      const [loaded] = await store.read((session) => session.loadAlerts([state.id]));
      expect(JSON.stringify(loaded)).toBe(JSON.stringify(asStoredJsonb(state)));
    });

    it('replaces an alert that is saved again; of two states in one call the later counts', async () => {
      const first = opened();
      await store.transaction('write', (session) => writeAlert(session, first));
      const [batchedState, acknowledgedState] = [
        alertOf(first, batched(newDigestId())),
        alertOf(first, acknowledged()),
      ];
      await store.transaction('save', (session) => session.saveAlerts([batchedState, acknowledgedState]));
      expect(await store.read((session) => session.loadAlerts([first.data.alertId]))).toEqual([acknowledgedState]);
    });

    it('finds open alerts by key, and no resolved ones', async () => {
      const [open, over] = await store.transaction('write', async (session) => [
        await writeAlert(session, opened()),
        await writeAlert(session, opened(), resolved(longAfter)),
      ]);
      expect(
        await store.read((session) => session.loadOpenAlertsByKey([over.key, open.key, open.key, 'no such key'])),
      ).toEqual([open]);
    });

    it('refuses a second open alert of a key', async () => {
      const key = `key-${newAlertId()}`;
      await store.transaction('write', (session) => writeAlert(session, opened({ key })));
      const second = store.transaction('write', (session) => writeAlert(session, opened({ key })));
      await expect(second).rejects.toBeInstanceOf(OpenKeyConflict);
    });

    it('saves an alert that is resolved together with its successor of the same key, in either order', async () => {
      for (const reverse of [false, true]) {
        const first = opened();
        await store.transaction('write', (session) => writeAlert(session, first));
        const over = alertOf(first, resolved(longAfter));
        const next = alertOf(opened({ key: first.data.key }));
        await store.transaction('save', (session) => session.saveAlerts(reverse ? [next, over] : [over, next]));
        expect(await store.read((session) => session.loadOpenAlertsByKey([first.data.key]))).toEqual([next]);
      }
    });

    it('names the newest resolved alert of a key, and counts the alerts of the last seven days', async () => {
      const key = `key-${newAlertId()}`;
      const now = await store.read((session) => session.now());
      const newest = await store.transaction('write', async (session) => {
        await writeAlert(session, opened({ key }), resolved('2026-01-06T00:00:00.000000Z'));
        const state = await writeAlert(session, opened({ key }, now), resolved('2026-01-08T00:00:00.000000Z', now));
        await writeAlert(session, opened({ key }, now), resolved('2026-01-07T00:00:00.000000Z', now));
        await writeAlert(session, opened({ key }, now));
        return state;
      });
      const never = await store.transaction('write', (session) => writeAlert(session, opened()));
      const found = await store.read((session) => session.loadPredecessors([key, never.key, 'no such key']));
      const predecessor = { key, alertId: newest.id, resolvedAt: '2026-01-08T00:00:00.000000Z', recentCount: 3 };
      expect(found).toEqual([{ ...predecessor, flapCount: 0 }]);
    });

    it('counts how often a key was resolved of late, when it is asked', async () => {
      const key = `key-${newAlertId()}`;
      const now = await store.read((session) => session.now());
      await store.transaction('write', async (session) => {
        await writeAlert(session, opened({ key }), resolved('2026-01-06T00:00:00.000000Z'));
        for (let times = 0; times < 3; times += 1) await writeAlert(session, opened({ key }), resolved(now));
        await writeAlert(session, opened({ key }));
      });
      const count = async (withinMs?: number) =>
        (await store.read((session) => session.loadPredecessors([key], withinMs))).map(({ flapCount }) => flapCount);
      expect(await count(60_000)).toEqual([3]);
      expect(await count(1e12)).toEqual([4]);
      expect(await count()).toEqual([0]);
    });

    it('counts open alerts only, and no canaries', async () => {
      const before = await store.read((session) => session.countOpenAlerts());
      await store.transaction('write', async (session) => {
        await writeAlert(session, opened());
        await writeAlert(session, opened(), resolved(longAfter));
      });
      const canary = opened({ key: 'job/tocsin/canary', source: 'tocsin', jobType: 'canary' });
      await store.transaction('write', (session) => writeAlert(session, canary));
      expect(await store.read((session) => session.countOpenAlerts())).toBe(before + 1);
      await store.transaction('write', (session) => session.saveAlerts([alertOf(canary, resolved(longAfter))]));
    });

    it('names alerts whose news sits in no digest, unless somebody has acknowledged them', async () => {
      const [stray, digested, acked] = await store.transaction('write', async (session) => [
        await writeAlert(session, opened()),
        await writeAlert(session, opened(), batched(newDigestId())),
        await writeAlert(session, opened(), acknowledged()),
      ]);
      const found = await store.read((session) => session.alertsWithStrayNews(everything));
      expect(found).toContain(stray.id);
      expect(found).not.toContain(digested.id);
      expect(found).not.toContain(acked.id);
      expect(found).toEqual(found.toSorted());
      expect(await store.read((session) => session.alertsWithStrayNews(1))).toEqual(found.slice(0, 1));
    });

    it('names no news that a silence mutes or a flapping alert keeps to itself, unless it is of the kind that is told', async () => {
      const flapping = { count: 5, withinMs: 3_600_000, holdMs: 600_000, failingSince: longAgo, heldUntil: null };
      const [muted, quiet, first, settled, lapsed, unsilenced, over] = await store.transaction(
        'write',
        async (session) => {
          const save = async (change: (state: AlertState, news: Batch) => Partial<AlertState>) => {
            const state = await writeAlert(session, opened());
            const news = { ...(state.pending['default'] as Batch), opened: false };
            const changed = { ...state, pending: { default: news }, ...change(state, news) };
            await session.saveAlerts([changed]);
            return changed.id;
          };
          const whileFlapping = (more: Partial<Batch>) =>
            save((_, news) => ({ flapping, pending: { other: news, default: { ...news, ...more } } }));
          return [
            (await writeAlert(session, opened(), silencedBy(newAlertId()))).id,
            await whileFlapping({}),
            await whileFlapping({ opened: true }),
            await whileFlapping({ settled: true }),
            await whileFlapping({ lapse: { by: 'mina', acknowledgedAt: longAgo, reason: 'failures' } }),
            await whileFlapping({ unsilenced: { by: 'mina', reason: null, endedBy: null } }),
            await save((state) => ({
              ...alertOf(opened({ alertId: state.id, key: state.key }), silencedBy(newAlertId()), resolved(longAfter)),
              pending: state.pending,
              flapping,
            })),
          ];
        },
      );
      const found = new Set(await store.read((session) => session.alertsWithStrayNews(everything)));
      expect([muted, quiet].filter((id) => found.has(id))).toEqual([]);
      const named = [first, settled, lapsed, unsilenced, over];
      expect(named.filter((id) => found.has(id))).toEqual(named);
    });

    it('pages through the open alerts in id order, each seen once', async () => {
      const states = await store.transaction('write', async (session) => {
        const open = [];
        for (let count = 0; count < 5; count += 1) open.push(await writeAlert(session, opened()));
        await writeAlert(session, opened(), resolved(longAfter));
        return open;
      });
      const seen = await store.read(async (session) => {
        const all = [];
        for (let page = await session.watchedAlerts(null, 2); page.length > 0;) {
          expect(page.length).toBeLessThanOrEqual(2);
          all.push(...page);
          page = await session.watchedAlerts(page.at(-1)?.id ?? null, 2);
        }
        return all;
      });
      const ids = seen.map(({ id }) => id);
      expect(ids).toEqual([...new Set(ids)].toSorted());
      expect(ids).toHaveLength(await store.read((session) => session.countOpenAlerts()));
      for (const { id, source, chain, owed, successes, firstFailedAt } of states)
        expect(seen).toContainEqual({ id, source, chain, owed, successes, firstFailedAt });
    });
  });

  describe('the read models of digests', () => {
    it('follows a digest from open through due to sealed', async () => {
      const event = digestOpened();
      const { digestId, route } = event.data;
      const open = await store.transaction('write', (session) => writeDigest(session, event));
      await store.read(async (session) => {
        expect(await session.loadDigest(digestId)).toEqual(open);
        expect(await session.loadOpenDigests()).toContainEqual(open);
        expect(await session.dueDigests(everything)).toContain(digestId);
      });

      const sealed = digestOf(event, digestSealed(newDeliveryId(), digestId));
      await store.transaction('seal', (session) => session.saveDigests([sealed]));
      await store.read(async (session) => {
        expect(await session.loadDigest(digestId)).toEqual(sealed);
        expect((await session.loadOpenDigests()).filter((digest) => digest.route === route)).toEqual([]);
        expect(await session.dueDigests(everything)).not.toContain(digestId);
      });
    });

    it('names the digests that are due, the oldest first, and none before its time', async () => {
      const [later, early, notYet] = await store.transaction('write', async (session) => [
        await writeDigest(session, digestOpened({ dueAt: '2020-01-02T00:00:00Z' })),
        await writeDigest(session, digestOpened({ dueAt: '2020-01-01T00:00:00Z' })),
        await writeDigest(session, digestOpened({ dueAt: longAfter })),
      ]);
      const due = await store.read((session) => session.dueDigests(everything));
      expect(due.slice(0, 2)).toEqual([early.id, later.id]);
      expect(due).not.toContain(notYet.id);
      expect(await store.read((session) => session.dueDigests(1))).toEqual([early.id]);
    });

    it('keeps several open digests of a route and purpose apart', async () => {
      const first = digestOpened();
      const { route } = first.data;
      await store.transaction('write', async (session) => {
        await writeDigest(session, first);
        await writeDigest(session, digestOpened({ route }));
        await writeDigest(session, digestOpened({ route, purpose: 'escalation' }));
      });
      const open = (await store.read((session) => session.loadOpenDigests())).filter(
        (digest) => digest.route === route,
      );
      expect(open.map(({ purpose }) => purpose)).toEqual(['escalation', 'window', 'window']);
    });

    it('saves a digest that is sealed together with the one that follows it on its route', async () => {
      const event = digestOpened();
      await store.transaction('write', (session) => writeDigest(session, event));
      const next = digestOf(digestOpened({ route: event.data.route }, longAgo));
      const sealed = digestOf(event, digestSealed(newDeliveryId(), event.data.digestId));
      await store.transaction('save', (session) => session.saveDigests([next, sealed]));
      const open = (await store.read((session) => session.loadOpenDigests())).filter(
        ({ route }) => route === event.data.route,
      );
      expect(open).toEqual([next]);
    });
  });
};

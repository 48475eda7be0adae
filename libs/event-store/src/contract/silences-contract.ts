import { randomUUID } from 'node:crypto';
import type { AlertId, EventNamed } from '@tocsin/alert-model';
import { describe, expect, it } from 'vitest';
import type { NewSilence } from '../postgres/insert-silences.ts';
import { longAfter, longAgo, newAlertId, opened, resolved, writeAlert } from './builders.ts';
import type { ContractStore } from './store-contract.ts';

const everything = 10_000;
/** Before everything that other tests leave in a shared store. */
const longBefore = '2025-01-01T00:00:00.000000Z';

export const newSilence = (changes: Partial<NewSilence> = {}): NewSilence => ({
  id: randomUUID(),
  name: null,
  match: { source: ['apple'], severity: ['error'] },
  by: 'mina',
  reason: 'known, see the ticket',
  startsAt: longAgo,
  end: { until: 'time', at: longAfter },
  alertIds: [],
  ...changes,
});

export const silencedBy = (silenceId: string): EventNamed<'AlertSilenced'> => ({
  type: 'AlertSilenced',
  occurredAt: longAgo,
  data: { silenceId, by: 'mina', reason: null, end: { until: 'time', at: longAfter }, withdrawn: [] },
});

export const silencesContract = (store: ContractStore): void => {
  const insert = (...silences: readonly NewSilence[]) =>
    store.transaction('insert', (session) => session.insertSilences(silences));
  const load = async (id: string) => (await store.read((session) => session.loadSilences([id])))[0];
  const isAmong = async (id: string, which: 'activeSilences' | 'dueSilences') =>
    (
      await store.read((session) =>
        which === 'dueSilences' ? session.dueSilences(everything) : session.activeSilences(),
      )
    ).some((silence) => silence.id === id);
  const end = (id: string, cause: 'expired' | 'ended' = 'ended', by: string | null = 'tom') =>
    store.transaction('end', (session) => session.endSilence(id, cause, by));
  const apply = (id: string) => store.transaction('apply', (session) => session.markSilenceApplied(id));

  describe('silences', () => {
    it('gives a silence back whole, and leaves one alone that is there', async () => {
      const silence = newSilence({ name: 'night work', alertIds: [newAlertId()] });
      await insert(silence);
      await insert({ ...silence, by: 'tom' });
      expect(await load(silence.id)).toEqual({
        ...silence,
        createdAt: expect.any(String) as string,
        appliedAt: null,
        endedAt: null,
        endedBy: null,
        endCause: null,
      });
      expect(await load(randomUUID())).toBeUndefined();
    });

    it('keeps one that ends with the resolution, and its times to the microsecond', async () => {
      const silence = newSilence({ end: { until: 'resolved' }, startsAt: '2026-01-05T03:00:00.5Z' });
      await insert(silence);
      expect(await load(silence.id)).toMatchObject({
        end: { until: 'resolved' },
        startsAt: '2026-01-05T03:00:00.500000Z',
      });
    });

    it('holds from its start until its time or its end', async () => {
      const [holds, coming, over, ended] = [
        newSilence(),
        newSilence({ startsAt: longAfter, end: { until: 'resolved' } }),
        newSilence({ end: { until: 'time', at: '2026-01-05T04:00:00.000000Z' } }),
        newSilence(),
      ];
      await insert(holds, coming, over, ended);
      await end(ended.id);
      const active = async (id: string) => isAmong(id, 'activeSilences');
      expect(await Promise.all([holds, coming, over, ended].map(({ id }) => active(id)))).toEqual([
        true,
        false,
        false,
        false,
      ]);
    });

    it('gives those that hold the first begun first', async () => {
      const [later, first] = [newSilence({ startsAt: longAgo }), newSilence({ startsAt: longBefore })];
      await insert(later, first);
      const ids = (await store.read((session) => session.activeSilences())).map(({ id }) => id);
      expect(ids.indexOf(first.id)).toBeGreaterThanOrEqual(0);
      expect(ids.indexOf(first.id)).toBeLessThan(ids.indexOf(later.id));
    });

    it('is due until its start is carried out, and again from its time until its end is', async () => {
      const silence = newSilence({ end: { until: 'time', at: '2026-01-05T04:00:00.000000Z' } });
      const lasting = newSilence();
      await insert(silence, lasting);
      expect(await isAmong(silence.id, 'dueSilences')).toBe(true);
      expect(await isAmong(lasting.id, 'dueSilences')).toBe(true);
      await apply(silence.id);
      await apply(lasting.id);
      expect(await isAmong(silence.id, 'dueSilences')).toBe(true);
      expect(await isAmong(lasting.id, 'dueSilences')).toBe(false);
      expect((await load(lasting.id))?.appliedAt).not.toBeNull();
      expect(await end(silence.id, 'expired', null)).toBe(true);
      expect(await isAmong(silence.id, 'dueSilences')).toBe(false);
    });

    it('gives those that are due the longest due first, as many as asked for', async () => {
      const [second, first] = [
        newSilence({ startsAt: '2024-01-02T00:00:00.000000Z' }),
        newSilence({ startsAt: '2024-01-01T00:00:00.000000Z' }),
      ];
      await insert(second, first);
      const due = (await store.read((session) => session.dueSilences(2))).map(({ id }) => id);
      expect(due).toEqual([first.id, second.id]);
      await apply(first.id);
      await apply(second.id);
    });

    it('ends once, with its cause', async () => {
      const silence = newSilence();
      await insert(silence);
      expect(await end(silence.id)).toBe(true);
      expect(await end(silence.id, 'expired', null)).toBe(false);
      expect(await end(randomUUID())).toBe(false);
      expect(await load(silence.id)).toMatchObject({ endCause: 'ended', endedBy: 'tom' });
    });

    it('lists the newest first, ended ones only when asked for', async () => {
      const [one, two] = [newSilence(), newSilence()];
      await insert(one);
      await insert(two);
      await end(one.id);
      const list = async (ended: boolean, limit = everything) =>
        (await store.read((session) => session.listSilences({ ended, limit })))
          .map(({ id }) => id)
          .filter((id) => id === one.id || id === two.id);
      expect(await list(false)).toEqual([two.id]);
      expect(await list(true)).toEqual([two.id, one.id]);
      expect(await list(true, 1)).toEqual([two.id]);
    });

    it('pages through the open alerts that it mutes', async () => {
      const silence = newSilence();
      const ids = await store.transaction('write', async (session) => {
        await session.insertSilences([silence]);
        const muted = [];
        for (let count = 0; count < 3; count += 1)
          muted.push((await writeAlert(session, opened(), silencedBy(silence.id))).id);
        await writeAlert(session, opened(), silencedBy(randomUUID()));
        await writeAlert(session, opened(), silencedBy(silence.id), resolved(longAfter));
        await writeAlert(session, opened());
        return muted.toSorted();
      });
      const page = async (after: AlertId | null, limit: number) =>
        (await store.read((session) => session.alertsOfSilence(silence.id, after, limit))).map(({ id }) => id);
      expect(await page(null, 2)).toEqual(ids.slice(0, 2));
      expect(await page(ids[1] ?? null, 2)).toEqual(ids.slice(2));
      expect(await store.read((session) => session.alertsOfSilence(randomUUID(), null, 2))).toEqual([]);
    });

    it('is due again when it has ended and still mutes an open alert', async () => {
      const [left, done] = [newSilence(), newSilence()];
      await store.transaction('write', async (session) => {
        await session.insertSilences([left, done]);
        await writeAlert(session, opened(), silencedBy(left.id));
        await writeAlert(session, opened(), silencedBy(done.id), resolved(longAfter));
      });
      for (const { id } of [left, done]) await end(id);
      expect(await isAmong(left.id, 'dueSilences')).toBe(true);
      expect(await isAmong(done.id, 'dueSilences')).toBe(false);
    });
  });
};

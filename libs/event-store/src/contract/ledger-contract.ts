import { randomUUID } from 'node:crypto';
import type { DeliveryId } from '@tocsin/alert-model';
import { describe, expect, it, vi } from 'vitest';
import {
  digestOpened,
  messageFor,
  newAlertId,
  newDeliveryId,
  newDelivery,
  newDigestId,
  writeDigest,
} from './builders.ts';
import type { ContractStore } from './store-contract.ts';

const everything = 10_000;
const minuteMs = 60_000;
/** Long enough to begin an attempt in, on a busy machine. */
const shortMs = 500;
const accepted = { outcome: 'accepted', providerMessageId: 'sg-1', status: 202 } as const;
const unanswered = { outcome: 'unknown', reason: 'timeout', status: null, detail: 'no answer in 30 s' } as const;
const busy = {
  outcome: 'retry',
  reason: 'rate-limited',
  retryAfterMs: null,
  status: 429,
  detail: 'slow\u0000 down',
} as const;

export const ledgerContract = (store: ContractStore): void => {
  const insert = (changes: Parameters<typeof newDelivery>[1] = {}) =>
    store.transaction('insert', async (session) => {
      const digest = await writeDigest(session, digestOpened());
      const delivery = newDelivery(digest.id, changes);
      await session.insertDeliveries([delivery]);
      return delivery;
    });
  const claim = (id: DeliveryId, attemptId: string, timeoutMs = minuteMs) =>
    store.transaction('claim', (session) => session.claimDelivery(id, { id: attemptId, timeoutMs }));
  const begin = (attemptId: string) => store.transaction('begin', (session) => session.beginAttempt(attemptId));
  /** A delivery whose attempt began, and whose time then passed. */
  const insertAbandoned = async () => {
    const delivery = await insert();
    const attemptId = randomUUID();
    await claim(delivery.id, attemptId, shortMs);
    expect(await begin(attemptId)).toBe(true);
    await vi.waitUntil(() => isDue(delivery.id));
    return { delivery, attemptId };
  };
  const load = (id: DeliveryId) => store.read((session) => session.loadDelivery(id));
  const isDue = async (id: DeliveryId) =>
    (await store.read((session) => session.dueDeliveries(everything))).includes(id);
  const isUnsettled = async (id: DeliveryId) =>
    (await store.read((session) => session.unsettledDeliveries(everything))).includes(id);

  describe('deliveries', () => {
    it('makes a delivery that is due at once, and not again when it is inserted again', async () => {
      const alertIds = [newAlertId(), newAlertId()];
      const delivery = await insert({ alertIds, resolvedIds: alertIds.slice(1) });
      await store.transaction('insert', (session) => session.insertDeliveries([{ ...delivery, channel: 'slack' }]));
      const loaded = await load(delivery.id);
      expect(loaded).toMatchObject({
        ...delivery,
        state: 'pending',
        attempts: 0,
        acceptedAt: null,
        confirmedAt: null,
        settledCount: 0,
        settledAt: null,
      });
      expect(loaded?.nextAttemptAt).not.toBeNull();
      expect(await isDue(delivery.id)).toBe(true);
      expect(await isUnsettled(delivery.id)).toBe(false);
      expect(await store.read((session) => session.deliveriesOfDigest(delivery.digestId))).toEqual([loaded]);
      expect(await load(newDeliveryId())).toBeNull();
    });

    it('refuses a delivery of a digest that does not exist', async () => {
      const orphan = store.transaction('insert', (session) => session.insertDeliveries([newDelivery(newDigestId())]));
      await expect(orphan).rejects.toThrow();
    });

    it('gives the subject of the first message of each thread', async () => {
      const first = await insert();
      await store.transaction('insert', (session) =>
        session.insertDeliveries([newDelivery(first.digestId, { message: messageFor(first.digestId, 'later') })]),
      );
      const subjects = await store.read((session) =>
        session.threadSubjects([first.threadId, newDigestId(), first.threadId]),
      );
      expect([...subjects]).toEqual([[first.threadId, first.message.subject]]);
    });

    it('goes from claimed to accepted to settled', async () => {
      const delivery = await insert();
      const attemptId = randomUUID();
      const claimed = await claim(delivery.id, attemptId);
      expect(claimed).toMatchObject({ number: 1, abandoned: false, delivery: { state: 'attempting', attempts: 1 } });
      expect(await isDue(delivery.id)).toBe(false);
      expect(await begin(attemptId)).toBe(true);

      const recorded = await store.transaction('record', async (session) => {
        const open = await session.recordAttempt(attemptId, accepted);
        await session.updateDelivery(delivery.id, { state: 'accepted', providerMessageId: 'sg-1' });
        return open;
      });
      expect(recorded).toBe(true);
      const done = await load(delivery.id);
      expect(done).toMatchObject({
        state: 'accepted',
        providerMessageId: 'sg-1',
        nextAttemptAt: null,
        settledAt: null,
      });
      expect(done?.acceptedAt).not.toBeNull();
      expect(await store.read((session) => session.attemptsOf([delivery.id]))).toMatchObject([
        {
          id: attemptId,
          deliveryId: delivery.id,
          number: 1,
          outcome: 'accepted',
          reason: null,
          status: 202,
          providerMessageId: 'sg-1',
        },
      ]);

      expect(await isUnsettled(delivery.id)).toBe(true);
      const settle = (from: number, to: number, done: boolean): Promise<boolean> =>
        store.transaction('settle', (session) => session.settleProgress(delivery.id, from, to, done));
      expect(await settle(0, 3, false)).toBe(true);
      // Somebody who began at the same place comes too late.
      expect(await settle(0, 1, false)).toBe(false);
      expect(await load(delivery.id)).toMatchObject({ settledCount: 3, settledAt: null });
      expect(await settle(3, 4, true)).toBe(true);
      expect(await settle(4, 5, true)).toBe(false);
      expect((await load(delivery.id))?.settledAt).not.toBeNull();
      expect(await isUnsettled(delivery.id)).toBe(false);
    });

    it('waits as long as it is told after a retry, then may be claimed again', async () => {
      const delivery = await insert();
      const attemptId = randomUUID();
      await claim(delivery.id, attemptId);
      await store.transaction('record', async (session) => {
        await session.recordAttempt(attemptId, busy);
        await session.updateDelivery(delivery.id, { state: 'retrying', afterMs: minuteMs, reason: 'rate-limited' });
      });
      expect(await load(delivery.id)).toMatchObject({ state: 'retrying', lastReason: 'rate-limited' });
      expect(await claim(delivery.id, randomUUID())).toBeNull();

      await store.transaction('hurry', (session) =>
        session.updateDelivery(delivery.id, { state: 'retrying', afterMs: 0, reason: 'rate-limited' }),
      );
      expect(await claim(delivery.id, randomUUID())).toMatchObject({ number: 2, abandoned: false });
      expect(await store.read((session) => session.attemptsOf([delivery.id]))).toMatchObject([
        { number: 1, outcome: 'retry', reason: 'rate-limited', status: 429, detail: 'slow down' },
        { number: 2, outcome: 'claimed', endedAt: null },
      ]);
    });

    it('lets go what waits for its channel, and what waits for the word of its provider only as long as that is given', async () => {
      const channel = `waits-${randomUUID()}`;
      const outcomes = {
        parked: { state: 'retrying', afterMs: 15 * minuteMs, reason: 'parked' },
        limited: { state: 'retrying', afterMs: 15 * minuteMs, reason: 'rate-limited' },
        long: { state: 'unknown', afterMs: 15 * minuteMs, reason: 'timeout' },
        short: { state: 'unknown', afterMs: minuteMs / 2, reason: 'timeout' },
        gone: { state: 'rejected', reason: 'parked' },
      } as const;
      const ids = new Map<string, DeliveryId>();
      for (const [name, change] of Object.entries(outcomes)) {
        const { id } = await insert({ channel });
        ids.set(name, id);
        await claim(id, randomUUID());
        await store.transaction('record', (session) => session.updateDelivery(id, change));
      }
      const other = await insert({ channel: `${channel}-not` });
      await claim(other.id, randomUUID());
      await store.transaction('record', (session) => session.updateDelivery(other.id, outcomes.parked));

      const release = (limit: number) =>
        store.transaction('release', (session) =>
          session.releaseDeliveries(channel, { reasons: ['parked', 'circuit-open'], unknownRetryMs: minuteMs }, limit),
        );
      expect(await release(1)).toEqual([{ id: ids.get('parked'), state: 'retrying' }]);
      expect(await release(10)).toEqual([{ id: ids.get('long'), state: 'unknown' }]);
      expect(await release(10)).toEqual([]);
      const due = await store.read((session) => session.dueDeliveries(everything));
      expect(due.filter((id) => [...ids.values(), other.id].includes(id))).toEqual([ids.get('parked')]);
      expect(await claim(ids.get('parked') ?? other.id, randomUUID())).toMatchObject({ number: 2, abandoned: false });
    });

    it('keeps an unanswered attempt as unknown', async () => {
      const delivery = await insert();
      const attemptId = randomUUID();
      await claim(delivery.id, attemptId);
      await store.transaction('record', async (session) => {
        await session.recordAttempt(attemptId, unanswered);
        await session.updateDelivery(delivery.id, { state: 'unknown', afterMs: 0, reason: 'timeout' });
      });
      expect(await load(delivery.id)).toMatchObject({ state: 'unknown', lastReason: 'timeout' });
      expect(await claim(delivery.id, randomUUID())).toMatchObject({ number: 2, abandoned: false });
    });

    it.each(['rejected', 'replaced'] as const)('never attempts a %s delivery again', async (state) => {
      const delivery = await insert();
      await claim(delivery.id, randomUUID());
      await store.transaction('record', (session) =>
        session.updateDelivery(delivery.id, { state, reason: 'bad-address' }),
      );
      expect(await load(delivery.id)).toMatchObject({ state, lastReason: 'bad-address', nextAttemptAt: null });
      expect(await claim(delivery.id, randomUUID())).toBeNull();
      expect(await isUnsettled(delivery.id)).toBe(true);
      const revived = store.transaction('revive', (session) =>
        session.updateDelivery(delivery.id, { state: 'retrying', afterMs: 0, reason: 'again' }),
      );
      await expect(revived).rejects.toThrow('final result');
    });

    it('hands a delivery over whose attempt never began, without another attempt, until somebody says what follows', async () => {
      const delivery = await insert();
      const attemptId = randomUUID();
      await claim(delivery.id, attemptId, 0);
      expect(await isDue(delivery.id)).toBe(true);
      expect(await claim(delivery.id, randomUUID())).toMatchObject({
        number: 1,
        abandoned: 'claimed',
        delivery: { attempts: 1 },
      });
      expect(await claim(delivery.id, randomUUID())).toMatchObject({ number: 1, abandoned: 'claimed' });
      expect(await store.read((session) => session.attemptsOf([delivery.id]))).toMatchObject([
        { id: attemptId, number: 1, outcome: 'retry', reason: 'crashed' },
      ]);

      await store.transaction('decide', (session) =>
        session.updateDelivery(delivery.id, { state: 'retrying', afterMs: 0, reason: 'crashed' }),
      );
      expect(await claim(delivery.id, randomUUID())).toMatchObject({ number: 2, abandoned: false });
    });

    it('hands a delivery over whose attempt had begun as one that may have been accepted', async () => {
      const { delivery, attemptId } = await insertAbandoned();
      for (const time of ['at first', 'again'])
        expect(await claim(delivery.id, randomUUID()), time).toMatchObject({ number: 1, abandoned: 'attempting' });
      expect(await store.read((session) => session.attemptsOf([delivery.id]))).toMatchObject([
        { id: attemptId, number: 1, outcome: 'unknown', reason: 'crashed' },
      ]);
      await store.transaction('decide', (session) =>
        session.updateDelivery(delivery.id, { state: 'unknown', afterMs: 0, reason: 'crashed' }),
      );
      expect(await claim(delivery.id, randomUUID())).toMatchObject({ number: 2, abandoned: false });
    });

    it('begins an attempt once, and only while it is its own', async () => {
      const delivery = await insert();
      const attemptId = randomUUID();
      expect(await begin(attemptId)).toBe(false);
      await claim(delivery.id, attemptId);
      expect(await begin(attemptId)).toBe(true);
      expect(await begin(attemptId)).toBe(false);
      expect(await store.read((session) => session.attemptsOf([delivery.id]))).toMatchObject([
        { outcome: 'attempting', endedAt: null },
      ]);
    });

    it('begins no attempt whose time has passed, whether or not somebody has taken it', async () => {
      const [slept, taken] = [await insert(), await insert()];
      const [sleptId, takenId] = [randomUUID(), randomUUID()];
      await claim(slept.id, sleptId, 0);
      expect(await begin(sleptId)).toBe(false);
      expect(await store.read((session) => session.attemptsOf([slept.id]))).toMatchObject([{ outcome: 'claimed' }]);
      await claim(taken.id, takenId, 0);
      await claim(taken.id, randomUUID());
      expect(await begin(takenId)).toBe(false);
      expect(await store.read((session) => session.attemptsOf([taken.id]))).toMatchObject([{ outcome: 'retry' }]);
    });

    it('tells a process that comes back that its attempt is no longer its own', async () => {
      const { delivery, attemptId } = await insertAbandoned();
      await claim(delivery.id, randomUUID());
      expect(await store.transaction('late', (session) => session.recordAttempt(attemptId, accepted))).toBe(false);
      expect(await store.transaction('late', (session) => session.recordAttempt(randomUUID(), accepted))).toBe(false);
      expect(await store.read((session) => session.attemptsOf([delivery.id]))).toMatchObject([
        { outcome: 'unknown', reason: 'crashed' },
      ]);
    });

    it('records what was decided without calling the provider', async () => {
      const delivery = await insert();
      const attemptId = randomUUID();
      await claim(delivery.id, attemptId);
      const refused = { outcome: 'rejected', reason: 'forbidden-address', status: null, detail: '10.0.0.1' } as const;
      expect(await store.transaction('record', (session) => session.recordAttempt(attemptId, refused))).toBe(true);
      expect(await store.read((session) => session.attemptsOf([delivery.id]))).toMatchObject([
        { outcome: 'rejected', reason: 'forbidden-address' },
      ]);
    });

    it('records an attempt once', async () => {
      const delivery = await insert();
      const attemptId = randomUUID();
      await claim(delivery.id, attemptId);
      expect(await store.transaction('record', (session) => session.recordAttempt(attemptId, busy))).toBe(true);
      expect(await store.transaction('record', (session) => session.recordAttempt(attemptId, accepted))).toBe(false);
      expect(await store.read((session) => session.attemptsOf([delivery.id]))).toMatchObject([{ outcome: 'retry' }]);
    });

    it('claims nothing that does not exist', async () => {
      expect(await claim(newDeliveryId(), randomUUID())).toBeNull();
    });

    it('gives what the provider called the first accepted message of each conversation, by channel', async () => {
      const digest = await store.transaction('write', (session) => writeDigest(session, digestOpened()));
      const [first, second, other, mute] = [
        newDelivery(digest.id),
        newDelivery(digest.id),
        newDelivery(digest.id, { channel: 'slack' }),
        newDelivery(digest.id, { threadId: newDigestId() }),
      ];
      await store.transaction('insert', (session) => session.insertDeliveries([first, second, other, mute]));
      const roots = async (channel: string) => [
        ...(await store.read((session) =>
          session.threadRoots(channel, [digest.id, newDigestId(), mute.threadId, digest.id]),
        )),
      ];
      expect(await roots('email')).toEqual([]);
      // The second is accepted before the first, and stays the root.
      for (const [id, providerMessageId] of [
        [second.id, 'root'],
        [first.id, 'later'],
        [other.id, 'of slack'],
        [mute.id, null],
      ] as const) {
        const before = (await store.read((session) => session.now())).slice(0, -4);
        await vi.waitUntil(async () => (await store.read((session) => session.now())).slice(0, -4) > before);
        await store.transaction('accept', (session) =>
          session.updateDelivery(id, { state: 'accepted', providerMessageId }),
        );
      }
      expect(await roots('email')).toEqual([[digest.id, 'root']]);
      expect(await roots('slack')).toEqual([[digest.id, 'of slack']]);
    });

    it('lists deliveries for people: those given up that nothing took over, those on their way, all', async () => {
      const channel = `channel-${randomUUID()}`;
      const [dead, taken, waiting] = [await insert({ channel }), await insert({ channel }), await insert({ channel })];
      const heir = await insert({ channel, fallbackOf: taken.id });
      await store.transaction('give up', async (session) => {
        for (const { id } of [dead, taken])
          await session.updateDelivery(id, { state: 'rejected', reason: 'bad-request' });
      });
      const list = async (state: 'dead' | 'waiting' | 'all', limit = everything) =>
        (await store.read((session) => session.listDeliveries({ state, channel, limit }))).map(({ id }) => id);
      expect(await list('dead')).toEqual([dead.id]);
      expect(await list('waiting')).toEqual([heir.id, waiting.id]);
      expect(await list('all')).toEqual([heir.id, waiting.id, taken.id, dead.id]);
      expect(await list('all', 1)).toEqual([heir.id]);
      const everywhere = await store.read((session) =>
        session.listDeliveries({ state: 'dead', channel: null, limit: everything }),
      );
      expect(everywhere.map(({ id }) => id)).toContain(dead.id);
    });

    it('gives due deliveries the longest waiting first, as many as asked for', async () => {
      const [one, two] = [await insert(), await insert()];
      const due = await store.read((session) => session.dueDeliveries(everything));
      expect(due.filter((id) => id === one.id || id === two.id)).toEqual([one.id, two.id]);
      expect(await store.read((session) => session.dueDeliveries(1))).toEqual(due.slice(0, 1));
    });
  });
};

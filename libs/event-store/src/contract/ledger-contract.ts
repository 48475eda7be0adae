import { randomUUID } from 'node:crypto';
import type { DeliveryId } from '@tocsin/alert-model';
import { describe, expect, it } from 'vitest';
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
        { number: 2, outcome: 'attempting', endedAt: null },
      ]);
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

    it('hands an abandoned delivery over without an attempt, until somebody says what follows', async () => {
      const delivery = await insert();
      const attemptId = randomUUID();
      await claim(delivery.id, attemptId, 0);
      expect(await isDue(delivery.id)).toBe(true);
      expect(await claim(delivery.id, randomUUID())).toMatchObject({
        number: 1,
        abandoned: true,
        delivery: { attempts: 1 },
      });
      expect(await claim(delivery.id, randomUUID())).toMatchObject({ number: 1, abandoned: true });
      expect(await store.read((session) => session.attemptsOf([delivery.id]))).toMatchObject([
        { id: attemptId, number: 1, outcome: 'unknown', reason: 'crashed' },
      ]);

      await store.transaction('decide', (session) =>
        session.updateDelivery(delivery.id, { state: 'unknown', afterMs: 0, reason: 'crashed' }),
      );
      expect(await claim(delivery.id, randomUUID())).toMatchObject({ number: 2, abandoned: false });
    });

    it('tells a process that comes back that its attempt is no longer its own', async () => {
      const delivery = await insert();
      const attemptId = randomUUID();
      await claim(delivery.id, attemptId, 0);
      await claim(delivery.id, randomUUID());
      expect(await store.transaction('late', (session) => session.recordAttempt(attemptId, accepted))).toBe(false);
      expect(await store.transaction('late', (session) => session.recordAttempt(randomUUID(), accepted))).toBe(false);
      expect(await store.read((session) => session.attemptsOf([delivery.id]))).toMatchObject([
        { outcome: 'unknown', reason: 'crashed' },
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

    it('gives due deliveries the longest waiting first, as many as asked for', async () => {
      const [one, two] = [await insert(), await insert()];
      const due = await store.read((session) => session.dueDeliveries(everything));
      expect(due.filter((id) => id === one.id || id === two.id)).toEqual([one.id, two.id]);
      expect(await store.read((session) => session.dueDeliveries(1))).toEqual(due.slice(0, 1));
    });
  });
};

import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ProviderEvent } from '../store.ts';
import { digestOpened, longAgo, newDeliveryId, newDelivery, writeDigest } from './builders.ts';
import type { ContractStore } from './store-contract.ts';

const minuteMs = 60_000;
const everything = 10_000;
const later = '2026-01-05T04:00:00.000000Z';
const accepted = { outcome: 'accepted', providerMessageId: 'sg-1', status: 202 } as const;
const unanswered = { outcome: 'unknown', reason: 'timeout', status: null, detail: 'no answer in 30 s' } as const;

export const afterwardsContract = (store: ContractStore): void => {
  const insert = (changes: Parameters<typeof newDelivery>[1] = {}) =>
    store.transaction('insert', async (session) => {
      const delivery = newDelivery((await writeDigest(session, digestOpened())).id, changes);
      await session.insertDeliveries([delivery]);
      return delivery;
    });
  /** A delivery with one attempt that came to that. */
  const attempted = async (outcome: typeof accepted | typeof unanswered) => {
    const delivery = await insert();
    const attemptId = randomUUID();
    await store.transaction('attempt', async (session) => {
      await session.claimDelivery(delivery.id, { id: attemptId, timeoutMs: minuteMs });
      await session.beginAttempt(attemptId);
      await session.recordAttempt(attemptId, outcome);
      await session.updateDelivery(
        delivery.id,
        outcome.outcome === 'accepted'
          ? { state: 'accepted', providerMessageId: outcome.providerMessageId }
          : { state: 'unknown', afterMs: minuteMs, reason: outcome.reason },
      );
    });
    return { id: delivery.id, attemptId };
  };
  const load = (id: ReturnType<typeof newDeliveryId>) => store.read((session) => session.loadDelivery(id));
  const attempts = (id: ReturnType<typeof newDeliveryId>) => store.read((session) => session.attemptsOf([id]));
  const isUnsettled = async (id: ReturnType<typeof newDeliveryId>) =>
    (await store.read((session) => session.unsettledDeliveries(everything))).includes(id);

  describe('what becomes of a message after its provider has answered', () => {
    it('confirms an accepted attempt once, and keeps the first time', async () => {
      const { id, attemptId } = await attempted(accepted);
      const confirm = (at: string) => store.transaction('confirm', (session) => session.confirmAttempt(attemptId, at));
      expect(await confirm(longAgo)).toBe(true);
      expect(await confirm(later)).toBe(false);
      expect(await load(id)).toMatchObject({ state: 'accepted', confirmedAt: longAgo });
      expect(await attempts(id)).toMatchObject([{ outcome: 'confirmed', status: 202, providerMessageId: 'sg-1' }]);
    });

    it('confirms no attempt that is open, unknown, or does not exist', async () => {
      const { id, attemptId } = await attempted(unanswered);
      const [open, openId] = [await insert(), randomUUID()];
      await store.transaction('claim', (session) =>
        session.claimDelivery(open.id, { id: openId, timeoutMs: minuteMs }),
      );
      for (const attempt of [attemptId, openId, randomUUID()])
        expect(await store.transaction('confirm', (session) => session.confirmAttempt(attempt, longAgo))).toBe(false);
      expect(await load(id)).toMatchObject({ confirmedAt: null });
      expect(await load(open.id)).toMatchObject({ confirmedAt: null });
    });

    it('turns an unknown attempt into an accepted one by the word of the provider, once', async () => {
      const { id, attemptId } = await attempted(unanswered);
      const settle = () =>
        store.transaction('settle', (session) => session.settleUnknownAttempt(attemptId, 'sg-9\u0000'));
      expect(await settle()).toBe(true);
      expect(await settle()).toBe(false);
      expect(await attempts(id)).toMatchObject([{ outcome: 'accepted', reason: null, providerMessageId: 'sg-9' }]);
      expect(await store.transaction('confirm', (session) => session.confirmAttempt(attemptId, longAgo))).toBe(true);
    });

    it('leaves attempts of known outcome as they are', async () => {
      const { id, attemptId } = await attempted(accepted);
      expect(await store.transaction('settle', (session) => session.settleUnknownAttempt(attemptId, null))).toBe(false);
      expect(await attempts(id)).toMatchObject([{ outcome: 'accepted', providerMessageId: 'sg-1' }]);
    });

    it('finds the delivery of an attempt', async () => {
      const { id, attemptId } = await attempted(accepted);
      const found = await store.transaction('lock', (session) => session.lockDeliveryOfAttempt(attemptId));
      expect(found).toEqual({ delivery: await load(id), attempt: (await attempts(id))[0] });
      expect(await store.transaction('lock', (session) => session.lockDeliveryOfAttempt(randomUUID()))).toBeNull();
    });

    it('lets another delivery take over from one that came back, and tells its alerts anew', async () => {
      const { id } = await attempted(accepted);
      await store.transaction('settle', (session) => session.settleProgress(id, 0, 1, true));
      expect(await isUnsettled(id)).toBe(false);
      const replaced = await store.transaction('bounce', async (session) => {
        await session.insertDeliveries([
          newDelivery((await writeDigest(session, digestOpened())).id, { fallbackOf: id }),
        ]);
        return session.replaceDelivery(id, 'bounced');
      });
      expect(replaced).toBe(true);
      const delivery = await load(id);
      expect(delivery).toMatchObject({ state: 'replaced', lastReason: 'bounced', settledCount: 0, settledAt: null });
      expect(delivery?.acceptedAt).not.toBeNull();
      expect(await isUnsettled(id)).toBe(true);
      expect(await store.transaction('again', (session) => session.replaceDelivery(id, 'bounced'))).toBe(false);
    });

    it('counts one that came back and that nothing takes over as given up', async () => {
      const { id } = await attempted(accepted);
      const bounce = () => store.transaction('bounce', (session) => session.replaceDelivery(id, 'bounced'));
      expect(await bounce()).toBe(true);
      expect(await bounce()).toBe(false);
      expect(await load(id)).toMatchObject({ state: 'rejected', lastReason: 'bounced', settledAt: null });
    });

    it('lets another delivery take over from one that was given up, whose alerts know it already', async () => {
      const given = await insert();
      await store.transaction('give up', async (session) => {
        await session.updateDelivery(given.id, { state: 'rejected', reason: 'bad-request' });
        await session.settleProgress(given.id, 0, 1, true);
      });
      const redrive = () =>
        store.transaction('redrive', (session) => session.replaceDelivery(given.id, 'tried again by mina'));
      expect(await redrive()).toBe(false);
      await store.transaction('insert', (session) =>
        session.insertDeliveries([newDelivery(given.digestId, { fallbackOf: given.id })]),
      );
      expect(await redrive()).toBe(true);
      expect(await load(given.id)).toMatchObject({ state: 'replaced', settledCount: 1 });
      expect(await isUnsettled(given.id)).toBe(false);
    });

    it('replaces nothing that is on its way, and nothing that does not exist', async () => {
      const waiting = await insert();
      for (const id of [waiting.id, newDeliveryId()])
        expect(await store.transaction('replace', (session) => session.replaceDelivery(id, 'bounced'))).toBe(false);
      expect(await load(waiting.id)).toMatchObject({ state: 'pending' });
    });
  });

  describe('what providers say', () => {
    const said = (changes: Partial<ProviderEvent> = {}): ProviderEvent => ({
      id: randomUUID(),
      provider: 'sendgrid',
      attemptId: randomUUID(),
      deliveryId: newDeliveryId(),
      event: 'delivered',
      recipient: 'mina@example.org',
      detail: null,
      at: longAgo,
      ...changes,
    });
    const record = (...events: readonly ProviderEvent[]) =>
      store.transaction('record', (session) => session.recordProviderEvents(events));

    it('keeps each event once, and says which were new', async () => {
      const [first, second, third] = [said(), said({ event: 'bounce', detail: '550 5.1.1\u0000' }), said()];
      const byId = (events: readonly ProviderEvent[]) => events.toSorted((a, b) => (a.id < b.id ? -1 : 1));
      expect(await record(first, second, { ...first, event: 'open' })).toEqual(
        byId([first, { ...second, detail: '550 5.1.1' }]),
      );
      expect(await record(second, third, first)).toEqual([third]);
      expect(await record(first)).toEqual([]);
      expect(await record()).toEqual([]);
    });

    it('gives those of a delivery in the order they happened', async () => {
      const deliveryId = newDeliveryId();
      const [bounced, processed] = [said({ deliveryId, event: 'bounce', at: later }), said({ deliveryId })];
      const unknown = said({ deliveryId: null, attemptId: null, recipient: null });
      await record(bounced, unknown, processed, said());
      expect(await store.read((session) => session.providerEventsOf(deliveryId))).toEqual([processed, bounced]);
      expect(await store.read((session) => session.providerEventsOf(newDeliveryId()))).toEqual([]);
    });
  });
};

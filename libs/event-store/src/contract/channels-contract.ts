import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { ContractStore } from './store-contract.ts';

const hourMs = 3_600_000;
const circuit = { failuresMax: 3, openMs: 60_000, openMaxMs: 150_000 };

export const channelsContract = (store: ContractStore): void => {
  const newChannel = () => `channel-${randomUUID()}`;
  const take = (channel: string, everyMs: number, burst: number) =>
    store.transaction('take', (session) => session.takeToken(channel, { everyMs, burst }));
  const record = (channel: string, ok: boolean, limits = circuit) =>
    store.transaction('record', (session) => session.recordChannelResult(channel, ok, limits));
  const load = async (channel: string) =>
    (await store.read((session) => session.channelStates([channel, channel]))).get(channel);
  const now = () => store.read((session) => session.now());
  const msUntil = async (instant: string | null | undefined) => Date.parse(instant ?? '') - Date.parse(await now());

  describe('the rate of a channel', () => {
    it('gives as many at once as the bucket holds, then says how long to wait', async () => {
      const channel = newChannel();
      for (let taken = 0; taken < 3; taken += 1) expect(await take(channel, hourMs, 3)).toBe(0);
      const wait = await take(channel, hourMs, 3);
      expect(wait).toBeGreaterThan(hourMs - 60_000);
      expect(wait).toBeLessThanOrEqual(hourMs);
      // Nothing was taken by asking.
      expect(await take(channel, hourMs, 3)).toBeLessThanOrEqual(wait);
      expect(await take(newChannel(), hourMs, 3)).toBe(0);
    });

    it('gives one more after the wait it named, and no more than the bucket holds after a long rest', async () => {
      const channel = newChannel();
      expect(await take(channel, 200, 1)).toBe(0);
      const from = Date.now();
      const wait = await take(channel, 200, 1);
      expect(wait).toBeLessThanOrEqual(200);
      await vi.waitUntil(async () => (await take(channel, 200, 1)) === 0, { interval: 5 });
      expect(Date.now() - from).toBeGreaterThanOrEqual(wait - 1);
      // A rest of many intervals: one, not many.
      await vi.waitUntil(() => Date.now() - from > 1_000);
      expect(await take(channel, 200, 1)).toBe(0);
      expect(await take(channel, 200, 1)).toBeGreaterThan(0);
    });

    it('gives the right back when the transaction is rolled back', async () => {
      const channel = newChannel();
      const failed = store.transaction('fails', async (session) => {
        await session.takeToken(channel, { everyMs: hourMs, burst: 1 });
        throw new Error('no');
      });
      await expect(failed).rejects.toThrow('no');
      expect(await take(channel, hourMs, 1)).toBe(0);
      expect(await take(channel, hourMs, 1)).toBeGreaterThan(0);
    });

    it('takes a bucket that holds less than one message for one that holds one', async () => {
      const channel = newChannel();
      expect(await take(channel, hourMs, 0)).toBe(0);
      expect(await take(channel, hourMs, 0)).toBeGreaterThan(0);
    });
  });

  describe('the circuit of a channel', () => {
    it('opens after failures in a row, and stays as it is while it is open', async () => {
      const channel = newChannel();
      expect(await load(channel)).toBeUndefined();
      expect(await record(channel, false)).toMatchObject({ channel, failures: 1, openUntil: null, opened: 0 });
      await record(channel, false);
      const open = await record(channel, false);
      expect(open).toMatchObject({ failures: 3, opened: 1 });
      expect(await msUntil(open.openUntil)).toBeGreaterThan(circuit.openMs - 10_000);
      expect(await msUntil(open.openUntil)).toBeLessThanOrEqual(circuit.openMs);
      const still = await record(channel, false);
      expect(still).toMatchObject({ failures: 4, opened: 1, openUntil: open.openUntil });
      expect(await load(channel)).toEqual(still);
      expect(still.lastFailedAt).not.toBeNull();
    });

    it('a success between begins the count anew, and closes the circuit', async () => {
      const channel = newChannel();
      for (const ok of [false, false, true, false, false])
        expect(await record(channel, ok)).toMatchObject({ openUntil: null });
      expect(await record(channel, false)).toMatchObject({ opened: 1 });
      const closed = await record(channel, true);
      expect(closed).toMatchObject({ failures: 0, opened: 0, openUntil: null });
      expect(closed.lastAcceptedAt).not.toBeNull();
    });

    it('opens again with the first failure after its time, each time for twice as long, up to a limit', async () => {
      const channel = newChannel();
      const short = { failuresMax: 1, openMs: 20, openMaxMs: 50 };
      const spans: number[] = [];
      for (let opened = 1; opened <= 4; opened += 1) {
        const state = await record(channel, false, short);
        expect(state).toMatchObject({ opened });
        spans.push(Date.parse(state.openUntil ?? '') - Date.parse(state.lastFailedAt ?? ''));
        await vi.waitUntil(async () => (await msUntil(state.openUntil)) < 0);
      }
      // The two times are taken one after the other.
      for (const [index, expected] of [20, 40, 50, 50].entries()) {
        expect(spans[index]).toBeLessThanOrEqual(expected);
        expect(spans[index]).toBeGreaterThan(expected - 15);
      }
    });

    it('is held open for as long as a provider wishes, which is no failure', async () => {
      const channel = newChannel();
      const hold = (forMs: number) => store.transaction('hold', (session) => session.holdChannel(channel, forMs));
      await hold(hourMs);
      const held = await load(channel);
      expect(held).toMatchObject({ failures: 0, opened: 0, lastFailedAt: null });
      expect(await msUntil(held?.openUntil)).toBeGreaterThan(hourMs - 60_000);
      await hold(1_000);
      expect(await load(channel)).toEqual(held);
      await hold(2 * hourMs);
      expect(await msUntil((await load(channel))?.openUntil)).toBeGreaterThan(hourMs);
    });
  });

  describe('a parked channel', () => {
    it('is parked once, with its reason, and renewed when it is refused again', async () => {
      const channel = newChannel();
      const park = (reason: string) => store.transaction('park', (session) => session.parkChannel(channel, reason));
      expect(await park('401: the key is not valid\u0000')).toBe(true);
      const parked = await load(channel);
      expect(parked).toMatchObject({ parkedReason: '401: the key is not valid' });
      await vi.waitUntil(async () => (await now()).slice(0, 23) > (parked?.parkedAt ?? '').slice(0, 23));
      expect(await park('403')).toBe(false);
      const again = await load(channel);
      expect(again?.parkedReason).toBe('403');
      expect((again?.parkedAt ?? '') > (parked?.parkedAt ?? '')).toBe(true);
    });

    it('is let go with its circuit closed, and tells whether it was parked', async () => {
      const channel = newChannel();
      const unpark = () => store.transaction('unpark', (session) => session.unparkChannel(channel));
      expect(await unpark()).toBe(false);
      for (let failures = 0; failures < 3; failures += 1) await record(channel, false);
      expect(await unpark()).toBe(false);
      expect(await load(channel)).toMatchObject({ openUntil: null, failures: 0, opened: 0 });
      await store.transaction('park', (session) => session.parkChannel(channel, '401'));
      expect(await unpark()).toBe(true);
      expect(await load(channel)).toMatchObject({ parkedAt: null, parkedReason: null });
    });

    it('stays parked whatever an attempt comes to', async () => {
      const channel = newChannel();
      await store.transaction('park', (session) => session.parkChannel(channel, '401'));
      expect((await record(channel, true)).parkedAt).not.toBeNull();
      expect((await record(channel, false)).parkedAt).not.toBeNull();
    });
  });

  it('remembers with which settings a channel was seen to work', async () => {
    const channel = newChannel();
    for (const settings of ['a', 'b'])
      await store.transaction('verify', (session) => session.verifyChannel(channel, settings));
    const state = await load(channel);
    expect(state).toMatchObject({ verifiedSettings: 'b', failures: 0 });
    expect(state?.verifiedAt).not.toBeNull();
  });
};

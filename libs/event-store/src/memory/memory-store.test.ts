import { describe, expect, it } from 'vitest';
import { alertOf, longAgo, opened, writeAlert } from '../contract/builders.ts';
import { storeContract } from '../contract/store-contract.ts';
import { createMemoryStore } from './memory-store.ts';

const systemClock = () => new Date().toISOString();

storeContract('the store in memory', createMemoryStore({ now: systemClock }));

describe('createMemoryStore', () => {
  it('runs transactions one after the other', async () => {
    const store = createMemoryStore({ now: systemClock });
    const first = opened();
    const seen = await Promise.all([
      store.transaction('write', async (session) => {
        await writeAlert(session, first);
        await session.now();
      }),
      store.transaction('read', (session) => session.loadAlerts([first.data.alertId])),
    ]);
    expect(seen[1]).toEqual([alertOf(first)]);
  });

  it('goes on after a transaction that threw, and tells it that it was rolled back', async () => {
    const store = createMemoryStore({ now: systemClock });
    const undone: string[] = [];
    const failed = store.transaction('fails', async (session) => {
      session.tx.onRollback(() => undone.push('first'));
      session.tx.onRollback(() => undone.push('second'));
      await session.saveCursor('c', longAgo, {});
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    expect(undone).toEqual(['second', 'first']);
    expect(await store.read((session) => session.loadCursor('c'))).toBeNull();
  });

  it('refuses a transaction inside another, which would wait for itself', async () => {
    const store = createMemoryStore({ now: systemClock });
    await expect(store.transaction('outer', () => store.read((session) => session.now()))).rejects.toThrow(
      'inside another',
    );
  });

  it('refuses a session whose transaction has ended', async () => {
    const store = createMemoryStore({ now: systemClock });
    const session = await store.transaction('ends', async (open) => open);
    await expect(session.now()).rejects.toThrow('after its end');
  });

  it('does not keep what the caller changes afterwards', async () => {
    const store = createMemoryStore({ now: systemClock });
    const data = { lastId: 'a' };
    await store.transaction('save', (session) => session.saveCursor('c', longAgo, data));
    data.lastId = 'b';
    expect((await store.read((session) => session.loadCursor('c')))?.data).toEqual({ lastId: 'a' });
  });

  it('shows what it holds', async () => {
    const store = createMemoryStore({ now: systemClock });
    const state = await store.transaction('write', (session) => writeAlert(session, opened()));
    expect(store.contents().alerts).toEqual([state]);
    expect(store.contents().events).toHaveLength(1);
  });
});

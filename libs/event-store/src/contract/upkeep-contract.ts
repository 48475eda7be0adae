import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import type { ContractStore } from './store-contract.ts';

export const upkeepContract = (store: ContractStore): void => {
  describe('cursors', () => {
    it('moves forward, keeps its data, and never goes back', async () => {
      const name = randomUUID();
      const save = (changedAt: string, lastId: string) =>
        store.transaction('save', (session) => session.saveCursor(name, changedAt, { lastId }));
      const load = () => store.read((session) => session.loadCursor(name));

      expect(await load()).toBeNull();
      await save('2026-01-05T03:00:00.000002Z', 'a');
      await save('2026-01-05T03:00:00.000001Z', 'too late');
      expect(await load()).toEqual({ changedAt: '2026-01-05T03:00:00.000002Z', data: { lastId: 'a' } });
      await save('2026-01-05T03:00:00.000002Z', 'b');
      expect(await load()).toEqual({ changedAt: '2026-01-05T03:00:00.000002Z', data: { lastId: 'b' } });
      await save('2026-01-05T03:00:01Z', 'c');
      expect(await load()).toEqual({ changedAt: '2026-01-05T03:00:01.000000Z', data: { lastId: 'c' } });
    });
  });

  describe('heartbeats and quarantine', () => {
    it('takes the same heartbeat and the same quarantined job again', async () => {
      const id = randomUUID();
      for (let time = 0; time < 2; time += 1) {
        await store.transaction('twice', async (session) => {
          await session.beat('detector', id, { reads: time });
          await session.quarantine([
            { id, queue: 'signals', payload: { error: 'a\u0000b' }, reason: 'not a signal' },
            { id: randomUUID(), queue: 'signals', payload: null, reason: 'nothing' },
          ]);
        });
      }
    });
  });
};

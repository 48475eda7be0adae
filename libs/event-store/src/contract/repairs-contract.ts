import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { inMicroseconds } from '../instant.ts';
import type { IntendedRepair } from '../store.ts';
import { newAlertId, newOutcomeId } from './builders.ts';
import type { ContractStore } from './store-contract.ts';

const requeue = (table: string, changes: Partial<IntendedRepair> = {}): IntendedRepair => ({
  id: randomUUID(),
  outcomeId: newOutcomeId(),
  table,
  jobId: '1',
  action: 'requeue',
  restart: 1,
  ...changes,
});

export const repairsContract = (store: ContractStore): void => {
  const intend = (repair: IntendedRepair) => store.transaction('intend', (session) => session.intendRepair(repair));
  const settle = (id: string, state: 'done' | 'skipped', reason: string | null = null) =>
    store.transaction('settle', (session) => session.settleRepair(id, state, reason));
  const restarts = (table: string, ...jobIds: readonly string[]) =>
    store.read((session) => session.restartsOf(table, jobIds));

  describe('repairs', () => {
    it('are recorded once per outcome, before they are tried', async () => {
      const table = randomUUID();
      const repair = requeue(table);
      expect(await intend(repair)).toBe(true);
      expect(await intend(repair)).toBe(false);
      expect(await intend({ ...repair, id: randomUUID(), action: 'mark_dead', restart: null })).toBe(false);
      expect(await store.read((session) => session.intendedRepairs(table, 0, 10))).toEqual([repair]);
    });

    it('are found as long as their end is not recorded, oldest first', async () => {
      const table = randomUUID();
      const [one, two, three] = [
        requeue(table),
        requeue(table, { action: 'mark_dead', restart: null }),
        requeue(table),
      ] as const;
      for (const repair of [one, two, three]) await intend(repair);
      await intend(requeue(randomUUID()));
      await settle(two.id, 'done');
      expect(await store.read((session) => session.intendedRepairs(table, 0, 10))).toEqual([one, three]);
      expect(await store.read((session) => session.intendedRepairs(table, 0, 1))).toEqual([one]);
      expect(await store.read((session) => session.intendedRepairs(table, 60_000, 10))).toEqual([]);
    });

    it('end once, and are then known by their outcome', async () => {
      const table = randomUUID();
      const [done, skipped, open] = [requeue(table), requeue(table), requeue(table)] as const;
      for (const repair of [done, skipped, open]) await intend(repair);
      await settle(done.id, 'done');
      expect(await settle(skipped.id, 'skipped', 'the heartbeat\u0000 moved')).toBe(true);
      expect(await settle(skipped.id, 'done')).toBe(false);
      const ids = [done, skipped, open].map(({ outcomeId }) => outcomeId);
      const settled = await store.read((session) => session.settledRepairs(ids));
      expect(new Map(settled.map((repair) => [repair.id, repair]))).toEqual(
        new Map([
          [done.id, { ...done, result: 'done', reason: null, settledAt: expect.any(String), alertId: null }],
          [
            skipped.id,
            {
              ...skipped,
              result: 'skipped',
              reason: 'the heartbeat moved',
              settledAt: expect.any(String),
              alertId: null,
            },
          ],
        ]),
      );
      for (const { settledAt } of settled) expect(settledAt).toBe(inMicroseconds(settledAt));
      expect(await store.read((session) => session.settledRepairs([]))).toEqual([]);
    });

    it('keep the alert that has them', async () => {
      const repair = requeue(randomUUID());
      const alertId = newAlertId();
      const recordedIn = async () =>
        (await store.read((session) => session.settledRepairs([repair.outcomeId]))).map((settled) => settled.alertId);
      await intend(repair);
      await settle(repair.id, 'done');
      expect(await recordedIn()).toEqual([null]);
      for (const id of [alertId, newAlertId()])
        await store.transaction('record', (session) =>
          session.recordRepairs([
            { id: repair.id, alertId: id },
            { id: randomUUID(), alertId },
          ]),
        );
      expect(await recordedIn()).toEqual([alertId]);
    });

    it('count as restarts of their job when it was requeued, or may have been', async () => {
      const table = randomUUID();
      const [done, intended, skipped] = [requeue(table), requeue(table, { restart: 2 }), requeue(table)] as const;
      for (const repair of [done, intended, skipped]) await intend(repair);
      await intend(requeue(table, { jobId: '2', action: 'mark_dead', restart: null }));
      await intend(requeue(randomUUID()));
      await settle(done.id, 'done');
      await settle(skipped.id, 'skipped', 'no checkpoint');
      const counted = await restarts(table, '1', '2', '3');
      expect(counted).toEqual(new Map([['1', { restarts: 2, lastAt: expect.any(String) }]]));
      const [settled] = await store.read((session) => session.settledRepairs([done.outcomeId]));
      expect(counted.get('1')?.lastAt).toBe(settled?.settledAt);
      expect(await restarts(table)).toEqual(new Map());
    });
  });
};

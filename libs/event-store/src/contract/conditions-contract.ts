import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ConditionEnd, ConditionSubject } from '../store.ts';
import { longAgo, newAlertId, newOutcomeId } from './builders.ts';
import type { ContractStore } from './store-contract.ts';

const subject: ConditionSubject = {
  source: 'apple',
  jobType: 'refresh_catalog',
  targetId: null,
  run: '2026-01-05',
  facts: { heartbeatAt: '2026-01-05T02:00:00.000001Z', attempts: 2, stage: null },
};

const condition = (
  table: string,
  jobId: string,
  changes: { readonly kind?: string; readonly failedAt?: string } = {},
) => ({
  id: newOutcomeId(),
  table,
  jobId,
  kind: 'stuck',
  failedAt: longAgo,
  subject,
  ...changes,
});

const endOf = (id: ConditionEnd['id'], changes: Partial<ConditionEnd> = {}): ConditionEnd => ({
  id,
  cause: 'alive',
  note: 'heartbeat again',
  endedAt: '2026-01-05T03:20:00.000001Z',
  ...changes,
});

export const conditionsContract = (store: ContractStore): void => {
  const announce = (...conditions: readonly ReturnType<typeof condition>[]) =>
    store.transaction('announce', (session) => session.announceOutcomes(conditions));
  const end = (...ends: readonly ConditionEnd[]) => store.transaction('end', (session) => session.endConditions(ends));
  const openIds = async (table: string, limit = 10) =>
    (await store.read((session) => session.openConditions(table, limit))).map(({ id }) => id);

  describe('conditions', () => {
    it('is new once, as long as it is open, whatever id another detector gives it', async () => {
      const table = randomUUID();
      const first = condition(table, '1');
      expect(await announce(first)).toEqual(new Set([first.id]));
      expect(await announce(first)).toEqual(new Set());
      expect(await announce(condition(table, '1'), condition(table, '1'))).toEqual(new Set());
      expect(await openIds(table)).toEqual([first.id]);
    });

    it('takes one of two that are announced together for the same job', async () => {
      const table = randomUUID();
      const twins = [condition(table, '1'), condition(table, '1')] as const;
      const added = await announce(...twins);
      expect(added.size).toBe(1);
      expect(await openIds(table)).toEqual([...added]);
    });

    it('tells kinds, jobs and tables apart, and conditions from failures', async () => {
      const [table, other] = [randomUUID(), randomUUID()];
      const open = [
        condition(table, '1'),
        condition(table, '2'),
        condition(table, '1', { kind: 'stalled' }),
        condition(other, '1'),
      ] as const;
      const { subject: _, ...failed } = condition(table, '1');
      expect(await announce(...open)).toEqual(new Set(open.map(({ id }) => id)));
      expect(await store.transaction('announce', (session) => session.announceOutcomes([failed]))).toEqual(
        new Set([failed.id]),
      );
      expect(new Set(await openIds(table))).toEqual(new Set(open.slice(0, 3).map(({ id }) => id)));
    });

    it('gives the open ones of a table, the oldest first, as they were announced', async () => {
      const table = randomUUID();
      const late = condition(table, '1', { failedAt: '2026-01-05T05:00:00.000002Z' });
      const early = condition(table, '2', { failedAt: '2026-01-05T05:00:00.000001Z' });
      await announce(late, early);
      const given = ({ id, kind, jobId, failedAt }: typeof late) => ({ id, kind, jobId, failedAt, subject });
      expect(await store.read((session) => session.openConditions(table, 10))).toEqual([given(early), given(late)]);
      expect(await openIds(table, 1)).toEqual([early.id]);
    });

    it('ends an open one once and says who ended it', async () => {
      const table = randomUUID();
      const [one, two] = [condition(table, '1'), condition(table, '2')];
      await announce(one, two);
      const first = endOf(one.id);
      expect(await end(first, endOf(one.id, { cause: 'ended', note: 'too late' }))).toEqual(new Set([one.id]));
      expect(await end(endOf(one.id, { cause: 'succeeded' }), endOf(newOutcomeId()))).toEqual(new Set());
      expect(await openIds(table)).toEqual([two.id]);
      expect(await store.read((session) => session.endedConditions([two.id, one.id, newOutcomeId()]))).toEqual([
        { ...first, table, kind: 'stuck', jobId: '1' },
      ]);
    });

    it('may begin again under another id once it has ended, and not under the same', async () => {
      const table = randomUUID();
      const first = condition(table, '1');
      await announce(first);
      const again = condition(table, '1');
      const added = await store.transaction('end and announce', async (session) => {
        await session.endConditions([endOf(first.id, { note: null })]);
        return session.announceOutcomes([again, first]);
      });
      expect(added).toEqual(new Set([again.id]));
      expect(await openIds(table)).toEqual([again.id]);
      expect(await end(endOf(again.id))).toEqual(new Set([again.id]));
    });

    it('never ends what is no condition', async () => {
      const { subject: _, ...failed } = condition(randomUUID(), '1');
      await store.transaction('announce', (session) => session.announceOutcomes([failed]));
      expect(await end(endOf(failed.id))).toEqual(new Set());
      expect(await store.read((session) => session.endedConditions([failed.id]))).toEqual([]);
    });

    it('stays open when an alert records it', async () => {
      const table = randomUUID();
      const { subject: _, ...recorded } = condition(table, '1');
      await announce({ ...recorded, subject });
      const alertId = newAlertId();
      await store.transaction('record', (session) =>
        session.recordOutcomes([{ ...recorded, alertId, disposition: 'recorded' }]),
      );
      expect(await openIds(table)).toEqual([recorded.id]);
      expect(await store.read((session) => session.alertsOfOutcomes([recorded.id, newOutcomeId()]))).toEqual(
        new Map([[recorded.id, alertId]]),
      );
    });
  });
};

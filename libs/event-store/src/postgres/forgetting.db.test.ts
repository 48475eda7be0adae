import { randomUUID } from 'node:crypto';
import { alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import { createTestDatabase } from '@tocsin/testing';
import { beforeEach, expect, it } from 'vitest';
import { longAgo, newAlertId, newOutcomeId } from '../contract/builders.ts';
import { forgetOutcomes } from './forget-outcomes.ts';
import { forgetRepairs } from './forget-repairs.ts';
import { createPostgresStore } from './postgres-store.ts';

const { pool } = await createTestDatabase();
const store = createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: alertModelVersion });
const dayMs = 86_400_000;

beforeEach(async () => {
  await pool.query('truncate tocsin.outcomes, tocsin.repairs');
});

const subject = { source: 'apple', jobType: 'refresh_catalog', targetId: null, run: null, facts: {} };
const outcome = (jobId: string) => ({ id: newOutcomeId(), table: 'jobs', jobId, kind: 'stuck', failedAt: longAgo });
const known = async (): Promise<readonly string[]> =>
  (await pool.query<{ job_id: string }>('select job_id from tocsin.outcomes order by job_id')).rows.map(
    ({ job_id }) => job_id,
  );

it('never forgets a condition that holds, nor a held failure, and an ended condition only some time after its end', async () => {
  const [open, endedLately, endedLongAgo] = [outcome('open'), outcome('ended lately'), outcome('ended long ago')];
  const [failed, held] = [outcome('failed'), outcome('held')];
  const conditions = [open, endedLately, endedLongAgo];
  await store.transaction('write', async (session) => {
    await session.announceOutcomes([...conditions.map((condition) => ({ ...condition, subject })), failed, held]);
    await session.recordOutcomes([
      ...[...conditions, failed].map((dealt) => ({
        ...dealt,
        alertId: newAlertId(),
        disposition: 'recorded' as const,
      })),
      { ...held, alertId: null, disposition: 'held' },
    ]);
    const ended = { cause: 'alive', note: null } as const;
    await session.endConditions([
      { ...ended, id: endedLately.id, endedAt: await session.now() },
      { ...ended, id: endedLongAgo.id, endedAt: longAgo },
    ]);
  });
  await pool.query(`update tocsin.outcomes set recorded_at = now() - interval '2 days'`);
  expect(await forgetOutcomes(pool, dayMs, 1)).toBe(1);
  expect(await forgetOutcomes(pool, dayMs, 100)).toBe(1);
  expect(await known()).toEqual(['ended lately', 'held', 'open']);
});

it('forgets repairs that ended, at most as many as asked for, once their outcome is forgotten', async () => {
  const { id: knownId, ...rest } = outcome('1');
  await store.transaction('write', async (session) => {
    await session.announceOutcomes([{ id: knownId, ...rest }]);
    for (const outcomeId of [newOutcomeId(), newOutcomeId(), newOutcomeId(), knownId]) {
      const id = randomUUID();
      await session.intendRepair({ id, outcomeId, table: 'jobs', jobId: '1', action: 'requeue', restart: 1 });
      await session.settleRepair(id, 'done', null);
    }
    const open = { id: randomUUID(), outcomeId: newOutcomeId(), jobId: '2' };
    await session.intendRepair({ ...open, table: 'jobs', action: 'mark_dead', restart: null });
  });
  expect(await forgetRepairs(pool, dayMs, 100)).toBe(0);
  await pool.query(
    `update tocsin.repairs set settled_at = settled_at - interval '2 days' where settled_at is not null`,
  );
  expect(await forgetRepairs(pool, dayMs, 2)).toBe(2);
  expect(await forgetRepairs(pool, dayMs, 100)).toBe(1);
  const { rows } = await pool.query('select outcome_id, job_id, state from tocsin.repairs order by job_id');
  expect(rows).toMatchObject([
    { outcome_id: knownId, job_id: '1', state: 'done' },
    { job_id: '2', state: 'intended' },
  ]);
});

import { randomUUID } from 'node:crypto';
import { alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import { createTestDatabase } from '@tocsin/testing';
import { beforeEach, expect, it } from 'vitest';
import { longAfter, longAgo, newAlertId, newOutcomeId, opened, resolved, writeAlert } from '../contract/builders.ts';
import { newSilence, silencedBy } from '../contract/silences-contract.ts';
import { forgetCanaryJobs } from './forget-canary-jobs.ts';
import { forgetOutcomes } from './forget-outcomes.ts';
import { forgetProviderEvents } from './forget-provider-events.ts';
import { forgetRepairs } from './forget-repairs.ts';
import { forgetSilences } from './forget-silences.ts';
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

it('forgets what providers said, the oldest first', async () => {
  const said = { provider: 'sendgrid', attemptId: null, deliveryId: null, event: 'delivered' } as const;
  const events = ['a', 'b', 'c'].map((id) => ({ ...said, id, recipient: null, detail: null, at: longAgo }));
  await store.transaction('write', (session) => session.recordProviderEvents(events));
  expect(await forgetProviderEvents(pool, dayMs, 100)).toBe(0);
  await pool.query(`update tocsin.provider_events set recorded_at = now() - interval '2 days' where id < 'c'`);
  await pool.query(`update tocsin.provider_events set recorded_at = now() - interval '3 days' where id = 'b'`);
  expect(await forgetProviderEvents(pool, dayMs, 1)).toBe(1);
  expect((await pool.query('select id from tocsin.provider_events order by id')).rows).toEqual([
    { id: 'a' },
    { id: 'c' },
  ]);
  expect(await forgetProviderEvents(pool, dayMs, 100)).toBe(1);
});

it('forgets silences some time after their end, but none that holds or still mutes an open alert', async () => {
  const [holds, over, lately, muting, done] = ['1', '2', '3', '4', '5'].map((name) => newSilence({ name }));
  if (holds === undefined || over === undefined || lately === undefined || muting === undefined || done === undefined)
    throw new Error('five silences');
  await store.transaction('write', async (session) => {
    await session.insertSilences([holds, over, lately, muting, done]);
    for (const { id } of [over, lately, muting, done]) await session.endSilence(id, 'ended', 'mina');
    await writeAlert(session, opened(), silencedBy(muting.id));
    await writeAlert(session, opened(), silencedBy(done.id), resolved(longAfter));
  });
  await pool.query(
    `update tocsin.silences set ended_at = now() - interval '2 days' where ended_at is not null and id <> $1`,
    [lately.id],
  );
  expect(await forgetSilences(pool, dayMs, 1)).toBe(1);
  expect(await forgetSilences(pool, dayMs, 100)).toBe(1);
  expect((await pool.query('select name from tocsin.silences order by name')).rows).toEqual([
    { name: '1' },
    { name: '3' },
    { name: '4' },
  ]);
});

it('forgets canaries that have come back, and keeps the one that has not', async () => {
  await pool.query(
    `insert into tocsin.canary_jobs (target_id, status, updated_at)
     values
       ('old', 'succeeded', now() - interval '2 days'),
       ('older', 'succeeded', now() - interval '3 days'),
       ('new', 'succeeded', now()),
       ('lost', 'failed', now() - interval '2 days')`,
  );
  expect(await forgetCanaryJobs(pool, dayMs, 1)).toBe(1);
  expect(await forgetCanaryJobs(pool, dayMs, 100)).toBe(1);
  expect((await pool.query('select target_id from tocsin.canary_jobs order by target_id')).rows).toEqual([
    { target_id: 'lost' },
    { target_id: 'new' },
  ]);
});

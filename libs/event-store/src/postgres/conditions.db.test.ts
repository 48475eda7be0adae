import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import { createTestDatabase } from '@tocsin/testing';
import { expect, it } from 'vitest';
import { longAgo, newOutcomeId } from '../contract/builders.ts';
import type { ConditionEnd } from '../store.ts';
import { createPostgresStore } from './postgres-store.ts';

const { pool } = await createTestDatabase();
const store = createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: alertModelVersion });

const subject = { source: 'apple', jobType: 'refresh_catalog', targetId: null, run: null, facts: {} };
const condition = (table: string, jobId: string) => ({
  id: newOutcomeId(),
  table,
  jobId,
  kind: 'stuck',
  failedAt: longAgo,
  subject,
});
const endOf = (id: ConditionEnd['id']): ConditionEnd => ({ id, cause: 'alive', note: null, endedAt: longAgo });

/** Waits until another session waits for a lock. */
const someoneWaits = async (): Promise<void> => {
  for (;;) {
    const { rows } = await pool.query<{ readonly waiting: boolean }>(
      `select exists (
         select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
       ) as waiting`,
    );
    if (rows[0]?.waiting === true) return;
    await setImmediate();
  }
};

it('lets one of two detectors announce a condition, and makes the other wait until that is certain', async () => {
  const table = randomUUID();
  const [first, second] = [condition(table, '1'), condition(table, '1')];
  let waited: Promise<ReadonlySet<string>> | undefined;
  await store.transaction('first', async (session) => {
    expect(await session.announceOutcomes([first])).toEqual(new Set([first.id]));
    waited = store.transaction('second', (other) => other.announceOutcomes([second]));
    await someoneWaits();
  });
  expect(await waited).toEqual(new Set());
});

it('lets the second detector announce it when the first one rolls back', async () => {
  const table = randomUUID();
  const [first, second] = [condition(table, '1'), condition(table, '1')];
  let waited: Promise<ReadonlySet<string>> | undefined;
  const failed = store.transaction('first', async (session) => {
    await session.announceOutcomes([first]);
    waited = store.transaction('second', (other) => other.announceOutcomes([second]));
    await someoneWaits();
    throw new Error('the first detector died');
  });
  await expect(failed).rejects.toThrow('died');
  expect(await waited).toEqual(new Set([second.id]));
});

it('lets a condition begin anew only after its end is certain', async () => {
  const table = randomUUID();
  const [first, again] = [condition(table, '1'), condition(table, '1')];
  await store.transaction('begin', (session) => session.announceOutcomes([first]));
  let waited: Promise<ReadonlySet<string>> | undefined;
  await store.transaction('end', async (session) => {
    await session.endConditions([endOf(first.id)]);
    waited = store.transaction('again', (other) => other.announceOutcomes([again]));
    await someoneWaits();
  });
  expect(await waited).toEqual(new Set([again.id]));
});

it('lets two detectors begin and end the same conditions, named in opposite order, without a deadlock', async () => {
  const table = randomUUID();
  const jobs = Array.from({ length: 400 }, (_, job) => String(job));
  const seen = (turn: number) => {
    const conditions = jobs.map((job) => condition(table, job));
    return turn % 2 === 0 ? conditions : conditions.toReversed();
  };
  const announced = await Promise.all(
    [0, 1, 2, 3].map((turn) =>
      store.transaction('announce', (session) => session.announceOutcomes(seen(turn))).then((ids) => [...ids]),
    ),
  );
  expect(announced.flat()).toHaveLength(jobs.length);

  const ends = announced.flat().map(endOf);
  const ended = await Promise.all(
    [0, 1, 2, 3].map((turn) =>
      store
        .transaction('end', (session) => session.endConditions(turn % 2 === 0 ? ends : ends.toReversed()))
        .then((ids) => [...ids]),
    ),
  );
  expect(ended.flat().toSorted()).toEqual(announced.flat().toSorted());
});

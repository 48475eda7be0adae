import { randomUUID } from 'node:crypto';
import { alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import { createTestDatabase } from '@tocsin/testing';
import { expect, it, vi } from 'vitest';
import { digestOpened, newDelivery, writeDigest } from '../contract/builders.ts';
import type { PostgresSession } from './postgres-session.ts';
import { createPostgresStore } from './postgres-store.ts';

const { pool } = await createTestDatabase();
const store = createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: alertModelVersion });
const minuteMs = 60_000;
const accepted = { outcome: 'accepted', providerMessageId: null, status: 202 } as const;

const insert = () =>
  store.transaction('insert', async (session) => {
    const delivery = newDelivery((await writeDigest(session, digestOpened())).id);
    await session.insertDeliveries([delivery]);
    return delivery.id;
  });

/** A transaction that does its work, stays open until it is told to end, and then finishes. */
const holdOpen = <Result>(
  work: (session: PostgresSession) => Promise<Result>,
  finish: (session: PostgresSession) => Promise<void> = async () => {},
) => {
  const release = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<Result>();
  const done = store.transaction('held', async (session) => {
    reached.resolve(await work(session));
    await release.promise;
    await finish(session);
  });
  done.catch((error: unknown) => reached.reject(error));
  return { reached: reached.promise, end: () => (release.resolve(), done) };
};

const untilSomebodyWaitsForALock = () =>
  vi.waitUntil(async () => {
    const { rows } = await pool.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rows.length > 0;
  });

it('passes over a delivery that somebody else is claiming, without waiting', async () => {
  const id = await insert();
  const held = holdOpen((session) => session.claimDelivery(id, { id: randomUUID(), timeoutMs: minuteMs }));
  expect(await held.reached).toMatchObject({ number: 1 });
  expect(
    await store.transaction('claim', (session) => session.claimDelivery(id, { id: randomUUID(), timeoutMs: minuteMs })),
  ).toBeNull();
  await held.end();
});

it('gives one delivery to one of many who ask at once', async () => {
  const id = await insert();
  const claims = await Promise.all(
    Array.from({ length: 8 }, () =>
      store.transaction('claim', (session) => session.claimDelivery(id, { id: randomUUID(), timeoutMs: minuteMs })),
    ),
  );
  expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
  expect(await store.read((session) => session.attemptsOf([id]))).toHaveLength(1);
});

/** A delivery whose attempt began, and whose time then passed. */
const insertAbandoned = async () => {
  const id = await insert();
  const attemptId = randomUUID();
  await store.transaction('claim', (session) => session.claimDelivery(id, { id: attemptId, timeoutMs: 500 }));
  expect(await store.transaction('begin', (session) => session.beginAttempt(attemptId))).toBe(true);
  await vi.waitUntil(async () => (await store.read((session) => session.dueDeliveries(1_000))).includes(id));
  return { id, attemptId };
};

it('makes a late process wait for the one that takes it for dead, and then tells it so, without a deadlock', async () => {
  const { id, attemptId } = await insertAbandoned();
  const successor = holdOpen(async (session) => {
    const claim = await session.claimDelivery(id, { id: randomUUID(), timeoutMs: minuteMs });
    await session.updateDelivery(id, { state: 'unknown', afterMs: 0, reason: 'crashed' });
    return claim;
  });
  expect(await successor.reached).toMatchObject({ abandoned: 'attempting' });
  const late = store.transaction('late', (session) => session.recordAttempt(attemptId, accepted));
  await untilSomebodyWaitsForALock();
  await successor.end();
  expect(await late).toBe(false);
  expect(await store.read((session) => session.attemptsOf([id]))).toMatchObject([
    { outcome: 'unknown', reason: 'crashed' },
  ]);
});

it('lets a process that records in time finish, although another already came to take over', async () => {
  const id = await insert();
  const attemptId = randomUUID();
  await store.transaction('claim', (session) => session.claimDelivery(id, { id: attemptId, timeoutMs: 0 }));
  const finishing = holdOpen(
    (session) => session.recordAttempt(attemptId, accepted),
    (session) => session.updateDelivery(id, { state: 'accepted', providerMessageId: null }),
  );
  expect(await finishing.reached).toBe(true);
  expect(
    await store.transaction('claim', (session) => session.claimDelivery(id, { id: randomUUID(), timeoutMs: 0 })),
  ).toBeNull();
  await finishing.end();
  expect(
    await store.transaction('claim', (session) => session.claimDelivery(id, { id: randomUUID(), timeoutMs: 0 })),
  ).toBeNull();
  expect(await store.read((session) => session.loadDelivery(id))).toMatchObject({ state: 'accepted' });
});

it('lets a sleeper that wakes while it is taken for dead send nothing, without a deadlock', async () => {
  const id = await insert();
  const attemptId = randomUUID();
  await store.transaction('claim', (session) => session.claimDelivery(id, { id: attemptId, timeoutMs: 300 }));
  await vi.waitUntil(async () => (await store.read((session) => session.dueDeliveries(1_000))).includes(id));
  const successor = holdOpen(async (session) => {
    const claim = await session.claimDelivery(id, { id: randomUUID(), timeoutMs: minuteMs });
    await session.updateDelivery(id, { state: 'retrying', afterMs: 0, reason: 'crashed' });
    return claim;
  });
  expect(await successor.reached).toMatchObject({ abandoned: 'claimed' });
  expect(await store.transaction('begin', (session) => session.beginAttempt(attemptId))).toBe(false);
  await successor.end();
  expect(await store.transaction('begin', (session) => session.beginAttempt(attemptId))).toBe(false);
  expect(await store.read((session) => session.attemptsOf([id]))).toMatchObject([{ outcome: 'retry' }]);
});

it('makes a sleeper wait for whoever closes its attempt, and then send nothing', async () => {
  const id = await insert();
  const attemptId = randomUUID();
  await store.transaction('claim', (session) => session.claimDelivery(id, { id: attemptId, timeoutMs: minuteMs }));
  const closing = holdOpen((session) =>
    session.recordAttempt(attemptId, {
      outcome: 'retry',
      reason: 'throttled',
      retryAfterMs: null,
      status: null,
      detail: '',
    }),
  );
  expect(await closing.reached).toBe(true);
  const late = store.transaction('begin', (session) => session.beginAttempt(attemptId));
  await untilSomebodyWaitsForALock();
  await closing.end();
  expect(await late).toBe(false);
});

import { randomUUID } from 'node:crypto';
import { alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import { createPool } from '@tocsin/runtime';
import { createTestDatabase } from '@tocsin/testing';
import { afterAll, expect, it } from 'vitest';
import { createPostgresStore } from './postgres-store.ts';

const { connectionString } = await createTestDatabase();
/** As many connections as there are replicas below. */
const replicas = 8;
const pool = createPool({ connectionString, max: replicas, applicationName: 'replicas', onError: () => {} });
afterAll(() => pool.end());
const store = createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: alertModelVersion });

const take = (channel: string, limit: { readonly everyMs: number; readonly burst: number }) =>
  store.transaction('take', (session) => session.takeToken(channel, limit));
const fail = (channel: string) =>
  store.transaction('record', (session) =>
    session.recordChannelResult(channel, false, { failuresMax: 5, openMs: 60_000, openMaxMs: 900_000 }),
  );

it('grants eight replicas that ask at once exactly what the bucket holds', async () => {
  const limit = { everyMs: 3_600_000, burst: 5 };
  for (let times = 0; times < 5; times += 1) {
    const channel = randomUUID();
    const answers = await Promise.all(Array.from({ length: 40 }, () => take(channel, limit)));
    expect(answers.filter((wait) => wait === 0)).toHaveLength(limit.burst);
  }
});

it('grants eight replicas that go on asking exactly what the bucket holds and what comes into it meanwhile', async () => {
  const channel = randomUUID();
  // So large that it is never full again while they ask, even on a machine that stands still for a while.
  const limit = { everyMs: 10, burst: 100 };
  const bucket = async () => {
    const { rows } = await pool.query<{ readonly tokens: number; readonly ms: number }>(
      `select tokens, extract(epoch from tokens_at)::double precision * 1000 as ms
       from tocsin.channel_states
       where channel = $1`,
      [channel],
    );
    return rows[0] ?? { tokens: Number.NaN, ms: Number.NaN };
  };
  expect(await take(channel, limit)).toBe(0);
  const before = await bucket();
  expect(before.tokens).toBe(limit.burst - 1);
  let granted = 0;
  const waits: number[] = [];
  await Promise.all(
    Array.from({ length: replicas }, async () => {
      while (waits.length < 200) {
        const wait = await take(channel, limit);
        if (wait === 0) granted += 1;
        else waits.push(wait);
      }
    }),
  );
  const after = await bucket();
  // What was there, and what came by the time of the last grant, was granted or is left.
  expect(granted + after.tokens).toBeCloseTo(before.tokens + (after.ms - before.ms) / limit.everyMs, 1);
  expect(granted).toBeGreaterThan(before.tokens);
  expect(Math.max(...waits)).toBeLessThanOrEqual(limit.everyMs);
});

it('opens the circuit once, however many replicas record failures at once', async () => {
  const channel = randomUUID();
  const states = await Promise.all(Array.from({ length: 24 }, () => fail(channel)));
  expect(states.map(({ failures }) => failures).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 24 }, (_, index) => index + 1),
  );
  expect(new Set(states.map(({ opened }) => opened))).toEqual(new Set([0, 1]));
  expect(new Set(states.map(({ openUntil }) => openUntil)).size).toBe(2);
});

it('makes a replica that records a failure wait for the one that opens the circuit, and then leaves it as it is', async () => {
  const channel = randomUUID();
  for (let failures = 0; failures < 4; failures += 1) await fail(channel);
  let waited: ReturnType<typeof fail> | undefined;
  const opened = await store.transaction('first', async (session) => {
    const state = await session.recordChannelResult(channel, false, {
      failuresMax: 5,
      openMs: 60_000,
      openMaxMs: 900_000,
    });
    waited = fail(channel);
    await expect
      .poll(async () => {
        const { rows } = await pool.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return rows.length;
      })
      .toBeGreaterThan(0);
    return state;
  });
  expect(opened).toMatchObject({ failures: 5, opened: 1 });
  expect(await waited).toMatchObject({ failures: 6, opened: 1, openUntil: opened.openUntil });
});

it('parks a channel for one of many who find it refused at once', async () => {
  const channel = randomUUID();
  const parked = await Promise.all(
    Array.from({ length: replicas }, () => store.transaction('park', (session) => session.parkChannel(channel, '401'))),
  );
  expect(parked.filter(Boolean)).toHaveLength(1);
});

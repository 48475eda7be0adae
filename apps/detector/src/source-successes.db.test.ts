import { stormShareKeysMin } from '@tocsin/alert-model';
import type { Pool } from '@tocsin/runtime';
import { createTestDatabase, insertFailedResearchJob, insertResearchJobs } from '@tocsin/testing';
import { beforeEach, expect, it } from 'vitest';
import { createDetectorBench, watched } from './detector.fixture.ts';

const database = await createTestDatabase();
const { pool } = database;
const bench = await createDetectorBench(database);
beforeEach(() => bench.clear());

const storm = { keys: 50, withinMs: 600_000, share: 0.5, updateMs: 900_000 };
const policy = { rules: [], chains: [], schedules: [], storm };

/** Counts the statements that look for successes of a source, and lets a test break them. */
const countingPool = (): { readonly counted: Pool; readonly asked: () => number; breakWith: string | null } => {
  let asked = 0;
  const counting = {
    asked: () => asked,
    breakWith: null as string | null,
    counted: {
      ...pool,
      connect: async () => {
        const client = await pool.connect();
        return new Proxy(client, {
          get: (target, name) => {
            if (name !== 'query') {
              const value: unknown = Reflect.get(target, name, target);
              return typeof value === 'function' ? value.bind(target) : value;
            }
            return (text: string, values?: unknown[]) => {
              const isHistory = /last_success_at/.test(text);
              if (isHistory) asked += 1;
              return target.query(
                isHistory && counting.breakWith !== null ? counting.breakWith : text,
                isHistory && counting.breakWith !== null ? [] : values,
              );
            };
          },
        });
      },
    } satisfies Pool,
  };
  return counting;
};

const failMany = async (count: number, source: string, jobType = 'refresh'): Promise<void> => {
  for (let n = 0; n < count; n += 1)
    await insertFailedResearchJob(pool, { source, job_type: jobType, target_id: String(n) });
};
const succeedMany = async (count: number, source: string, jobType = 'refresh', minutesAgo = 1): Promise<void> => {
  const at = new Date(Date.now() - minutesAgo * 60_000).toISOString();
  await insertResearchJobs(
    pool,
    Array.from({ length: count }, () => ({
      source,
      job_type: jobType,
      status: 'succeeded' as const,
      finished_at: at,
      updated_at: at,
    })),
  );
};
const successesBySource = async () =>
  Object.fromEntries((await bench.failures()).map(({ source, sourceSuccesses }) => [source, sourceSuccesses]));

it('asks nothing in ordinary times', async () => {
  await failMany(stormShareKeysMin - 1, 'apple');
  await failMany(stormShareKeysMin - 1, 'google');
  await succeedMany(3, 'apple');
  const { counted, asked } = countingPool();
  await bench.detector({ tables: [watched(counted)], policy }).runOnce();
  expect(await successesBySource()).toEqual({ apple: null, google: null });
  expect(asked()).toBe(0);
});

it('says how many jobs of a source succeeded of late, of the types that fail, when many fail at once', async () => {
  await failMany(stormShareKeysMin, 'apple');
  await failMany(2, 'apple', 'index');
  await failMany(3, 'google');
  await succeedMany(4, 'apple');
  await succeedMany(2, 'apple', 'index');
  await succeedMany(8, 'apple', 'other');
  await succeedMany(16, 'apple', 'refresh', 20);
  await succeedMany(32, 'google');
  const { counted, asked } = countingPool();
  await bench.detector({ tables: [watched(counted)], policy }).runOnce();
  expect(await successesBySource()).toEqual({ apple: 6, google: null });
  expect(asked()).toBe(1);
});

it('asks once for a storm of many pages', async () => {
  await failMany(3 * stormShareKeysMin, 'apple');
  await succeedMany(4, 'apple');
  const { counted, asked } = countingPool();
  let nowMs = 0;
  const tables = [watched(counted, { batch: stormShareKeysMin })];
  const detector = bench.detector({ tables, policy, monotonicMs: () => nowMs });
  await detector.runOnce();
  expect((await bench.failures()).map(({ sourceSuccesses }) => sourceSuccesses)).toEqual(
    Array.from({ length: 3 * stormShareKeysMin }, () => 4),
  );
  expect(asked()).toBe(1);
  nowMs += 11_000;
  await failMany(stormShareKeysMin, 'apple', 'again');
  await detector.runOnce();
  expect(asked()).toBe(2);
});

it.each([
  ['nobody asks for storms', { ...policy, storm: null }],
  ['no share makes a storm', { ...policy, storm: { ...storm, share: null } }],
])('asks nothing when %s', async (_caption, calm) => {
  await failMany(stormShareKeysMin, 'apple');
  const { counted, asked } = countingPool();
  await bench.detector({ tables: [watched(counted)], policy: calm }).runOnce();
  expect(asked()).toBe(0);
  expect(await successesBySource()).toEqual({ apple: null });
});

it('tells without it, and does not ask again at once, when it takes too long', async () => {
  await failMany(2 * stormShareKeysMin, 'apple');
  const counting = countingPool();
  counting.breakWith = 'select pg_sleep(30)';
  const tables = [watched(counting.counted, { batch: stormShareKeysMin })];
  const report = await bench.detector({ tables, policy }).runOnce();
  expect(report.tables).toMatchObject([{ problem: null, scan: { sent: 2 * stormShareKeysMin } }]);
  expect(await successesBySource()).toEqual({ apple: null });
  expect(counting.asked()).toBe(1);
  expect(bench.log.filter(({ decision }) => decision === 'SourceShareSkipped')).toHaveLength(1);
});

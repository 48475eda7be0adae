import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FailureSignal } from '@tocsin/alert-model';
import { createLogger, createPool, describeDatabaseError, loadConfig } from '@tocsin/runtime';
import type { Pool } from '@tocsin/runtime';
import {
  createTestDatabase,
  insertFailedResearchJob,
  insertResearchJob,
  startRestartableServer,
  startStandby,
} from '@tocsin/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDetectorBench, sorted, watched } from './detector.fixture.ts';
import { openDetector } from './open-detector.ts';

const near = await createTestDatabase();
const bench = await createDetectorBench(near);
const server = await startRestartableServer();
const far = createPool({
  connectionString: server.connectionString,
  max: 2,
  applicationName: 'far',
  onError: () => {},
});
afterAll(() => far.end());
const replicaUrl = await startStandby(server.connectionString);
const directory = await mkdtemp(join(tmpdir(), 'tocsin-many-tables-'));
afterAll(() => rm(directory, { recursive: true, force: true }));

beforeAll(async () => {
  await near.pool.query('create schema other; create table other.jobs (like public.research_jobs including all)');
});
beforeEach(async () => {
  await bench.clear();
  await near.pool.query('truncate other.jobs');
  await far.query('truncate public.research_jobs');
});

/** Three tables in two databases. */
const tables = [
  watched(near.pool, { name: 'first' }),
  watched(near.pool, { name: 'second', table: 'other.jobs' }),
  watched(far, {
    name: 'far',
    describeError: (error) => describeDatabaseError(error, server.connectionString, 'jobs "far"'),
  }),
];

/** What was told of jobs; what is told of a table itself is another matter. */
const failures = async (): Promise<readonly FailureSignal[]> =>
  (await bench.failures()).filter(({ kind }) => kind === 'failed' || kind === 'dead');
const toldTables = async (): Promise<readonly (string | null)[]> =>
  sorted((await failures()).map(({ table }) => table));

const failNearby = async (): Promise<void> => {
  await insertFailedResearchJob(near.pool);
  await near.pool.query("insert into other.jobs (source, job_type, status, attempts) values ('a', 'b', 'failed', 3)");
};

describe('three tables in two databases', () => {
  it('are each told under their own name, equal ids and all', async () => {
    const id = await insertFailedResearchJob(near.pool);
    await insertFailedResearchJob(far, { id });
    await near.pool.query('insert into other.jobs select * from public.research_jobs');
    await bench.detector({ tables }).pollOnce();
    const told = await failures();
    expect(told.map(({ jobId }) => jobId)).toEqual([id, id, id]);
    expect(await toldTables()).toEqual(['far', 'first', 'second']);
    expect(new Set(told.map(({ outcomeId }) => outcomeId)).size).toBe(3);
  });

  it('one database that is down stops none of the others, is named, and is caught up with true times', async () => {
    const detector = bench.detector({ tables });
    const problems = async (): Promise<readonly (string | null)[]> =>
      (await detector.pollOnce()).tables.map(({ problem }) => problem);
    expect(await problems()).toEqual([null, null, null]);

    await server.stop();
    try {
      for (let poll = 1; poll <= 3; poll += 1) {
        await failNearby();
        expect(await problems()).toEqual([null, null, expect.stringMatching(/No PostgreSQL answers .*jobs "far"/)]);
        expect(await toldTables()).toEqual([
          ...Array.from({ length: poll }, () => 'first'),
          ...Array.from({ length: poll }, () => 'second'),
        ]);
      }
      expect(bench.log.filter(({ decision }) => decision === 'TableUnreadable')).toMatchObject([
        { table: 'far', level: 'error' },
      ]);
    } finally {
      await server.start();
    }

    // What workers recorded meanwhile, elsewhere, and brought in late: times of before, during and after the outage.
    const times = [-3_600_000, -1_000, 0].map((ms) => new Date(Date.now() + ms).toISOString());
    for (const at of times)
      await insertResearchJob(far, { status: 'failed', attempts: 3, finished_at: at, updated_at: at });
    expect(await problems()).toEqual([null, null, null]);
    expect(bench.log.filter(({ decision }) => decision === 'TableRecovered')).toMatchObject([{ table: 'far' }]);
    await detector.runOnce();
    const late = (await failures()).filter(({ table }) => table === 'far');
    expect(late.map(({ failedAt }) => Date.parse(failedAt)).toSorted((a, b) => a - b)).toEqual(
      times.map((at) => Date.parse(at)),
    );
    expect(await toldTables()).toHaveLength(6 + times.length);
  });

  it('one database that never answers holds up nobody, and the heartbeat tells of the others', async () => {
    const given: (() => void)[] = [];
    const silent: Pool = {
      ...far,
      query: () => new Promise((_, reject) => given.push(() => reject(new Error('given up')))),
      connect: () => new Promise((_, reject) => given.push(() => reject(new Error('given up')))),
    };
    const detector = bench.detector({ tables: [watched(silent, { name: 'silent' }), ...tables.slice(0, 2)] });
    detector.start();
    try {
      await vi.waitUntil(() => given.length > 0);
      await failNearby();
      await vi.waitUntil(async () => (await failures()).length === 2, { timeout: 10_000 });
      expect(await toldTables()).toEqual(['first', 'second']);
      const { rows } = await near.pool.query('select data from tocsin.heartbeats');
      expect(rows).toMatchObject([
        { data: { tables: [{ table: 'silent', cursor: null }, { table: 'first' }, { table: 'second' }] } },
      ]);
    } finally {
      const stopped = detector.stop();
      for (let round = 0; given.length > 0 && round < 100; round += 1) {
        for (const giveUp of given.splice(0)) giveUp();
        await new Promise((resolve) => setImmediate(resolve));
      }
      await stopped;
    }
  });
});

describe('a read replica', () => {
  it('is refused as watched database, with the reason and the cure, and none of its jobs is told', async () => {
    await insertFailedResearchJob(far);
    const { detector, close } = await openDetector(
      loadConfig({
        env: { DATABASE_URL: near.connectionString, JOBS_DATABASE_URL: replicaUrl },
        cwd: directory,
      }),
      createLogger({ level: 'silent', name: 'test' }),
    );
    try {
      const [report] = (await detector.runOnce()).tables;
      expect(report?.scan).toBeNull();
      expect(report?.problem).toMatch(
        /read replica, where .* failures could be missed; use the address of the primary/,
      );
    } finally {
      await close();
    }
    expect(await failures()).toEqual([]);
  });

  it("is refused as Tocsin's own database: nothing can be written there", async () => {
    const { detector, close } = await openDetector(
      loadConfig({
        env: { DATABASE_URL: replicaUrl, JOBS_DATABASE_URL: server.connectionString },
        cwd: directory,
      }),
      createLogger({ level: 'silent', name: 'test' }),
    );
    try {
      await insertFailedResearchJob(far);
      expect((await detector.pollOnce()).tables[0]?.problem).toMatch(
        /only allows reading .*primary server in DATABASE_URL/,
      );
    } finally {
      await close();
    }
  });
});

import { createTestDatabase } from '@tocsin/testing';
import { Pool } from 'pg';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { enqueueChainRun, type ChainRun } from '../scheduler/enqueue-chain-run.ts';
import { claimDueJob } from './claim-due-job.ts';
import { inTransaction } from './in-transaction.ts';
import { JobTakenAwayError, type Job } from './job.ts';
import { enqueueRebuildWhenComplete, recordSuccess } from './record-success.ts';

const { connectionString } = await createTestDatabase();
const db = new Pool({ connectionString });
const counts = { total: 1, failed: 0 };

beforeEach(async () => {
  await db.query('delete from public.research_jobs');
});

afterAll(() => db.end());

test('enqueues rebuild_index after the last of the three targets, and never twice', async () => {
  const [first, second, third] = await claimRun(await enqueueChainRun(db));
  expect(await succeed(first)).toBe(false);
  expect(await succeed(second)).toBe(false);
  expect(await succeed(third)).toBe(true);
  expect(await inTransaction(db, (tx) => enqueueRebuildWhenComplete(tx, third))).toBe(false);
  const rebuild = await claim();
  expect(rebuild).toMatchObject({ job_type: 'rebuild_index', target_id: null, max_attempts: 3 });
  expect(rebuild.chain_started_at).toBe(third.chain_started_at);
});

test('enqueues rebuild_index when the last two targets succeed in transactions that overlap', async () => {
  const [first, second, third] = await claimRun(await enqueueChainRun(db));
  await succeed(first);
  let later: Promise<boolean> = Promise.resolve(false);
  const earlier = await inTransaction(db, async (tx) => {
    await recordSuccess(tx, second, counts);
    const enqueued = await enqueueRebuildWhenComplete(tx, second);
    later = succeed(third);
    await expect.poll(waitingForALock, { timeout: 10_000 }).toBe(1);
    return enqueued;
  });
  expect([earlier, await later]).toEqual([false, true]);
});

test('does not count the successes of another run', async () => {
  const [first, second] = await claimRun(await enqueueChainRun(db));
  await succeed(first);
  await succeed(second);
  const [, , third] = await claimRun(await enqueueChainRun(db));
  expect(await succeed(third)).toBe(false);
});

test('refuses to call a job succeeded that is no longer its own', async () => {
  const [first] = await claimRun(await enqueueChainRun(db));
  await db.query(`update public.research_jobs set status = 'dead' where id = $1`, [first.id]);
  await expect(succeed(first)).rejects.toBeInstanceOf(JobTakenAwayError);
});

function succeed(job: Job): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    await recordSuccess(tx, job, counts);
    return enqueueRebuildWhenComplete(tx, job);
  });
}

async function claimRun(run: ChainRun): Promise<readonly [Job, Job, Job]> {
  const jobs: Job[] = [];
  while (jobs.length < run.jobIds.length) {
    const job = await claim();
    if (job.chain_started_at === run.chainStartedAt) jobs.push(job);
  }
  return byTarget(jobs);
}

function byTarget(jobs: readonly Job[]): readonly [Job, Job, Job] {
  const [albums, artists, songs] = jobs.toSorted((left, right) =>
    (left.target_id ?? '').localeCompare(right.target_id ?? ''),
  );
  if (albums === undefined || artists === undefined || songs === undefined) throw new Error('a run has three targets');
  return [albums, artists, songs];
}

async function claim(): Promise<Job> {
  const job = await claimDueJob(db);
  if (job === undefined) throw new Error('no job is due');
  return job;
}

async function waitingForALock(): Promise<number> {
  const found = await db.query<{ waiting: number }>(
    `select count(*)::integer as waiting
     from pg_locks
     where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())`,
  );
  return found.rows[0]?.waiting ?? 0;
}

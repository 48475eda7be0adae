import { createTestDatabase, insertFailedResearchJob } from '@tocsin/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { createDetectorBench, watched } from './detector.fixture.ts';
import type { Detector } from './detector.ts';
import { pagesPerPollMax } from './scan-table.ts';

const { pool, ...database } = await createTestDatabase();
const bench = await createDetectorBench({ pool, ...database });
beforeEach(bench.clear);

const secondsAgo = (seconds: number): string => new Date(Date.now() - seconds * 1_000).toISOString();

const insertMany = (count: number) =>
  pool.query(
    `insert into public.research_jobs (source, job_type, target_id, status, attempts, finished_at)
     select 'apple', 'refresh_catalog', n::text, 'failed', 3, now() from generate_series(1, $1::int) as n`,
    [count],
  );

/** What one poll of the only table came to. */
const poll = async (detector: Detector) => {
  const [table] = (await detector.pollOnce()).tables;
  return table!;
};

/** The pool, which counts the failures whose texts are read, and fails the statement whose number `failAt` names. */
const countedPool = (failAt?: number) => {
  let texts = 0;
  let statements = 0;
  const counted: typeof pool = {
    ...pool,
    query: async <Row extends object>(text: string, values?: readonly unknown[]) => {
      const isScan = text.includes('page.error') && !text.includes('any($1');
      if (isScan) statements += 1;
      if (isScan && statements === failAt) throw new Error('out of luck');
      const result = await pool.query<Row>(text, values);
      if (isScan) texts += result.rows.filter((row) => Reflect.get(row, 'id') !== null).length;
      return result;
    },
  };
  return { pool: counted, texts: () => texts };
};

describe('many failures at once', () => {
  it('are read once, over as many polls as it takes, and then recognised without reading their texts', async () => {
    const counted = countedPool();
    const detector = bench.detector({ tables: [watched(counted.pool, { reconcileMs: 86_400_000, batch: 10 })] });
    await poll(detector);
    await insertMany(2 * 10 * pagesPerPollMax + 57);
    const polls = [];
    for (let more = true; more;) {
      const report = await poll(detector);
      polls.push(report.scan?.rowsRead);
      more = report.more;
    }
    // The first poll spends a page on finding out that nothing is known.
    expect(polls).toEqual([190, 200, 67]);
    expect(counted.texts()).toBe(457);

    expect((await poll(detector)).scan).toMatchObject({ rowsRead: 457, sent: 0, duplicates: 457 });
    expect(counted.texts()).toBe(457);
    await insertMany(1);
    expect((await poll(detector)).scan).toMatchObject({ rowsRead: 458, sent: 1 });
    expect(counted.texts()).toBe(458);
    expect(new Set((await bench.failures()).map(({ jobId }) => jobId)).size).toBe(458);
  });

  it('are told once each when a read fails in between', async () => {
    const { pool: failing } = countedPool(25);
    const detector = bench.detector({ tables: [watched(failing, { reconcileMs: 86_400_000, batch: 10 })] });
    await insertMany(300);
    const reports = [await poll(detector), await poll(detector)];
    expect(reports.map(({ problem }) => problem)).toEqual([null, 'out of luck']);
    for (let more = true; more;) more = (await poll(detector)).more;
    const ids = (await bench.failures()).map(({ jobId }) => jobId);
    expect([ids.length, new Set(ids).size]).toEqual([300, 300]);
  });

  it('are told again one by one where a row that was read has failed anew without a new time of change', async () => {
    const detector = bench.detector({ tables: [watched(pool, { reconcileMs: 86_400_000 })] });
    const updated_at = secondsAgo(1);
    const id = await insertFailedResearchJob(pool, { updated_at });
    await insertMany(3);
    await poll(detector);
    await pool.query('update public.research_jobs set finished_at = now(), updated_at = $2 where id = $1', [
      id,
      updated_at,
    ]);
    expect((await poll(detector)).scan).toMatchObject({ sent: 1 });
    expect((await bench.failures()).filter(({ jobId }) => jobId === id)).toHaveLength(2);
  });
});

describe('failures that never end', () => {
  /** Polls once a second by the detector's clock; each poll leaves failures for the next. */
  const endless = async (reconcileMs: number) => {
    let nowMs = 0;
    const detector = bench.detector({
      tables: [watched(pool, { reconcileMs, batch: 1 })],
      monotonicMs: () => nowMs,
    });
    await poll(detector);
    return async () => {
      nowMs += 1_000;
      await insertMany(2 * pagesPerPollMax);
      const report = await poll(detector);
      expect(report.more).toBe(true);
      return report;
    };
  };
  const late = async () => (await bench.failures()).filter(({ targetId }) => targetId === 'late').length;

  it('do not keep the scan from looking again at what was committed late behind it', async () => {
    const next = await endless(86_400_000);
    await next();
    await insertFailedResearchJob(pool, { target_id: 'late', updated_at: secondsAgo(4) });
    for (let seconds = 2; seconds <= 9; seconds += 1) await next();
    expect(await late()).toBe(0);
    for (let seconds = 10; seconds <= 13; seconds += 1) await next();
    expect(await late()).toBe(1);
  });

  it('put off the comparison by ten seconds, no more', async () => {
    const next = await endless(0);
    await insertFailedResearchJob(pool, { target_id: 'late', updated_at: secondsAgo(3_600) });
    for (let seconds = 1; seconds <= 9; seconds += 1) expect((await next()).reconciled).toBe(0);
    expect(await late()).toBe(0);
    expect((await next()).reconciled).toBeGreaterThan(0);
    expect(await late()).toBe(1);
  });
});

import type { Rule } from '@tocsin/alert-model';
import { createMetrics } from '@tocsin/runtime';
import { createTestDatabase, insertFailedResearchJob, insertResearchJob } from '@tocsin/testing';
import { beforeEach, expect, it } from 'vitest';
import { createDetectorMetrics } from './detector-metrics.ts';
import { createDetectorBench, watched } from './detector.fixture.ts';
import { storeOpenAlert } from './open-alert.fixture.ts';
import { canaryTable } from './self-watch/canary-table.ts';

const database = await createTestDatabase();
const { pool, connectionString } = database;
const bench = await createDetectorBench(database);
beforeEach(() => bench.clear());

const rule: Rule = {
  name: 'rules[0]',
  match: {},
  stuckAfter: { mode: 'fixed', heartbeatMs: 900_000, updateMs: null },
};
const policy = { rules: [rule], chains: [], schedules: [], storm: null };

const counting = () => {
  const metrics = createMetrics();
  const read = async (): Promise<readonly string[]> =>
    (await metrics.read()).text.split('\n').filter((line) => line.startsWith('tocsin_'));
  return { metrics: createDetectorMetrics(metrics), read };
};
const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();

it('counts what jobs did by event, type and status of the row, each outcome once over all detectors', async () => {
  await insertFailedResearchJob(pool, { job_type: 'import' });
  await insertFailedResearchJob(pool, { job_type: 'import', status: 'dead' });
  await insertFailedResearchJob(pool, { job_type: 'export' });
  await insertResearchJob(pool, {
    job_type: 'import',
    status: 'running',
    created_at: ago(90),
    started_at: ago(60),
    heartbeat_at: ago(60),
    updated_at: ago(60),
  });
  await storeOpenAlert(bench, { step: { jobType: 'export', targetId: null }, failedAt: ago(30).replace('Z', '000Z') });
  await insertResearchJob(pool, { job_type: 'export', status: 'succeeded', finished_at: ago(1), updated_at: ago(1) });
  const first = counting();
  const second = counting();
  await bench.detector({ policy, metrics: first.metrics }).runOnce();
  await bench.detector({ policy, metrics: second.metrics }).runOnce();
  expect((await first.read()).filter((line) => line.startsWith('tocsin_job_events_total')).toSorted()).toEqual([
    'tocsin_job_events_total{event="dead_lettered",job_type="import",status="dead"} 1',
    'tocsin_job_events_total{event="failed",job_type="export",status="failed"} 1',
    'tocsin_job_events_total{event="failed",job_type="import",status="failed"} 1',
    'tocsin_job_events_total{event="stuck",job_type="import",status="running"} 1',
    'tocsin_job_events_total{event="succeeded",job_type="export",status="succeeded"} 1',
  ]);
  // A success may be sent by each of them; nothing is told twice because of it.
  const again = (await second.read()).filter((line) => line.startsWith('tocsin_job_events_total'));
  expect(again.filter((line) => !line.includes('"succeeded"'))).toEqual([]);
});

it('shows when a table was read, that it could not be, and how far the cursor is behind', async () => {
  const { metrics, read } = counting();
  const before = Date.now() / 1_000;
  const tables = [watched(pool), watched(pool, { name: 'gone', table: 'public.gone' })];
  await bench.detector({ tables, metrics }).pollOnce();
  const lines = await read();
  expect(lines).toContain('tocsin_detector_polls_total{table="research_jobs",result="ok"} 1');
  expect(lines).toContain('tocsin_detector_polls_total{table="gone",result="failed"} 1');
  const value = (name: string): number =>
    Number(
      lines
        .find((line) => line.startsWith(name))
        ?.split(' ')
        .at(-1),
    );
  expect(value('tocsin_detector_last_poll_timestamp_seconds{table="research_jobs"}')).toBeGreaterThanOrEqual(before);
  expect(lines.some((line) => line.startsWith('tocsin_detector_last_poll_timestamp_seconds{table="gone"}'))).toBe(
    false,
  );
  expect(value('tocsin_detector_cursor_lag_seconds{table="research_jobs"}')).toBeGreaterThanOrEqual(0);
});

it('counts no canary among the jobs', async () => {
  await pool.query("insert into tocsin.canary_jobs (error) values ('a canary')");
  const { metrics, read } = counting();
  const canaries = { ...canaryTable(connectionString), pool };
  await bench.detector({ tables: [canaries], metrics }).runOnce();
  expect((await bench.failures()).map(({ table, jobType }) => [table, jobType])).toEqual([['tocsin_canary', 'canary']]);
  expect((await read()).filter((line) => line.startsWith('tocsin_job_events_total'))).toEqual([]);
});

import { heartbeats } from '@tocsin/event-store';
import { createTestDatabase } from '@tocsin/testing';
import { expect, test } from 'vitest';
import { startFailingWork } from './harness/failing-work.ts';
import { expectBalance } from './harness/ledger.ts';
import { storyTimeoutMs, withStage, withoutStorms } from './harness/stage.ts';
import { waitUntil } from './harness/wait-until.ts';

const database = await createTestDatabase();
const batches = 25;
const failuresPerBatch = 20;
const targets = 50;

test('two detectors and two notifiers tell 500 failures exactly once', { timeout: storyTimeoutMs }, () =>
  withStage(
    {
      database,
      config: { ...withoutStorms, delivery: { attempt_timeout: '20s' } },
      env: { TOCSIN_DIGEST_WINDOW: '1s' },
    },
    async (stage) => {
      stage.startBoth();
      stage.startBoth();
      await waitUntil('all four to be up', async () => {
        const beats = await heartbeats(stage.pool);
        return ['detector', 'notifier'].every(
          (name) => beats.filter(({ component }) => component === name).length === 2,
        );
      });
      const work = startFailingWork(stage.jobs, { everyMs: 40, failures: failuresPerBatch, targets });
      try {
        await waitUntil('enough to have failed', () => work.committed() >= batches);
      } finally {
        await work.stop();
      }
      await stage.quiet(60_000);
      const mails = stage.takeMails();
      const balance = await expectBalance(stage.pool, mails);
      expect(balance).toMatchObject({ duplicates: 0, unknown: 0 });
      expect(balance.failures).toBeGreaterThanOrEqual(batches * failuresPerBatch);
      const keys = await stage.pool.query('select 1 from tocsin.alerts');
      expect(keys.rows).toHaveLength(targets);
      // Between them the detectors sent every failure once, whoever read it first.
      const found = stage
        .workers()
        .filter(({ app }) => app === 'detector')
        .map((worker) =>
          worker
            .log()
            .filter(({ decision }) => decision === 'SignalsSent')
            .reduce((sum, entry) => sum + Number(entry['sent']), 0),
        );
      expect(found.reduce((sum, sent) => sum + sent, 0)).toBe(balance.failures);
      console.log(
        `${balance.failures} failures: ${mails.length} mails; signals sent by each detector: ${found.join(' and ')}`,
      );
    },
  ),
);

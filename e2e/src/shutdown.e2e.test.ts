import { createTestDatabase } from '@tocsin/testing';
import { describe, expect, test } from 'vitest';
import { attemptsMade } from './harness/attempts.ts';
import { startFailingWork } from './harness/failing-work.ts';
import { expectBalance } from './harness/ledger.ts';
import { present } from './harness/present.ts';
import { storyTimeoutMs, withStage, withoutStorms } from './harness/stage.ts';
import { waitUntil } from './harness/wait-until.ts';

/** A repetition of the signal within this time counts as its echo, in milliseconds. */
const echoMs = 500;

describe.concurrent('asked to stop', async () => {
  const [idle, busy, waiting, twice] = await Promise.all(Array.from({ length: 4 }, () => createTestDatabase()));

  test('both end with code 0 when there is nothing to do', { timeout: storyTimeoutMs }, () =>
    withStage({ database: present(idle) }, async (stage) => {
      const { detector, notifier } = stage.startBoth();
      await detector.waitForLog('that it compared', ({ decision }) => decision === 'Reconciled');
      await notifier.waitForLog('that it is up', ({ msg }) => msg === 'notifier is up');
      expect(await Promise.all([detector.stop(), notifier.stop()])).toEqual([
        { code: 0, signal: null },
        { code: 0, signal: null },
      ]);
    }),
  );

  test(
    'in the middle of work both finish what they have begun, and whoever comes next goes on: nothing lost, nothing twice',
    { timeout: storyTimeoutMs },
    () =>
      withStage(
        { database: present(busy), config: { ...withoutStorms, delivery: { attempt_timeout: '20s' } } },
        async (stage) => {
          const work = startFailingWork(stage.jobs, { everyMs: 20, failures: 3, targets: 10 });
          try {
            for (let turn = 1; turn <= 3; turn += 1) {
              const { detector, notifier } = stage.startBoth();
              await stage.smtp.waitForMessages(stage.smtp.messages().length + 3, 60_000);
              const ended = await Promise.all([detector.stop(), notifier.stop()]);
              expect(ended.map(({ code }) => code)).toEqual([0, 0]);
            }
          } finally {
            await work.stop();
          }
          stage.startBoth();
          await stage.quiet();
          stage.takeMails();
          const balance = await expectBalance(stage.pool, stage.smtp.messages());
          expect(balance).toMatchObject({ duplicates: 0, unknown: 0 });
        },
      ),
  );

  test(
    'a notifier that waits for the provider records what became of it before it ends',
    { timeout: storyTimeoutMs },
    () =>
      withStage({ database: present(waiting) }, async (stage) => {
        stage.smtp.next({ kind: 'hang-after-data' });
        await stage.jobs.failForGood();
        const { notifier } = stage.startBoth();
        await waitUntil('the attempt to be under way', async () => (await attemptsMade(stage.pool)).length === 1);
        await stage.smtp.waitForConnections(1, 60_000);
        expect(await notifier.stop()).toEqual({ code: 0, signal: null });
        expect((await attemptsMade(stage.pool)).map(({ outcome }) => outcome)).not.toContain('attempting');
        stage.start('notifier');
        await stage.nextMail();
        await stage.quiet();
        await expectBalance(stage.pool, stage.smtp.messages());
      }),
  );

  test(
    'a second signal ends a notifier that waits for the provider at once; the attempt is found and settled',
    { timeout: storyTimeoutMs },
    () =>
      withStage(
        {
          database: present(twice),
          config: { delivery: { attempt_timeout: '12s', unknown_retry: '1s' } },
        },
        async (stage) => {
          stage.smtp.next({ kind: 'hang-after-data' });
          await stage.jobs.failForGood();
          const { notifier } = stage.startBoth();
          await stage.smtp.waitForConnections(1, 60_000);
          notifier.signal('SIGTERM');
          await notifier.waitForLog('that it stops', ({ msg }) => msg === 'stopping');
          const askedMs = performance.now();
          await waitUntil('a second signal to be more than an echo', () => performance.now() - askedMs > echoMs);
          notifier.signal('SIGTERM');
          expect(await notifier.waitForExit()).toEqual({ code: 143, signal: null });
          stage.start('notifier');
          await stage.nextMail();
          await stage.quiet();
          expect((await attemptsMade(stage.pool)).map(({ outcome, reason }) => [outcome, reason])).toEqual([
            ['unknown', 'crashed'],
            ['accepted', null],
          ]);
          await expectBalance(stage.pool, stage.smtp.messages());
        },
      ),
  );
});

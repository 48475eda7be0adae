import { createTestDatabase } from '@tocsin/testing';
import { describe, expect, test } from 'vitest';
import { storyTimeoutMs, withStage } from './harness/stage.ts';
import { waitUntil } from './harness/wait-until.ts';

const config = { self_watch: { canary: 'off', stale_after: '5s' } };

describe.concurrent('a notifier that dies', async () => {
  const database = await createTestDatabase();

  test(
    'is told of by the detector, once however many there are and however often they start; when it is back, it says so in one line',
    { timeout: storyTimeoutMs },
    () =>
      withStage({ database, config }, async (stage) => {
        stage.expectErrors((text) => text.includes('NotifierSilentTold'));
        const { notifier } = stage.startBoth();
        stage.start('detector');
        const beats = async (): Promise<number> =>
          (await stage.pool.query("select 1 from tocsin.heartbeats where component = 'notifier'")).rows.length;
        await waitUntil('the notifier to give a sign of life', async () => (await beats()) > 0);
        await notifier.kill();

        const silent = await stage.nextMail();
        expect(silent.subject).toContain('the notifier is silent');
        expect(silent.text).toContain('npx tocsin notifier');
        for (const worker of stage.workers()) await worker.kill();
        const restarted = stage.start('detector');
        // What fails meanwhile is told by the notifier that comes back.
        await stage.jobs.failMany([{ source: 'google', jobType: 'import', targetId: 'a' }]);
        await restarted.waitForLog('that it sent what failed', ({ decision }) => decision === 'SignalsSent');
        await waitUntil('the detector to look at the notifier again', async () => {
          const { rows } = await stage.pool.query(
            "select 1 from tocsin.heartbeats where component = 'detector' and beat_at > now() - interval '2 s'",
          );
          return rows.length > 0;
        });
        expect(stage.takeMails()).toEqual([]);

        stage.start('notifier');
        const back = await stage.nextMail();
        await stage.quiet();
        const told = [back, ...stage.takeMails()].map(({ subject, text }) => `${subject}\n${text}`);
        expect(told.filter((text) => text.includes('import'))).toHaveLength(1);
        expect(told.filter((text) => text.includes('Notifier'))).toHaveLength(1);
        expect(told.join('\n')).toMatch(/Notifier[^[]*gives\s+signs\s+of\s+life\s+again/);
        expect(told.join('\n')).not.toContain('the notifier is silent');
      }),
  );
});

import { createTestDatabase } from '@tocsin/testing';
import { describe, expect, test, vi } from 'vitest';
import { expectBalance } from './harness/ledger.ts';
import { present } from './harness/present.ts';
import { storyTimeoutMs, withStage } from './harness/stage.ts';

/** What the other stories rely on: a stage that lets nothing pass unseen. */
describe('the stage itself', async () => {
  const [mailed, failed, cooked] = await Promise.all(Array.from({ length: 3 }, () => createTestDatabase()));

  test('fails a story that leaves a mail untaken', { timeout: storyTimeoutMs }, async () => {
    using _ = vi.spyOn(console, 'error').mockImplementation(() => {});
    const story = withStage({ database: present(mailed) }, async (stage) => {
      await stage.jobs.failForGood();
      stage.startBoth();
      await stage.smtp.waitForMessages(1, 60_000);
    });
    await expect(story).rejects.toThrow(/^Unexpected mail:\n.*apple\/refresh_catalog\/songs failed/);
  });

  test('fails a story in which a worker logs an error nobody expected', { timeout: storyTimeoutMs }, async () => {
    using _ = vi.spyOn(console, 'error').mockImplementation(() => {});
    const story = withStage({ database: present(failed) }, async (stage) => {
      await stage.pool.query('alter table public.research_jobs rename to mislaid_jobs');
      const detector = stage.start('detector');
      await detector.waitForLog('that the table is missing', ({ decision }) => decision === 'TableUnreadable');
    });
    await expect(story).rejects.toThrow(/^Unexpected errors:\ndetector: .*TableUnreadable/);
  });

  test(
    'the balance finds what is lost, what is doubled, and a read model that is not what its events say',
    { timeout: storyTimeoutMs },
    () =>
      withStage({ database: present(cooked) }, async (stage) => {
        const { pool, smtp } = stage;
        await stage.jobs.failForGood();
        stage.startBoth();
        const mail = await stage.nextMail();
        await stage.quiet();
        for (const worker of stage.workers()) await worker.stop();
        await expectBalance(pool, smtp.messages());

        await expect(expectBalance(pool, [])).rejects.toThrow('copies at the provider');
        await expect(expectBalance(pool, [mail, mail])).rejects.toThrow('copies at the provider');
        await expect(expectBalance(pool, [mail, { messageId: '<other@example.com>' }])).rejects.toThrow(
          'mails of no delivery',
        );
        const lost = await stage.jobs.failForGood({ targetId: 'never read' });
        await expect(expectBalance(pool, [mail])).rejects.toThrow('without exactly one recorded outcome');
        await pool.query('delete from public.research_jobs where id = $1', [lost]);
        await pool.query(`update tocsin.alerts set data = jsonb_set(data, '{occurrences}', '2')`);
        await expect(expectBalance(pool, [mail])).rejects.toThrow(/alert [0-9a-f-]+: expected/);
      }),
  );
});

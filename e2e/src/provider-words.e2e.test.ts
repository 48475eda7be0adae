import { listAlerts } from '@tocsin/event-store';
import { createTestDatabase } from '@tocsin/testing';
import { describe, expect, test } from 'vitest';
import { attemptsMade } from './harness/attempts.ts';
import { anyPort, clickAcknowledge, createSendGridHook, portOf, sendGridEvent } from './harness/hooks.ts';
import { expectBalance } from './harness/ledger.ts';
import { present } from './harness/present.ts';
import { deliveryOf, startProviders } from './harness/providers.ts';
import { storyTimeoutMs, withStage } from './harness/stage.ts';
import { flat } from './harness/told.ts';
import { waitUntil } from './harness/wait-until.ts';

describe('what providers say afterwards', async () => {
  const database = await createTestDatabase();

  test(
    'SendGrid settles what was unknown and is not sent again, a bounce goes through the fallback, a click in Slack acknowledges; forgeries and repetitions change nothing',
    { timeout: storyTimeoutMs },
    async () => {
      await using providers = await startProviders();
      const { sendGrid, slack } = providers;
      const hook = createSendGridHook();
      const config = {
        channels: providers.channels,
        routes: [{ name: 'default', channels: ['grid', 'chat'], fallback: ['mail'], digest: { window: 0 } }],
        // The provider's word comes long before the repetition.
        delivery: { attempt_timeout: '4s', unknown_retry: '10m' },
      };
      const env = { ...anyPort, SENDGRID_WEBHOOK_KEY: hook.publicKey };
      await withStage({ database, config, env }, async (stage) => {
        const { notifier } = stage.startBoth();
        const outcomes = async () =>
          (await attemptsMade(stage.pool)).filter(({ channel }) => channel !== 'chat').map(({ outcome }) => outcome);

        // Accepted, and the answer comes too late: nobody knows, until SendGrid says so.
        sendGrid.next({ kind: 'accept-late', afterMs: 9_000 });
        await stage.jobs.failForGood({ targetId: 'albums' });
        const mail = present((await sendGrid.waitForMessages(1, 90_000))[0]);
        await waitUntil('the attempt to be unknown', async () => (await outcomes())[0] === 'unknown');
        const [delivered, processed] = [sendGridEvent(mail, 'delivered'), sendGridEvent(mail, 'processed')];
        expect(await hook.post(notifier, [delivered], true)).toBe(403);
        expect(await outcomes()).toEqual(['unknown']);
        for (let turn = 0; turn < 3; turn += 1) expect(await hook.post(notifier, [delivered, processed])).toBe(200);
        await stage.quiet();
        expect(await outcomes()).toEqual(['confirmed']);
        expect(sendGrid.messages()).toHaveLength(1);

        // Accepted, and came back: the next channel tells, and says why.
        await stage.jobs.failForGood({ targetId: 'songs' });
        const second = present((await sendGrid.waitForMessages(2, 90_000))[1]);
        await stage.quiet();
        stage.expectErrors((_, entry) => entry?.['decision'] === 'MessageBounced');
        const bounce = sendGridEvent(second, 'bounce');
        for (let turn = 0; turn < 3; turn += 1) expect(await hook.post(notifier, [bounce])).toBe(200);
        const instead = await stage.nextMail();
        expect(instead.subject).toBe(second.subject);
        expect(flat(instead)).toContain(
          'accepted by the channel "grid" and came back (bounced: 550 5.1.1 no such user)',
        );
        await stage.quiet();
        expect(await outcomes()).toEqual(['confirmed', 'accepted', 'accepted']);

        // Somebody clicks.
        const inSlack = present(slack.messages()[0]);
        expect(await clickAcknowledge(notifier, deliveryOf(inSlack), 'another secret')).toBe(403);
        for (let turn = 0; turn < 2; turn += 1) expect(await clickAcknowledge(notifier, deliveryOf(inSlack))).toBe(200);
        const alerts = await listAlerts(stage.pool, { limit: 10 });
        expect(alerts.flatMap(({ acknowledgedBy }) => acknowledgedBy ?? [])).toEqual(['ada (U012ABC)']);
        const { rows } = await stage.pool.query(`select 1 from tocsin.events where type = 'AlertAcknowledged'`);
        expect(rows).toHaveLength(1);

        for (const path of ['/healthz', '/readyz', '/metrics'])
          expect((await fetch(`http://127.0.0.1:${await portOf(notifier)}${path}`)).status, path).toBe(200);
        expect(await expectBalance(stage.pool, providers.accepted(stage.smtp), { channels: 2 })).toMatchObject({
          failures: 2,
          unknown: 0,
        });
      });
    },
  );
});

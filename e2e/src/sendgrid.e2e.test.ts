import { createTestDatabase, startSendGridDouble } from '@tocsin/testing';
import type { SendGridDouble, SendGridMail } from '@tocsin/testing';
import { describe, expect, test } from 'vitest';
import { attemptsMade } from './harness/attempts.ts';
import { expectBalance } from './harness/ledger.ts';
import { present } from './harness/present.ts';
import { recipient, sender, storyTimeoutMs, withStage } from './harness/stage.ts';
import type { Stage } from './harness/stage.ts';
import { untilTold } from './harness/told.ts';

/** Plays a story with SendGrid as the first channel and, when `fallback` is set, SMTP as the second. */
const withSendGrid = async (
  {
    database,
    fallback = false,
  }: { readonly database: Parameters<typeof withStage>[0]['database']; readonly fallback?: boolean },
  story: (stage: Stage, sendGrid: SendGridDouble) => Promise<void>,
): Promise<void> => {
  const sendGrid = await startSendGridDouble({ apiKey: 'SG.e2e-key.that-only-the-double-accepts' });
  const env = {
    SENDGRID_API_KEY: sendGrid.apiKey,
    SENDGRID_BASE_URL: sendGrid.baseUrl,
    ...(fallback ? {} : { SMTP_URL: '' }),
  };
  try {
    await withStage({ database, env, config: { delivery: { attempt_timeout: '12s', unknown_retry: '1s' } } }, (stage) =>
      story(stage, sendGrid),
    );
  } finally {
    await sendGrid.stop();
  }
};

const accepted = (sendGrid: SendGridDouble) => sendGrid.messages().map((mail) => ({ messageId: messageIdOf(mail) }));
const messageIdOf = (mail: SendGridMail | undefined): string => mail?.headers['Message-ID'] ?? '';

const outcomes = async ({ pool }: Stage) =>
  (await attemptsMade(pool)).map(
    ({ channel, outcome, reason }) => `${channel}: ${outcome}${reason === null ? '' : ` (${reason})`}`,
  );

describe.concurrent('through SendGrid', async () => {
  const databases = await Promise.all(Array.from({ length: 7 }, () => createTestDatabase()));
  const databaseOf = (index: number) => present(databases[index]);

  test('a mail that SendGrid checks and accepts', { timeout: storyTimeoutMs }, () =>
    withSendGrid({ database: databaseOf(0) }, async (stage, sendGrid) => {
      await stage.jobs.failForGood();
      stage.startBoth();
      const [mail] = await sendGrid.waitForMessages(1, 60_000);
      await stage.quiet();
      expect(mail).toMatchObject({ from: sender, to: [recipient], subject: 'apple/refresh_catalog/songs failed' });
      expect(mail?.text).toContain('HTTP 503 from http://catalogue.example/songs');
      expect(messageIdOf(mail)).toMatch(/^<[0-9a-f-]{36}@example\.com>$/);
      const { rows } = await stage.pool.query<{ id: string; provider: string }>(
        'select attempt.id, attempt.provider_message_id as provider from tocsin.delivery_attempts as attempt',
      );
      expect(rows).toEqual([{ id: mail?.customArgs['attempt_id'], provider: mail?.providerMessageId }]);

      await stage.jobs.runWell();
      const resolution = (await sendGrid.waitForMessages(2, 60_000))[1];
      expect(resolution?.headers).toMatchObject({ 'In-Reply-To': messageIdOf(mail), References: messageIdOf(mail) });
      await stage.quiet();
      expect(await expectBalance(stage.pool, accepted(sendGrid))).toMatchObject({
        deliveries: 2,
        duplicates: 0,
        unknown: 0,
      });
    }),
  );

  test('429 with a reset time: the message waits for it', { timeout: storyTimeoutMs }, () =>
    withSendGrid({ database: databaseOf(1) }, async (stage, sendGrid) => {
      sendGrid.next({ kind: 'rate-limited', resetInSeconds: 4 });
      await stage.jobs.failForGood();
      stage.startBoth();
      await sendGrid.waitForMessages(1, 60_000);
      await stage.quiet();
      expect(await outcomes(stage)).toEqual(['email: retry (rate-limited)', 'email: accepted']);
      // The reset is told in whole seconds, so 4 may mean little more than 3.
      expect((await attemptsMade(stage.pool))[1]?.seconds).toBeGreaterThan(2.9);
      await expectBalance(stage.pool, accepted(sendGrid));
    }),
  );

  test('500, then 202: tried again after a pause, told once', { timeout: storyTimeoutMs }, () =>
    withSendGrid({ database: databaseOf(2) }, async (stage, sendGrid) => {
      sendGrid.next({ kind: 'status', status: 500 });
      await stage.jobs.failForGood();
      stage.startBoth();
      await sendGrid.waitForMessages(1, 60_000);
      await stage.quiet();
      expect(await outcomes(stage)).toEqual(['email: retry (server-error)', 'email: accepted']);
      expect(sendGrid.requests()).toHaveLength(2);
      await expectBalance(stage.pool, accepted(sendGrid));
    }),
  );

  test(
    '401: the channel is parked after one request; the next one tells the failure, and that the first is broken',
    { timeout: storyTimeoutMs },
    () =>
      withSendGrid({ database: databaseOf(3), fallback: true }, async (stage, sendGrid) => {
        sendGrid.always({ kind: 'status', status: 401 });
        stage.expectErrors(
          (_, entry) =>
            entry?.['decision'] === 'ChannelParked' ||
            (entry?.['decision'] === 'DeliveryAttempted' && entry['reason'] === 'unauthorized') ||
            // The broken channel has an alert of its own, in every other channel; one of them is the log.
            entry?.['channel'] === 'console',
        );
        await stage.jobs.failForGood();
        stage.startBoth();
        const mails = await untilTold(
          stage,
          'could not be sent through the channel "email" (unauthorized)',
          'Channel email',
        );
        const mail = present(mails.find(({ subject }) => subject === 'apple/refresh_catalog/songs failed'));
        await stage.quiet();

        // Nobody asks a second time with a key that was refused: what fails now goes through the other at once.
        await stage.jobs.failForGood({ targetId: 'albums' });
        await untilTold(stage, 'albums', 'could not be sent through the channel "email" (parked');
        await stage.quiet();
        expect(sendGrid.requests()).toHaveLength(1);
        expect((await outcomes(stage)).filter((outcome) => outcome.startsWith('email: '))).toEqual([
          'email: rejected (unauthorized)',
        ]);

        // The work succeeds: told to the one who was told of the failure, through the channel that worked.
        await stage.jobs.runWell();
        const resolution = await stage.nextMail();
        expect(resolution.inReplyTo).toBe(mail.messageId);
        await stage.quiet();
      }),
  );

  test('no answer: recorded as unknown and sent again with the same Message-ID', { timeout: storyTimeoutMs }, () =>
    withSendGrid({ database: databaseOf(4) }, async (stage, sendGrid) => {
      sendGrid.next({ kind: 'hang' });
      await stage.jobs.failForGood();
      stage.startBoth();
      await sendGrid.waitForMessages(1, 60_000);
      await stage.quiet();
      expect(await outcomes(stage)).toEqual(['email: unknown (timeout)', 'email: accepted']);
      expect(await expectBalance(stage.pool, accepted(sendGrid))).toMatchObject({ duplicates: 0, unknown: 1 });
    }),
  );

  test(
    '202 after our timeout: the duplicate carries the same Message-ID, and the ledger says why',
    { timeout: storyTimeoutMs },
    () =>
      withSendGrid({ database: databaseOf(5) }, async (stage, sendGrid) => {
        sendGrid.next({ kind: 'accept-late', afterMs: 16_000 });
        await stage.jobs.failForGood();
        stage.startBoth();
        const mails = await sendGrid.waitForMessages(2, 60_000);
        await stage.quiet();
        expect(new Set(mails.map(messageIdOf)).size).toBe(1);
        expect(new Set(mails.map(({ customArgs }) => customArgs['attempt_id'])).size).toBe(2);
        expect(await outcomes(stage)).toEqual(['email: unknown (timeout)', 'email: accepted']);
        expect(await expectBalance(stage.pool, accepted(sendGrid))).toMatchObject({ duplicates: 1, unknown: 1 });
      }),
  );

  test(
    'a connection that breaks after the request: unknown, never taken for refused',
    { timeout: storyTimeoutMs },
    () =>
      withSendGrid({ database: databaseOf(6) }, async (stage, sendGrid) => {
        sendGrid.next({ kind: 'accept-then-reset' });
        await stage.jobs.failForGood();
        stage.startBoth();
        await sendGrid.waitForMessages(2, 60_000);
        await stage.quiet();
        expect(await outcomes(stage)).toEqual(['email: unknown (connection-lost)', 'email: accepted']);
        expect(await expectBalance(stage.pool, accepted(sendGrid))).toMatchObject({ duplicates: 1, unknown: 1 });
      }),
  );
});

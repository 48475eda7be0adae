import { createTestDatabase, startHalfOpenProxy } from '@tocsin/testing';
import { describe, expect, test } from 'vitest';
import { attemptsMade } from './harness/attempts.ts';
import { expectBalance } from './harness/ledger.ts';
import { present } from './harness/present.ts';
import { providerChannels, startProviders } from './harness/providers.ts';
import { storyTimeoutMs, withStage } from './harness/stage.ts';
import { waitUntil } from './harness/wait-until.ts';

const portOf = (url: string): number => Number(new URL(url).port);

/** The same address by way of another port. */
const through = (url: string, port: number): string => Object.assign(new URL(url), { port: String(port) }).href;

const secondsSince = (startMs: number): number => Math.round((performance.now() - startMs) / 100) / 10;

/** Longest time until somebody is told again after the lines to Postgres have died, in milliseconds. */
const recoveryMaxMs = 90_000;

describe.concurrent('lines that die without a word', async () => {
  const [behind, beside] = await Promise.all([createTestDatabase(), createTestDatabase()]);

  test(
    'to Postgres: both workers notice by themselves and go on; nothing is lost or doubled',
    { timeout: storyTimeoutMs },
    async () => {
      const { connectionString, pool } = present(behind);
      const proxy = await startHalfOpenProxy(portOf(connectionString));
      try {
        await withStage(
          { database: { connectionString: through(connectionString, proxy.port), pool } },
          async (stage) => {
            stage.expectErrors((_, entry) => entry?.['decision'] === 'TableUnreadable');
            const { detector, notifier } = stage.startBoth();
            await stage.jobs.failForGood({ targetId: 'before' });
            await stage.nextMail();
            await stage.quiet();
            const frozen = proxy.freeze();
            expect(frozen).toBeGreaterThan(4);
            const frozenMs = performance.now();
            await stage.jobs.failForGood({ targetId: 'meanwhile' });
            const mail = await stage.nextMail(recoveryMaxMs);
            const told = secondsSince(frozenMs);
            expect(mail.subject).toContain('meanwhile');
            await stage.quiet();
            expect(await expectBalance(pool, stage.smtp.messages())).toMatchObject({ failures: 2, duplicates: 0 });
            expect([detector.running(), notifier.running()]).toEqual([true, true]);
            console.log(`half open to Postgres: ${frozen} connections died, told again after ${told} s`);
          },
        );
      } finally {
        await proxy.stop();
      }
    },
  );

  test(
    'to SMTP, SendGrid, Slack and a webhook: tried again; had twice only beside an attempt on record as unknown',
    { timeout: storyTimeoutMs },
    async () => {
      await using providers = await startProviders();
      const { sendGrid, slack, webhook } = providers;
      const lines = await Promise.all(
        [sendGrid.baseUrl, slack.apiUrl, webhook.url].map((url) => startHalfOpenProxy(portOf(url))),
      );
      const [toGrid, toChat, toHook] = lines.map(({ port }) => port);
      const { channels } = providers;
      const config = {
        channels: {
          ...channels,
          grid: { ...(channels['grid'] as object), base_url: through(sendGrid.baseUrl, present(toGrid)) },
          chat: { ...(channels['chat'] as object), base_url: through(slack.apiUrl, present(toChat)) },
          hook: { ...(channels['hook'] as object), url: through(webhook.url, present(toHook)) },
        },
        routes: [{ name: 'default', channels: providerChannels, digest: { window: 0 } }],
        delivery: { attempt_timeout: '4s', unknown_retry: '1s' },
      };
      await withStage({ database: present(beside), config }, async (stage) => {
        const toMail = await startHalfOpenProxy(stage.smtp.port);
        const all = [toMail, ...lines];
        try {
          const ended = async (count: number): Promise<boolean> =>
            new Set(
              (await attemptsMade(stage.pool))
                .filter(({ outcome }) => outcome === 'unknown' || outcome === 'retry')
                .slice(-count)
                .map(({ channel }) => channel),
            ).size === providerChannels.length;
          stage.start('detector');
          stage.start('notifier', { env: { SMTP_URL: through(stage.smtp.url, toMail.port) } });

          // Nothing passes: nobody has heard anything.
          for (const line of all) line.freezeAll();
          await stage.jobs.failForGood({ targetId: 'unheard' });
          await waitUntil('an attempt on each channel to end without an answer', () => ended(providerChannels.length), {
            describe: () => attemptsMade(stage.pool),
          });
          expect(providers.accepted(stage.smtp)).toEqual([]);
          for (const line of all) line.thaw();
          const unheardMs = performance.now();
          await stage.quiet();
          const unheard = secondsSince(unheardMs);
          const first = providers.accepted(stage.smtp);
          expect(new Set(first.map(({ channel }) => channel)).size).toBe(providerChannels.length);
          expect(first).toHaveLength(providerChannels.length);

          // Answers alone are lost: all have heard, and nobody learns of it. A mail server speaks first, so its line dies later.
          stage.smtp.next({ kind: 'accept-late', afterMs: 1_500 });
          for (const line of lines) line.freezeAll('answers');
          const known = (await attemptsMade(stage.pool)).length;
          await stage.jobs.failForGood({ targetId: 'unanswered' });
          await stage.smtp.waitForMessages(2, 90_000);
          toMail.freeze('answers');
          await waitUntil(
            'an attempt on each channel to end without an answer',
            async () => {
              const fresh = (await attemptsMade(stage.pool)).slice(known);
              return (
                new Set(fresh.filter(({ outcome }) => outcome === 'unknown').map(({ channel }) => channel)).size === 4
              );
            },
            { describe: () => attemptsMade(stage.pool) },
          );
          for (const line of lines) line.thaw();
          const unansweredMs = performance.now();
          await stage.quiet();
          const unanswered = secondsSince(unansweredMs);
          stage.takeMails();
          const accepted = providers.accepted(stage.smtp);
          const balance = await expectBalance(stage.pool, accepted, { channels: providerChannels.length });
          expect(balance.duplicates).toBeGreaterThan(0);
          expect(balance.duplicates).toBeLessThanOrEqual(balance.unknown);
          const inSlack = accepted.filter(({ channel }) => channel === 'chat');
          expect(inSlack, 'messages at Slack, which is asked before anything is sent again').toHaveLength(2);
          console.log(
            `half open to providers: told ${unheard} s after nothing, ${unanswered} s after no answer had passed; ${JSON.stringify(balance)}`,
          );
        } finally {
          await Promise.all(all.map((line) => line.stop()));
        }
      });
    },
  );
});

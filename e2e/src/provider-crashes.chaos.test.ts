import { createTestDatabase } from '@tocsin/testing';
import { describe, expect, test } from 'vitest';
import { attemptsMade } from './harness/attempts.ts';
import { around } from './harness/crash-case.ts';
import { expectBalance } from './harness/ledger.ts';
import { providerChannels, startProviders } from './harness/providers.ts';
import { storyTimeoutMs, withStage } from './harness/stage.ts';

/** Where the notifier dies around its calls, and at which pass: with one, some or all of the four messages of a digest. */
const deaths = [
  ...around('notifier.claim').map((point, index) => `${point}:${2 + index}`),
  ...around('notifier.begin').map((point, index) => `${point}:${3 - index}`),
  'notifier.before_send:2',
  'notifier.after_send:1',
  'notifier.after_send:4',
  ...around('notifier.record').map((point, index) => `${point}:${1 + 2 * index}`),
];

describe('killed around the calls of four providers', async () => {
  const database = await createTestDatabase();

  test(
    'nothing is lost on any, and each has twice only what the ledger calls unknown; Slack is asked first and has none twice',
    { timeout: storyTimeoutMs },
    async () => {
      await using providers = await startProviders();
      const config = {
        channels: providers.channels,
        routes: [{ name: 'default', channels: providerChannels, digest: { window: 0 } }],
        delivery: { attempt_timeout: '5s', unknown_retry: '500ms' },
      };
      await withStage({ database, config }, async (stage) => {
        stage.start('detector');
        for (const [index, death] of deaths.entries()) {
          await stage.jobs.failForGood({ targetId: `songs-${index}` });
          await stage.crash('notifier', death);
        }
        stage.start('notifier');
        await stage.quiet();
        stage.takeMails();
        const accepted = providers.accepted(stage.smtp);
        const balance = await expectBalance(stage.pool, accepted, { channels: providerChannels.length });
        expect(balance.failures).toBe(deaths.length);
        expect(balance.crashed).toBeGreaterThan(0);
        expect(balance.neverBegun).toBeGreaterThan(0);
        expect(balance.duplicates).toBeGreaterThan(0);
        expect(balance.duplicates).toBeLessThanOrEqual(balance.unknown);
        const slack = accepted.filter(({ channel }) => channel === 'chat').map(({ messageId }) => messageId);
        expect(new Set(slack).size, 'messages at Slack').toBe(slack.length);
        // A webhook's receiver drops what it has seen by its id.
        for (const { id, event } of providers.webhook.taken()) expect(event['id']).toBe(id);
        const unknown = (await attemptsMade(stage.pool)).filter(({ outcome }) => outcome === 'unknown');
        console.log(
          `kills ${deaths.length}: ${JSON.stringify(balance)}, unknown on ${unknown.map(({ channel }) => channel).join(' ')}`,
        );
      });
    },
  );
});

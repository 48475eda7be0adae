import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ChannelConfig } from './channel.ts';
import { createChannel } from './create-channel.ts';
import { recordingLog } from './sample-outgoing.contract.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const mail = { to: ['ada@example.com'], from: 'tocsin@example.com' };

test.each<ChannelConfig>([
  { type: 'sendgrid', ...mail, apiKey: 'SG.x.y' },
  { type: 'smtp', ...mail, url: 'smtp://127.0.0.1:9' },
  { type: 'outbox', directory: join(tmpdir(), 'tocsin-warm-up-never-made') },
  { type: 'webhook', url: 'http://127.0.0.1:9/', secret },
  { type: 'pagerduty', routingKey: 'x'.repeat(32), baseUrl: 'http://127.0.0.1:9/' },
  { type: 'sentry', dsn: 'http://0123456789abcdef@127.0.0.1:9/1' },
])('a channel of type $type loads its libraries ahead, without anybody on the other side', async (config) => {
  const log = recordingLog();
  const channel = createChannel('primary', config, { log });
  await channel.warmUp?.();
  expect(channel.warmUp).toBeDefined();
  expect(log.lines).toHaveLength(0);
});

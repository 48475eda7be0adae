import type { DomainEvent, EventNamed } from '@tocsin/alert-model';
import type { ChannelConfig } from '@tocsin/runtime';
import { expect, test } from 'vitest';
import { channelText } from './channel-text.ts';
import { deliveryText } from './delivery-text.ts';
import { ladderText, stepText } from './escalation-text.ts';
import { eventFacts } from './event-facts.ts';
import { stormText } from './storm-text.ts';

const id = (digit: number): string => `${String(digit).repeat(8)}-0000-4000-8000-000000000000`;
const at = '2026-03-02T03:04:05.000000Z';

test.each<readonly [ChannelConfig, string]>([
  [{ type: 'sendgrid', to: ['a@x.org', 'b@x.org'], from: 'f@x.org', apiKey: 'hush' }, 'a@x.org, b@x.org (sendgrid)'],
  [{ type: 'smtp', to: ['a@x.org'], from: 'f@x.org', url: 'smtp://me:hush@mail.x.org' }, 'a@x.org (smtp)'],
  [{ type: 'slack_webhook', url: 'https://hooks.slack.com/services/T/B/hush' }, 'Slack, by the webhook "chat"'],
  [{ type: 'slack_bot', token: 'xoxb-hush', channel: '#ops' }, '#ops in Slack'],
  [{ type: 'webhook', url: 'https://x.org/hush?key=hush', secret: 'whsec_hush' }, 'x.org (webhook)'],
  [{ type: 'pagerduty', routingKey: 'hush' }, 'PagerDuty'],
  [{ type: 'sentry', dsn: 'https://hush@o1.ingest.sentry.io/7' }, 'Sentry at o1.ingest.sentry.io'],
  [{ type: 'outbox', directory: '/tmp/out' }, 'the files in /tmp/out'],
  [{ type: 'console' }, 'chat'],
])('whom a channel reaches is said without its secrets: %o', (channel, text) => {
  expect(channelText('chat', channel)).toBe(text);
  expect(channelText('chat', channel)).not.toContain('hush');
});

test('a channel that is not configured any more, or whose address is none, is named all the same', () => {
  expect(channelText('gone', undefined)).toBe('gone');
  expect(channelText('hook', { type: 'webhook', url: 'hush', secret: 's' })).toBe('an address that is none (webhook)');
});

const night = {
  name: 'night',
  levels: [
    { afterMs: 0, channels: ['chat'], severities: null },
    { afterMs: 900_000, channels: ['pager', 'boss'], severities: ['error' as const, 'critical' as const] },
  ],
  repeat: { everyMs: 3_600_000, times: 5 },
};

test('a ladder is said level by level, with whom it is for and how often it is repeated', () => {
  expect(ladderText(night)).toBe(
    'at once chat; after 15 min, if error or critical, pager and boss; then all again every 1 h, 5 times',
  );
  expect(ladderText({ ...night, levels: night.levels.slice(0, 1), repeat: { everyMs: 60_000, times: 1 } })).toBe(
    'at once chat; then all again every 1 min, once',
  );
});

test('a step is said by its level, by the ladder alone where it has one, and by its repetition', () => {
  expect(stepText(night, { step: 2, repeat: 0, channels: ['pager', 'boss'] })).toBe(
    'escalates to level 2 of night (pager and boss)',
  );
  expect(stepText({ ...night, levels: night.levels.slice(0, 1) }, { step: 1, repeat: 0, channels: ['chat'] })).toBe(
    'escalates to night (chat)',
  );
  expect(stepText(night, { step: 4, repeat: 2, channels: ['chat'] })).toBe('tells night again, 2 of 5 (chat)');
});

test('a storm is said by what made it one', () => {
  expect(stormText({ keys: 51, withinMs: 300_000, source: null })).toBe('51 new alerts or more within 5 min');
  expect(stormText({ keys: 51, withinMs: 300_000, source: 'apple' })).toBe(
    '51 new alerts or more within 5 min, of apple alone',
  );
  expect(stormText({ keys: 0, withinMs: 300_000, source: null })).toBe('what became of alerts of a storm');
});

const delivery = { acceptedAt: null, confirmedAt: null, lastReason: null, nextAttemptAt: null };
test.each([
  [{ ...delivery, state: 'rejected', lastReason: 'bad-request' }, 'given up (bad-request)'],
  [{ ...delivery, state: 'replaced', lastReason: 'parked' }, 'given up (parked), another message took over'],
  [{ ...delivery, state: 'accepted', acceptedAt: at }, 'accepted 2026-03-02 03:04:05 UTC (just now)'],
  [
    { ...delivery, state: 'accepted', acceptedAt: at, confirmedAt: at },
    'delivered 2026-03-02 03:04:05 UTC (just now), says the provider',
  ],
  [
    { ...delivery, state: 'replaced', acceptedAt: at, lastReason: 'bounced' },
    'accepted 2026-03-02 03:04:05 UTC (just now), then came back (bounced)',
  ],
  [
    { ...delivery, state: 'unknown', nextAttemptAt: at, lastReason: 'timeout' },
    'unknown (timeout), next attempt 2026-03-02 03:04:05 UTC (just now)',
  ],
] as const)('what became of a message: %o', (given, text) => {
  expect(deliveryText(given, at)).toBe(text);
});

const digestId = id(2) as EventNamed<'AlertBatched'>['data']['digestId'];
const deliveryId = id(3) as EventNamed<'AlertNotified'>['data']['deliveryId'];
const event = (type: DomainEvent['type'], data: object): DomainEvent => ({ type, occurredAt: at, data }) as DomainEvent;
const silence = { silenceId: id(1), by: 'ada', reason: 'moving' };

test.each([
  [
    event('AlertSilenced', { ...silence, end: { until: 'time', at }, withdrawn: [digestId] }),
    'by silence 11111111 of ada (moving) until 2026-03-02 03:04:05 UTC; its news is taken out of 1 digest',
  ],
  [
    event('AlertSilenced', { ...silence, reason: null, end: { until: 'resolved' }, withdrawn: [] }),
    'by silence 11111111 of ada until it is resolved',
  ],
  [event('AlertUnsilenced', { silenceId: id(1), cause: 'expired', by: null }), 'silence 11111111 is over'],
  [event('AlertUnsilenced', { silenceId: id(1), cause: 'ended', by: 'bert' }), 'silence 11111111 was ended by bert'],
  [event('ResolutionHeld', { until: at }), 'fine again while flapping: resolved at 2026-03-02 03:04:05 if it stays so'],
  [event('FlappingEnded', { since: at }), 'it goes on failing since 2026-03-02 03:04:05, so it is flapping no more'],
  [
    event('NotificationBounced', {
      digestId,
      deliveryId,
      route: 'r',
      channel: 'email',
      reason: 'bounced',
      fallback: 'chat',
    }),
    'email had accepted digest 22222222, and it came back (bounced); chat takes over',
  ],
  [
    event('AlertEscalated', {
      level: 4,
      repeat: 2,
      route: 'r',
      escalation: 'night',
      channels: ['a', 'b'],
      afterMs: 60_000,
    }),
    'step 4, repetition 2 of night (a and b), route r: nobody acknowledged within 1 min',
  ],
  [
    event('AcknowledgementLapsed', { by: 'anna', acknowledgedAt: at, reason: 'failures' }),
    'of anna: it has failed as often as it was given for',
  ],
  [
    event('AlertAcknowledged', { by: 'anna', via: 'cli', lease: { until: 'failures', count: 1 }, note: null }),
    'by anna via cli, until it has failed 1 time more',
  ],
  [
    event('DigestOpened', {
      digestId,
      route: 'r',
      purpose: 'storm',
      channels: ['email'],
      fallback: [],
      dueAt: at,
      storm: { keys: 51, withinMs: 300_000, source: 'apple', threadId: null },
    }),
    'route r (storm: 51 new alerts or more within 5 min, of apple alone) to email, due 2026-03-02 03:04:05',
  ],
  [
    event('DigestBounced', { deliveryId, channel: 'email', reason: 'dropped', fallback: null }),
    'email had accepted it, and it came back (dropped); no channel is left',
  ],
  [
    event('DigestRedriven', { deliveryId, by: 'ada', replacement: { deliveryId, channel: 'chat' } }),
    'ada sends it again through chat',
  ],
])('what an event says beyond its name: %o', (given, text) => {
  expect(eventFacts(given)).toBe(text);
});

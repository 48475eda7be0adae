import type { DeliveryOutcome, DeliveryReason, Instant } from '@tocsin/alert-model';
import type { ChannelState } from '@tocsin/event-store';
import { expect, test } from 'vitest';
import { defaultSettings } from '../service-context.ts';
import { channelNewsOf, gateOf } from './channel-gate.ts';

const now = '2026-03-02T03:00:00.000000Z' as Instant;
const at = (minutes: number): Instant => new Date(Date.parse(now) + minutes * 60_000).toISOString() as Instant;
const state = (over: Partial<ChannelState>): ChannelState => ({
  channel: 'email',
  failures: 0,
  openUntil: null,
  opened: 0,
  parkedAt: null,
  parkedReason: null,
  lastAcceptedAt: null,
  lastFailedAt: null,
  verifiedAt: null,
  verifiedSettings: null,
  ...over,
});
const gate = (over?: Partial<ChannelState>) => gateOf(over && state(over), now, defaultSettings);

test('a channel of which nothing is known, or nothing bad, is open', () => {
  expect(gate()).toEqual({ open: true, probe: null });
  expect(gate({ failures: 4 })).toEqual({ open: true, probe: null });
});

test('a parked channel is left alone for its time, then one message tries it', () => {
  expect(gate({ parkedAt: at(-14), parkedReason: 'unauthorized (401): bad key' })).toMatchObject({
    open: false,
    reason: 'parked',
    until: at(1),
    detail: 'unauthorized (401): bad key',
  });
  expect(gate({ parkedAt: at(-15) })).toEqual({ open: true, probe: 'parked' });
});

test('an open circuit is left alone for its time, then one message tries it', () => {
  expect(gate({ failures: 5, openUntil: at(1) })).toMatchObject({ open: false, reason: 'circuit-open', until: at(1) });
  expect(gate({ failures: 5, openUntil: at(0) })).toEqual({ open: true, probe: 'circuit-open' });
});

test('a channel that asked for patience is waited for, and after that it is as it was', () => {
  expect(gate({ failures: 2, openUntil: at(10) })).toMatchObject({ open: false, reason: 'throttled', until: at(10) });
  expect(gate({ failures: 2, openUntil: at(-1) })).toEqual({ open: true, probe: null });
});

test('a parked channel whose time is over stays closed while its circuit is open', () => {
  expect(gate({ parkedAt: at(-20), failures: 7, openUntil: at(5) })).toMatchObject({ reason: 'circuit-open' });
});

const ended = (reason: DeliveryReason, outcome: 'retry' | 'rejected' | 'unknown' = 'retry'): DeliveryOutcome =>
  outcome === 'retry'
    ? { outcome, reason, retryAfterMs: null, status: null, detail: '' }
    : { outcome, reason, status: null, detail: '' };

test.each([
  ['a refused key', ended('unauthorized', 'rejected'), 'broken'],
  ['a webhook that is gone', ended('not-found', 'rejected'), 'broken'],
  ['no answer', ended('timeout', 'unknown'), 'failure'],
  ['an error of the server', ended('server-error'), 'failure'],
  ['a request for patience', ended('rate-limited'), 'busy'],
  ['a message it does not like', ended('bad-request', 'rejected'), 'nothing'],
  ['an address it does not know', ended('bad-address', 'rejected'), 'nothing'],
  ['a process that died', ended('crashed', 'unknown'), 'nothing'],
  ['an accept', { outcome: 'accepted', providerMessageId: null, status: 202 } satisfies DeliveryOutcome, 'fine'],
] as const)('what %s says of the channel', (_, outcome, news) => {
  expect(channelNewsOf(outcome)).toBe(news);
});

import { describe, expect, test } from 'vitest';
import { at, deliveryId, digestId } from '../fixtures/builders.ts';
import { evolveDigest } from './digest-state.ts';
import type { DigestState } from './digest-state.ts';
import type { DigestEvent } from './event.ts';
import { InvariantError } from './invariant-error.ts';

const openedDigest: DigestEvent = {
  type: 'DigestOpened',
  occurredAt: at(182),
  data: {
    digestId: digestId(1),
    route: 'default',
    purpose: 'window',
    channels: ['email', 'slack'],
    fallback: ['outbox'],
    dueAt: at(197),
    storm: null,
  },
};
const sealed = (...numbers: readonly number[]): DigestEvent => ({
  type: 'DigestSealed',
  occurredAt: at(197),
  data: {
    alerts: numbers.length,
    deliveries: numbers.map((number) => ({
      deliveryId: deliveryId(number),
      channel: 'email',
      threadId: digestId(1),
      alerts: 1,
    })),
  },
});
const delivered = (number: number): DigestEvent => ({
  type: 'DigestDelivered',
  occurredAt: at(198),
  data: { deliveryId: deliveryId(number), channel: 'email', acceptedAt: at(198), attempts: 1 },
});
const lost = (number: number, replacement: number | null): DigestEvent => ({
  type: 'DigestFailed',
  occurredAt: at(199),
  data: {
    deliveryId: deliveryId(number),
    channel: 'email',
    reason: 'bad-address',
    fallback: replacement === null ? null : { deliveryId: deliveryId(replacement), channel: 'outbox' },
  },
});
const bounced = (number: number, replacement: number | null): DigestEvent => ({
  type: 'DigestBounced',
  occurredAt: at(201),
  data: { ...(lost(number, replacement).data as Extract<DigestEvent, { type: 'DigestBounced' }>['data']) },
});
const redriven = (number: number, replacement: number): DigestEvent => ({
  type: 'DigestRedriven',
  occurredAt: at(600),
  data: {
    deliveryId: deliveryId(number),
    by: 'ann',
    replacement: { deliveryId: deliveryId(replacement), channel: 'email' },
  },
});
const folded = (...events: readonly DigestEvent[]): DigestState =>
  events.reduce<DigestState | null>(evolveDigest, null) as DigestState;

const table: readonly (readonly [caption: string, events: readonly DigestEvent[], state: Partial<DigestState>])[] = [
  ['is open when it begins', [openedDigest], { state: 'open', version: 1, dueAt: at(197) }],
  [
    '(4) is empty when it is sealed without anything to send, and settled at once',
    [openedDigest, sealed()],
    { state: 'empty', settledAt: at(197) },
  ],
  [
    'waits for its deliveries',
    [openedDigest, sealed(1, 2)],
    { state: 'sealed', waiting: [deliveryId(1), deliveryId(2)], settledAt: null },
  ],
  [
    'is delivered with the first acceptance, and settled with the last',
    [openedDigest, sealed(1, 2), delivered(1)],
    { state: 'delivered', settledAt: null },
  ],
  [
    'is settled when every delivery was accepted',
    [openedDigest, sealed(1, 2), delivered(1), delivered(2)],
    { state: 'delivered', settledAt: at(198), waiting: [] },
  ],
  [
    'waits for the channel that takes over',
    [openedDigest, sealed(1), lost(1, 2)],
    { state: 'sealed', waiting: [deliveryId(2)], settledAt: null },
  ],
  [
    'has failed when the last channel gave up and none accepted',
    [openedDigest, sealed(1), lost(1, 2), lost(2, null)],
    { state: 'failed', settledAt: at(199) },
  ],
  [
    'stays delivered when one of two channels gave up',
    [openedDigest, sealed(1, 2), delivered(1), lost(2, null)],
    { state: 'delivered', settledAt: at(199), failed: [deliveryId(2)] },
  ],
  [
    'waits again when what was accepted came back and another channel takes over',
    [openedDigest, sealed(1), delivered(1), bounced(1, 2)],
    { state: 'sealed', accepted: [], failed: [deliveryId(1)], waiting: [deliveryId(2)], settledAt: null },
  ],
  [
    'has failed when all that was accepted came back',
    [openedDigest, sealed(1), delivered(1), bounced(1, null)],
    { state: 'failed', accepted: [], settledAt: at(201) },
  ],
  [
    'stays delivered when one of two messages came back',
    [openedDigest, sealed(1, 2), delivered(1), delivered(2), bounced(1, null)],
    { state: 'delivered', accepted: [deliveryId(2)], settledAt: at(198) },
  ],
  [
    'still waits for the other when the one that was accepted came back',
    [openedDigest, sealed(1, 2), delivered(1), bounced(1, null)],
    { state: 'sealed', waiting: [deliveryId(2)], settledAt: null },
  ],
  [
    'waits again when somebody has a message tried that was given up',
    [openedDigest, sealed(1), lost(1, null), redriven(1, 2)],
    { state: 'sealed', waiting: [deliveryId(2)], settledAt: null },
  ],
  [
    'is delivered when that succeeds',
    [openedDigest, sealed(1), lost(1, null), redriven(1, 2), delivered(2)],
    { state: 'delivered', accepted: [deliveryId(2)], failed: [deliveryId(1)], settledAt: at(198) },
  ],
];

describe('a digest', () => {
  test('says of which storm it is the message', () => {
    const storm = { keys: 312, withinMs: 300_000, source: 'apple', threadId: null };
    const event = { ...openedDigest, data: { ...openedDigest.data, purpose: 'storm', storm } } as DigestEvent;
    expect(folded(event)).toMatchObject({ purpose: 'storm', storm });
    expect(folded(openedDigest).storm).toBeNull();
  });

  test.for(table)('%s', ([, events, state]) => {
    expect(folded(...events)).toMatchObject(state);
    expect(folded(...events).version).toBe(events.length);
  });

  test.for([
    ['opened twice', [openedDigest, openedDigest]],
    ['sealed before it was opened', [sealed(1)]],
    ['sealed twice', [openedDigest, sealed(1), sealed(1)]],
    ['delivered before it was sealed', [openedDigest, delivered(1)]],
    ['delivered twice by the same delivery', [openedDigest, sealed(1), delivered(1), delivered(1)]],
    ['bounced by a delivery that nobody had accepted', [openedDigest, sealed(1), bounced(1, null)]],
    ['redriven by a delivery that was not given up', [openedDigest, sealed(1), delivered(1), redriven(1, 2)]],
    ['failed by a delivery it does not know', [openedDigest, sealed(1), lost(3, null)]],
  ] as const)('is never %s', ([, events]) => {
    expect(() => folded(...events)).toThrow(InvariantError);
  });
});

import { DeliveryId } from '@tocsin/alert-model';
import type { Instant } from '@tocsin/alert-model';
import type { ProviderEvent } from '@tocsin/event-store';
import { expect, test } from 'vitest';
import { cameBackOf } from './came-back.ts';

const event = (id: string, name: string, recipient: string | null, minute = 0): ProviderEvent => ({
  id,
  provider: 'sendgrid',
  attemptId: '00000000-0000-4000-8000-000000000001',
  deliveryId: DeliveryId.parse('00000000-0000-4000-8000-000000000002'),
  event: name,
  recipient,
  detail: `${name} of ${recipient}`,
  at: new Date(Date.UTC(2026, 2, 2, 3, minute)).toISOString() as Instant,
});

test('a message of which nothing bad is said has not come back', () => {
  expect(cameBackOf([])).toBeNull();
  expect(
    cameBackOf([event('1', 'processed', 'ada@example.com'), event('2', 'deferred', 'ada@example.com')]),
  ).toBeNull();
});

test('it came back from those whom no copy of it reached', () => {
  const back = cameBackOf([
    event('1', 'bounce', 'ada@example.com', 1),
    event('2', 'bounce', 'ada@example.com', 2),
    event('3', 'dropped', 'bob@example.com', 3),
    event('4', 'bounce', 'eve@example.com', 4),
    event('5', 'delivered', 'eve@example.com', 0),
  ]);
  expect(back).toEqual({
    from: ['ada@example.com', 'bob@example.com'],
    reason: 'dropped',
    detail: 'dropped of bob@example.com',
  });
});

test('the order in which it is heard of makes no difference', () => {
  const events = [
    event('1', 'bounce', 'ada@example.com', 1),
    event('2', 'blocked', 'bob@example.com', 1),
    event('3', 'delivered', 'eve@example.com', 2),
  ];
  expect(cameBackOf(events.toReversed())).toEqual(cameBackOf(events));
});

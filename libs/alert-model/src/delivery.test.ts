import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  attemptsMax,
  attemptsWithFallbackMax,
  nextDeliveryStep,
  retryAfterMaxMs,
  retryFirstMs,
  retryMaxMs,
  unauthorizedRetryMs,
  unknownRetryMs,
} from './delivery.ts';
import type { DeliveryOutcome, DeliveryReason, DeliveryStep } from './delivery.ts';

const accepted: DeliveryOutcome = { outcome: 'accepted', providerMessageId: 'x', status: 202 };
const retry = (reason: DeliveryReason, retryAfterMs: number | null = null): DeliveryOutcome => ({
  outcome: 'retry',
  reason,
  retryAfterMs,
  status: null,
  detail: '',
});
const rejected = (reason: DeliveryReason): DeliveryOutcome => ({
  outcome: 'rejected',
  reason,
  status: null,
  detail: '',
});
const unknown = (reason: DeliveryReason): DeliveryOutcome => ({ outcome: 'unknown', reason, status: null, detail: '' });
const wait = (afterMs: number, state: 'retrying' | 'unknown' = 'retrying'): DeliveryStep => ({
  step: 'wait',
  afterMs,
  state,
});
const giveUp: DeliveryStep = { step: 'give-up' };

const table: readonly (readonly [
  caption: string,
  outcome: DeliveryOutcome,
  attempts: number,
  fallbackLeft: boolean,
  step: DeliveryStep,
])[] = [
  ['an acceptance is the end', accepted, 1, true, { step: 'accepted' }],
  ['an acceptance is the end, even at the last attempt', accepted, attemptsMax, false, { step: 'accepted' }],
  ['(24) 429 with a reset time waits for it', retry('rate-limited', 42_000), 1, true, wait(42_000)],
  [
    '(24) a reset time of a week is cut to a day',
    retry('rate-limited', 7 * 86_400_000),
    1,
    true,
    wait(retryAfterMaxMs),
  ],
  ['(24) 429 without a reset time waits a little', retry('rate-limited'), 1, true, wait(retryFirstMs)],
  ['a server error waits twice as long each time', retry('server-error'), 3, true, wait(4 * retryFirstMs)],
  ['and at most an hour', retry('server-error'), 30, false, wait(retryMaxMs)],
  ['with another channel left, five attempts are enough', retry('server-error'), attemptsWithFallbackMax, true, giveUp],
  ['without one, it goes on for days', retry('server-error'), attemptsWithFallbackMax, false, wait(16 * retryFirstMs)],
  ['but not for ever', retry('server-error'), attemptsMax, false, giveUp],
  [
    '(25, 27) an unknown outcome gives the provider a minute to speak',
    unknown('timeout'),
    1,
    true,
    wait(unknownRetryMs, 'unknown'),
  ],
  ['(27) and so does a crash in the middle', unknown('crashed'), 1, false, wait(unknownRetryMs, 'unknown')],
  [
    '(25) an unknown outcome at the last attempt is given up',
    unknown('connection-lost'),
    attemptsWithFallbackMax,
    true,
    giveUp,
  ],
  ['(26) 401 goes to the next channel at once', rejected('unauthorized'), 1, true, giveUp],
  [
    '(26) 401 without another channel waits for somebody to repair it',
    rejected('unauthorized'),
    1,
    false,
    wait(unauthorizedRetryMs),
  ],
  [
    '(26) a missing channel without another one waits too',
    rejected('misconfigured'),
    7,
    false,
    wait(unauthorizedRetryMs),
  ],
  ['(26) and is given up in the end', rejected('unauthorized'), attemptsMax, false, giveUp],
  ['a bad address is not tried again', rejected('bad-address'), 1, true, giveUp],
  ['nor is it without another channel', rejected('bad-address'), 1, false, giveUp],
  ['a parked channel gives way to the next at once', retry('parked', 600_000), 1, true, giveUp],
  ['without another the message waits until it is tried again', retry('parked', 600_000), 1, false, wait(600_000)],
  ['for as long as it takes', retry('parked'), attemptsMax, false, wait(unauthorizedRetryMs)],
  ['an open circuit gives way to the next channel', retry('circuit-open', 60_000), 1, true, giveUp],
  ['without another it is waited for', retry('circuit-open', 60_000), attemptsMax, false, wait(60_000)],
  [
    'a channel that has sent enough is waited for, whoever else could tell',
    retry('throttled', 900),
    1,
    true,
    wait(900),
  ],
  ['however often it has been tried', retry('throttled', 900), attemptsMax, true, wait(900)],
  [
    '(26) a channel parked by the last attempt waits for its repair',
    rejected('parked'),
    1,
    false,
    wait(unauthorizedRetryMs),
  ],
  ['an address that may not be used is not tried again', rejected('forbidden-address'), 1, false, giveUp],
  ['what came back is not sent again', rejected('bounced'), 1, false, giveUp],
  ['nor is what the provider dropped', rejected('dropped'), 1, true, giveUp],
  ['a message that is too large stays too large', rejected('too-large'), 1, false, giveUp],
];

describe('nextDeliveryStep', () => {
  test.for(table)('%s', ([, outcome, attempts, fallbackLeft, step]) => {
    expect(nextDeliveryStep(outcome, attempts, fallbackLeft)).toEqual(step);
  });

  test('always ends: no outcome waits at or beyond the last attempt, and no wait is longer than a day', () => {
    const outcome = fc.oneof(
      fc.record({ ms: fc.option(fc.nat({ max: 1e12 })) }).map(({ ms }) => retry('rate-limited', ms)),
      fc.constantFrom(unknown('timeout'), rejected('unauthorized'), rejected('not-found')),
    );
    fc.assert(
      fc.property(outcome, fc.integer({ min: 1, max: 10_000 }), fc.boolean(), (value, attempts, fallbackLeft) => {
        const step = nextDeliveryStep(value, attempts, fallbackLeft);
        const attemptsLeft = (fallbackLeft ? attemptsWithFallbackMax : attemptsMax) - attempts;
        expect(step.step === 'wait' && attemptsLeft <= 0).toBe(false);
        expect(step.step === 'wait' ? step.afterMs : 0).toBeLessThanOrEqual(retryAfterMaxMs);
      }),
    );
  });

  test('tries for about three days before it gives up the last channel', () => {
    let waited = 0;
    for (let attempts = 1; attempts < attemptsMax; attempts += 1) {
      const step = nextDeliveryStep(retry('server-error'), attempts, false);
      waited += step.step === 'wait' ? step.afterMs : 0;
    }
    expect(waited / 86_400_000).toBeGreaterThan(3);
    expect(waited / 86_400_000).toBeLessThan(4);
  });
});

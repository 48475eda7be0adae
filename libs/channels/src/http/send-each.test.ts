import type { DeliveryOutcome } from '@tocsin/alert-model';
import { describe, expect, test } from 'vitest';
import { sendEach, sideBySideMax } from './send-each.ts';
import type { SendPart } from './send-each.ts';

const options = { signal: new AbortController().signal, timeoutMs: 5_000 };
const accepted = (id: string): DeliveryOutcome => ({ outcome: 'accepted', providerMessageId: id, status: 202 });
const retry: DeliveryOutcome = { outcome: 'retry', reason: 'server-error', retryAfterMs: 5, status: 503, detail: 'x' };
const unknown: DeliveryOutcome = { outcome: 'unknown', reason: 'timeout', status: null, detail: 'x' };
const bad: DeliveryOutcome = { outcome: 'rejected', reason: 'bad-request', status: 400, detail: 'x' };
const key: DeliveryOutcome = { outcome: 'rejected', reason: 'unauthorized', status: 401, detail: 'x' };

const run = async (outcomes: readonly DeliveryOutcome[]) => {
  let made = 0;
  const parts: SendPart[] = outcomes.map((outcome) => async () => {
    made += 1;
    return outcome;
  });
  return { outcome: await sendEach(parts, options), made };
};

describe('an attempt of several requests', () => {
  test.each<[string, readonly DeliveryOutcome[], DeliveryOutcome]>([
    ['nothing to send', [], { outcome: 'accepted', providerMessageId: null, status: null }],
    ['all accepted', [accepted('a'), accepted('b')], accepted('a')],
    ['one to be tried again', [accepted('a'), retry], retry],
    ['one that is not known', [unknown], unknown],
    [
      'one that is not known among others',
      [accepted('a'), unknown],
      { ...unknown, outcome: 'retry', retryAfterMs: null },
    ],
    ['one not known and one to be tried again', [unknown, retry], retry],
    ['one refused and one to be tried again', [retry, bad], bad],
  ])('with %s comes to that', async (_caption, outcomes, expected) => {
    expect((await run(outcomes)).outcome).toEqual(expected);
  });

  test('goes on after a part that is not understood, and ends with anything else', async () => {
    const rest = Array.from({ length: 20 }, () => accepted('x'));
    expect((await run([bad, ...rest])).made).toBe(21);
    for (const end of [retry, unknown, key]) expect((await run([end, ...rest])).made).toBe(sideBySideMax);
  });

  test('sends nothing when it was stopped before', async () => {
    const outcome = await sendEach([async () => accepted('a')], { ...options, signal: AbortSignal.abort() });
    expect(outcome).toMatchObject({ outcome: 'retry', reason: 'timeout-before-send' });
  });
});

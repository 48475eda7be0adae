import { describe, expect, test } from 'vitest';
import { postOutcome } from './answer-outcome.ts';
import type { AnswerReader } from './answer-outcome.ts';

const now = Date.parse('2026-11-16T03:00:00Z');
const reader: AnswerReader = {
  provider: 'Acme',
  secrets: ['hunter2'],
  accept: ({ status }) => ({ outcome: 'accepted', providerMessageId: null, status }),
};
const outcomeOf = (status: number, headers: Readonly<Record<string, string>> = {}, body = 'no hunter2 here') =>
  postOutcome({ kind: 'answer', status, headers, body }, reader, now);

describe('what a status means', () => {
  test.each([
    [300, 'rejected', 'misconfigured'],
    [307, 'rejected', 'misconfigured'],
    [400, 'rejected', 'bad-request'],
    [401, 'rejected', 'unauthorized'],
    [403, 'rejected', 'unauthorized'],
    [404, 'rejected', 'not-found'],
    [408, 'retry', 'server-error'],
    [410, 'rejected', 'not-found'],
    [413, 'rejected', 'too-large'],
    [415, 'rejected', 'bad-request'],
    [422, 'rejected', 'bad-request'],
    [425, 'retry', 'server-error'],
    [429, 'retry', 'rate-limited'],
    [500, 'retry', 'server-error'],
    [529, 'retry', 'server-error'],
  ] as const)('%i is %s as %s', (status, outcome, reason) => {
    expect(outcomeOf(status)).toMatchObject({ outcome, reason, status });
  });

  test('is acceptance only where the provider accepts', () => {
    expect(outcomeOf(204)).toEqual({ outcome: 'accepted', providerMessageId: null, status: 204 });
  });

  test('is told with the answer and without secrets', () => {
    expect(outcomeOf(400)).toMatchObject({ detail: 'Acme answered 400: no *** here' });
    expect(outcomeOf(302)).toMatchObject({ detail: 'Acme answered 302: the redirect was not followed.' });
  });

  test.each([
    ['seconds', { 'retry-after': '30' }, 30_000],
    ['a date', { 'retry-after': 'Mon, 16 Nov 2026 03:00:45 GMT' }, 45_000],
    ['a reset time', { 'x-ratelimit-reset': String(now / 1_000 + 90) }, 90_000],
    ['nothing', {}, null],
  ])('comes with the wait that is asked for in %s', (_caption, headers, retryAfterMs) => {
    expect(outcomeOf(429, headers)).toMatchObject({ retryAfterMs });
    expect(outcomeOf(503, headers)).toMatchObject({ retryAfterMs });
  });

  test.each([
    ['unconnected', 'ECONNREFUSED', 'retry', 'connection-refused'],
    ['unconnected', 'ENOTFOUND', 'retry', 'dns'],
    ['securing', 'ECONNRESET', 'retry', 'tls'],
    ['connected', 'ECONNRESET', 'unknown', 'connection-lost'],
  ] as const)('does without: %s and %s is %s as %s', (phase, code, outcome, reason) => {
    const error = Object.assign(new Error(`${code} hunter2`), { code });
    const result = postOutcome({ kind: 'silence', phase, error, timedOut: false, stopped: false }, reader, now);
    expect(result).toMatchObject({ outcome, reason, status: null });
    expect(JSON.stringify(result)).not.toContain('hunter2');
  });
});

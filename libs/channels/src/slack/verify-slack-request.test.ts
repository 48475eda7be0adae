import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { slackClockToleranceMs, verifySlackRequest } from './verify-slack-request.ts';

// The example of Slack's own page (https://docs.slack.dev/authentication/verifying-requests-from-slack).
const secret = '8f742231b10e8888abcd99yyyzzz85a5';
const timestamp = '1531420618';
const rawBody =
  'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
const signature = 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503';
const nowMs = Number(timestamp) * 1_000;
const request = { timestamp, signature, rawBody };

describe('a request of Slack', () => {
  test('is believed when it is signed, as text or as bytes', () => {
    expect(verifySlackRequest(request, secret, nowMs)).toBe(true);
    expect(verifySlackRequest({ ...request, rawBody: new TextEncoder().encode(rawBody) }, secret, nowMs)).toBe(true);
  });

  test('is believed for five minutes, before and after', () => {
    for (const ms of [-slackClockToleranceMs, slackClockToleranceMs])
      expect(verifySlackRequest(request, secret, nowMs + ms)).toBe(true);
    for (const ms of [-slackClockToleranceMs - 1, slackClockToleranceMs + 1])
      expect(verifySlackRequest(request, secret, nowMs + ms)).toBe(false);
  });

  test.each([
    ['another body', { rawBody: `${rawBody}&text=x` }],
    ['no body', { rawBody: '' }],
    ['another time', { timestamp: '1531420619' }],
    ['no time', { timestamp: undefined }],
    ['a time that is none', { timestamp: 'now' }],
    ['an endless time', { timestamp: '9'.repeat(1_000) }],
    ['no signature', { signature: undefined }],
    ['an empty signature', { signature: '' }],
    ['a signature of another version', { signature: signature.replace('v0', 'v1') }],
    ['a signature cut short', { signature: signature.slice(0, -1) }],
    ['a signature that is too long', { signature: `${signature}0` }],
    ['a signature in capitals', { signature: signature.toUpperCase() }],
  ])('is not believed with %s', (_caption, change) => {
    expect(verifySlackRequest({ ...request, ...change }, secret, nowMs)).toBe(false);
  });

  test('is not believed when another secret signed it, nor when ours is empty', () => {
    expect(verifySlackRequest(request, 'another', nowMs)).toBe(false);
    const bySilence = `v0=${createHmac('sha256', '').update(`v0:${timestamp}:${rawBody}`).digest('hex')}`;
    expect(verifySlackRequest({ ...request, signature: bySilence }, '', nowMs)).toBe(false);
  });
});

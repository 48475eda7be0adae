import { describe, expect, test } from 'vitest';
import { parseSlackAction } from './parse-slack-action.ts';

const deliveryId = '8d7f3c52-11aa-5b6e-8f00-5a1b2c3d4e5f';
const payload = {
  type: 'block_actions',
  user: { id: 'U012ABC', username: 'ada', name: 'ada', team_id: 'T0' },
  response_url: 'https://hooks.slack.com/actions/T0/1/abc',
  actions: [{ type: 'button', action_id: 'tocsin_acknowledge', block_id: 'tocsin_actions', value: deliveryId }],
};
const bodyOf = (value: unknown): string => new URLSearchParams({ payload: JSON.stringify(value) }).toString();

describe('a click in Slack', () => {
  test('names the delivery, who clicked, and where to answer', () => {
    expect(parseSlackAction(bodyOf(payload))).toEqual({
      deliveryId,
      user: 'ada (U012ABC)',
      responseUrl: 'https://hooks.slack.com/actions/T0/1/abc',
    });
  });

  test.each([
    ['another host', 'https://hooks.slack.com.evil.example/x'],
    ['a host behind a user', 'https://hooks.slack.com@169.254.169.254/x'],
    ['a user before the host', 'https://user@hooks.slack.com/x'],
    ['no TLS', 'http://hooks.slack.com/x'],
    ['another port', 'https://hooks.slack.com:8443/x'],
    ['no address', 'hooks'],
    ['no text', 7],
  ])('is never answered at %s', (_caption, response_url) => {
    expect(parseSlackAction(bodyOf({ ...payload, response_url }))?.responseUrl).toBeNull();
  });

  test('may be answered at a server that a test names', () => {
    const body = bodyOf({ ...payload, response_url: 'http://127.0.0.1:1234/answer' });
    expect(parseSlackAction(body, ['http://127.0.0.1:1234'])?.responseUrl).toBe('http://127.0.0.1:1234/answer');
  });

  test('names the user by what cannot be made up, without control characters', () => {
    const user = { id: 'U1', username: 'ad\u202ea\r\nroot' };
    expect(parseSlackAction(bodyOf({ ...payload, user }))?.user).toBe('ada root (U1)');
    expect(parseSlackAction(bodyOf({ ...payload, user: { id: 'U1' } }))?.user).toBe('U1');
  });

  test.each([
    ['nothing', ''],
    ['no payload', 'a=b'],
    ['a payload that is no JSON', 'payload=%7B'],
    ['a payload that is no object', bodyOf([payload])],
    ['another kind of request', bodyOf({ ...payload, type: 'view_submission' })],
    ['no actions', bodyOf({ ...payload, actions: null })],
    ['a link button', bodyOf({ ...payload, actions: [{ action_id: 'tocsin_link_0', value: deliveryId }] })],
    ['no value', bodyOf({ ...payload, actions: [{ action_id: 'tocsin_acknowledge' }] })],
    ['a value that is no identity', bodyOf({ ...payload, actions: [{ action_id: 'tocsin_acknowledge', value: 'x' }] })],
    ['nobody', bodyOf({ ...payload, user: null })],
    ['far too much', `${bodyOf(payload)}${'x'.repeat(1_000_000)}`],
  ])('is none: %s', (_caption, body) => {
    expect(parseSlackAction(body)).toBeNull();
  });
});

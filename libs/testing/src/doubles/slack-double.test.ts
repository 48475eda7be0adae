import { afterEach, describe, expect, test } from 'vitest';
import { startSlackDouble } from './slack-double.ts';
import type { SlackDouble, SlackDoubleOptions } from './slack-double.ts';

const header = { type: 'header', text: { type: 'plain_text', text: 'songs failed', emoji: false } };
const rich = {
  type: 'rich_text',
  elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text: 'songs failed' }] }],
};
const button = { type: 'button', action_id: 'a', text: { type: 'plain_text', text: 'Do' } };

describe('the Slack double', () => {
  const doubles: SlackDouble[] = [];
  const started = async (options: SlackDoubleOptions = {}): Promise<SlackDouble> => {
    const double = await startSlackDouble(options);
    doubles.push(double);
    return double;
  };
  afterEach(async () => {
    for (const double of doubles.splice(0)) await double.stop();
  });

  const call = async (
    double: SlackDouble,
    method: string,
    body: Readonly<Record<string, unknown>>,
    token = double.token,
  ): Promise<Record<string, unknown>> => {
    const response = await fetch(`${double.apiUrl}${method}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return (await response.json()) as Record<string, unknown>;
  };
  const read = async (
    double: SlackDouble,
    method: string,
    fields: Readonly<Record<string, string>>,
  ): Promise<Record<string, unknown>> => {
    const response = await fetch(`${double.apiUrl}${method}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${double.token}` },
      body: new URLSearchParams(fields),
    });
    return (await response.json()) as Record<string, unknown>;
  };
  const hook = (double: SlackDouble, body: unknown, url = double.webhookUrl): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });

  test('takes a message by either way and keeps it', async () => {
    const double = await started();
    const answer = await call(double, 'chat.postMessage', { channel: double.channelName, text: 'a', blocks: [header] });
    expect(answer).toMatchObject({ ok: true, channel: double.channel, ts: double.messages()[0]?.ts });
    const response = await hook(double, { text: 'b' });
    expect([response.status, await response.text()]).toEqual([200, 'ok']);
    expect(double.messages().map(({ via, text }) => [via, text])).toEqual([
      ['chat.postMessage', 'a'],
      ['webhook', 'b'],
    ]);
  });

  test.each<[string, readonly unknown[] | undefined, string]>([
    ['51 blocks', Array.from({ length: 51 }, () => header), 'invalid_blocks'],
    [
      'a header of 151 characters',
      [{ ...header, text: { type: 'plain_text', text: 'x'.repeat(151) } }],
      'invalid_blocks',
    ],
    ['a header with markup', [{ ...header, text: { type: 'mrkdwn', text: 'x' } }], 'invalid_blocks'],
    ['an empty text', [{ ...header, text: { type: 'plain_text', text: '' } }], 'invalid_blocks'],
    [
      'a section of 3,001 characters',
      [{ type: 'section', text: { type: 'mrkdwn', text: 'x'.repeat(3_001) } }],
      'invalid_blocks',
    ],
    [
      'eleven elements of a context',
      [{ type: 'context', elements: Array.from({ length: 11 }, () => header.text) }],
      'invalid_blocks',
    ],
    ['26 buttons', [{ type: 'actions', elements: Array.from({ length: 26 }, () => button) }], 'invalid_blocks'],
    [
      'a button without a name',
      [{ type: 'actions', elements: [{ ...button, action_id: undefined }] }],
      'invalid_blocks',
    ],
    [
      'a value of 2,001 characters',
      [{ type: 'actions', elements: [{ ...button, value: 'x'.repeat(2_001) }] }],
      'invalid_blocks',
    ],
    [
      'a link that is none',
      [{ type: 'actions', elements: [{ ...button, url: 'javascript:alert(1)' }] }],
      'invalid_blocks',
    ],
    ['a field it does not know', [{ ...header, colour: 'red' }], 'invalid_blocks'],
    ['a block it does not know', [{ type: 'table' }], 'invalid_blocks'],
    [
      'a name twice',
      [
        { ...header, block_id: 'a' },
        { ...rich, block_id: 'a' },
      ],
      'invalid_blocks',
    ],
    [
      'an empty rich text',
      [{ type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [] }] }],
      'invalid_blocks',
    ],
    [
      'a rich text that calls everybody',
      [
        {
          type: 'rich_text',
          elements: [{ type: 'rich_text_section', elements: [{ type: 'broadcast', range: 'channel' }] }],
        },
      ],
      'invalid_blocks',
    ],
    [
      'more text than it says it takes',
      Array.from({ length: 5 }, () => ({ type: 'section', text: { type: 'plain_text', text: 'x'.repeat(2_700) } })),
      'msg_blocks_too_long',
    ],
    ['nothing', undefined, 'no_text'],
  ])('refuses %s', async (_caption, blocks, error) => {
    const double = await started();
    const body = blocks === undefined ? {} : { text: 'x', blocks };
    expect(await call(double, 'chat.postMessage', { channel: double.channel, ...body })).toMatchObject({
      ok: false,
      error,
    });
    const response = await hook(double, body);
    expect([response.status, await response.text()]).toEqual([400, error]);
    expect(double.messages()).toHaveLength(0);
  });

  test.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['another channel', { channel: 'C0OTHER', text: 'x' }, 'channel_not_found'],
    ['a field it does not know', { text: 'x', thread: '1' }, 'invalid_arguments'],
    ['a switch that is none', { text: 'x', mrkdwn: 'no' }, 'invalid_arguments'],
    ['metadata without a type', { text: 'x', metadata: { event_payload: {} } }, 'invalid_metadata_format'],
    ['a thread that is not there', { text: 'x', thread_ts: '1.1' }, 'thread_not_found'],
    ['40,001 characters', { text: 'x'.repeat(40_001) }, 'msg_too_long'],
  ])('refuses %s from a bot', async (_caption, body, error) => {
    const double = await started();
    expect(await call(double, 'chat.postMessage', { channel: double.channel, ...body })).toMatchObject({
      ok: false,
      error,
    });
  });

  test('checks the token, its scopes, the invitation and the archive', async () => {
    const message = { text: 'x' };
    const double = await started();
    expect(await call(double, 'auth.test', {}, 'xoxb-other')).toMatchObject({ error: 'invalid_auth' });
    for (const [options, error] of [
      [{ scopes: [] }, 'missing_scope'],
      [{ member: false }, 'not_in_channel'],
      [{ archived: true }, 'is_archived'],
    ] as const) {
      const other = await started(options);
      expect(await call(other, 'chat.postMessage', { channel: other.channel, ...message })).toMatchObject({ error });
    }
    const archived = await hook(await started({ archived: true }), message);
    expect([archived.status, await archived.text()]).toEqual([410, 'channel_is_archived']);
    expect((await hook(double, message, `${double.webhookUrl}x`)).status).toBe(403);
    expect((await hook(double, message, `${double.baseUrl}services/T1/B1/x`)).status).toBe(404);
    expect(await (await hook(double, 'no json')).text()).toBe('invalid_payload');
  });

  test('takes one message a second when told so', async () => {
    const double = await started({ messagesPerSecond: 1 });
    expect((await hook(double, { text: 'a' })).status).toBe(200);
    const second = await hook(double, { text: 'b' });
    expect([second.status, second.headers.get('retry-after')]).toEqual([429, '1']);
  });

  test('lists a channel newest first and a thread oldest first, by pages, with metadata on request', async () => {
    const double = await started();
    const metadata = { event_type: 'tocsin_digest', event_payload: { delivery_id: '1' } };
    const { ts } = await call(double, 'chat.postMessage', { channel: double.channel, text: 'root', metadata });
    await call(double, 'chat.postMessage', { channel: double.channel, text: 'reply', thread_ts: ts });
    await call(double, 'chat.postMessage', {
      channel: double.channel,
      text: 'shown',
      thread_ts: ts,
      reply_broadcast: true,
    });
    const texts = (answer: Record<string, unknown>): readonly string[] =>
      (answer['messages'] as { text: string }[]).map(({ text }) => text);
    const { channel } = double;
    expect(texts(await read(double, 'conversations.history', { channel }))).toEqual(['shown', 'root']);
    const first = await read(double, 'conversations.replies', { channel, ts: String(ts), limit: '2' });
    expect(texts(first)).toEqual(['root', 'reply']);
    expect(first).toMatchObject({ has_more: true, response_metadata: { next_cursor: '2' } });
    expect(texts(await read(double, 'conversations.replies', { channel, ts: String(ts), cursor: '2' }))).toEqual([
      'shown',
    ]);
    expect(JSON.stringify(first)).not.toContain('tocsin_digest');
    expect(
      JSON.stringify(await read(double, 'conversations.history', { channel, include_all_metadata: 'true' })),
    ).toContain('tocsin_digest');
  });

  test('changes a message that is there', async () => {
    const double = await started();
    const { ts } = await call(double, 'chat.postMessage', { channel: double.channel, text: 'before' });
    expect(await call(double, 'chat.update', { channel: double.channel, ts, text: 'after' })).toMatchObject({
      ok: true,
    });
    expect(double.shown()).toMatchObject([{ text: 'after' }]);
    double.remove(String(ts));
    expect(await call(double, 'chat.update', { channel: double.channel, ts, text: 'x' })).toMatchObject({
      error: 'message_not_found',
    });
  });
});

import { afterEach, describe, expect, test } from 'vitest';
import { startSendGridDouble } from './sendgrid-double.ts';
import type { SendGridDouble } from './sendgrid-double.ts';

const good = {
  personalizations: [{ to: [{ email: 'ada@example.com', name: 'Ada' }] }],
  from: { email: 'alerts@example.com' },
  subject: 'songs failed',
  content: [
    { type: 'text/plain', value: 'songs failed' },
    { type: 'text/html', value: '<p>songs failed</p>' },
  ],
  headers: { 'Message-ID': '<1@example.com>' },
  custom_args: { attempt_id: '1' },
  categories: ['tocsin'],
};

describe('the SendGrid double', () => {
  const doubles: SendGridDouble[] = [];
  const started = async (options: Parameters<typeof startSendGridDouble>[0] = {}): Promise<SendGridDouble> => {
    const double = await startSendGridDouble(options);
    doubles.push(double);
    return double;
  };
  afterEach(async () => {
    for (const double of doubles.splice(0)) await double.stop();
  });

  const post = async (double: SendGridDouble, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${double.baseUrl}v3/mail/send`, {
      method: 'POST',
      headers: { authorization: `Bearer ${double.apiKey}`, 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });

  test('accepts and keeps a mail that SendGrid would accept', async () => {
    const double = await started();
    const arriving = double.waitForMessages(1, 5_000);
    const response = await post(double, good);
    expect(response.status).toBe(202);
    const [mail] = await arriving;
    expect(mail).toMatchObject({
      to: ['ada@example.com'],
      from: 'alerts@example.com',
      subject: 'songs failed',
      text: 'songs failed',
      customArgs: { attempt_id: '1' },
    });
    expect(response.headers.get('x-message-id')).toBe(mail?.providerMessageId);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['no personalizations', { personalizations: [] }, 'personalizations'],
    ['no recipients', { personalizations: [{ to: [] }] }, 'personalizations.0.to'],
    ['a wrong address', { personalizations: [{ to: [{ email: 'ada' }] }] }, 'personalizations.0.to.0.email'],
    [
      'an address that occurs twice',
      { personalizations: [{ to: [{ email: 'a@example.com' }], cc: [{ email: 'A@example.com' }] }] },
      'personalizations',
    ],
    [
      '1,001 recipients',
      { personalizations: [{ to: Array.from({ length: 1_001 }, (_, n) => ({ email: `a${n}@example.com` })) }] },
      'personalizations.0',
    ],
    ['no sender', { from: undefined }, 'from.email'],
    ['no subject', { subject: '' }, 'subject'],
    ['a line break in the subject', { subject: 'a\r\nBcc: eve@example.com' }, 'subject'],
    ['HTML before text', { content: good.content.toReversed() }, 'content'],
    ['an empty text', { content: [{ type: 'text/plain', value: '' }] }, 'content.0.value'],
    ['no content', { content: [] }, 'content'],
    ['a reserved header', { headers: { Subject: 'x' } }, 'headers.Subject'],
    ['a line break in a header', { headers: { 'X-Y': 'a\r\nb' } }, 'headers.X-Y'],
    ['custom arguments that are no strings', { custom_args: { n: 1 } }, 'custom_args'],
    ['custom arguments of more than 10,000 bytes', { custom_args: { n: 'x'.repeat(10_000) } }, 'custom_args'],
    ['a category twice', { categories: ['a', 'a'] }, 'categories'],
    ['eleven categories', { categories: Array.from({ length: 11 }, (_, n) => `c${n}`) }, 'categories'],
    ['a long category', { categories: ['x'.repeat(256)] }, 'categories'],
  ])('refuses %s in the shape of SendGrid', async (_caption, change, field) => {
    const double = await started();
    const response = await post(double, { ...good, ...change });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ message: expect.any(String), field }] });
    expect(double.messages()).toHaveLength(0);
  });

  test.each([
    ['a key of another shape', { authorization: 'Bearer other' }, 401],
    ['another content type', { 'content-type': 'text/plain' }, 415],
  ])('refuses %s', async (_caption, headers, status) => {
    const double = await started();
    expect((await post(double, good, headers)).status).toBe(status);
    expect(double.messages()).toHaveLength(0);
  });

  test('refuses every key but the one it was given', async () => {
    const double = await started({ apiKey: 'SG.right' });
    expect((await post(double, good, { authorization: 'Bearer SG.wrong' })).status).toBe(401);
    expect((await post(double, good)).status).toBe(202);
  });

  test('refuses more than 30 MB', async () => {
    const double = await started();
    expect((await post(double, `"${'x'.repeat(30 * 1024 * 1024)}"`)).status).toBe(413);
  });

  test('takes behaviours one by one, then the standing one again', async () => {
    const double = await started();
    double.next({ kind: 'status', status: 500 }, { kind: 'rate-limited', resetInSeconds: 30 });
    const statuses = [
      (await post(double, good)).status,
      (await post(double, good)).status,
      (await post(double, good)).status,
    ];
    expect(statuses).toEqual([500, 429, 202]);
    expect(double.requests().map(({ status }) => status)).toEqual(statuses);
  });

  test('says how many mails came when the wait for more is over', async () => {
    const double = await started();
    await post(double, good);
    await expect(double.waitForMessages(2, 20)).rejects.toThrow(
      'Waited 20 ms for 2 mails at the SendGrid double; 1 came.',
    );
  });
});

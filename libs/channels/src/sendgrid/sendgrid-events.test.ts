import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { eventsPerRequestMax, parseSendGridEvents } from './parse-sendgrid-events.ts';
import { parseSendGridKey, verifySendGridEvents } from './verify-sendgrid-events.ts';

const pair = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return { text: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'), privateKey };
};
const { text: keyText, privateKey } = pair();
const key = parseSendGridKey(keyText);
const now = Date.parse('2026-11-16T03:00:00Z');
const rawBody = '[{"event":"delivered","email":"é@example.com"}]\r\n';
const signed = (timestamp = String(now / 1_000), body: string = rawBody) => ({
  timestamp,
  signature: sign('sha256', Buffer.from(timestamp + body), privateKey).toString('base64'),
  rawBody: body,
});
const detailOf = (request: Parameters<typeof verifySendGridEvents>[0], against = key, at = now): string => {
  const verdict = verifySendGridEvents(request, against, at);
  return verdict.ok ? 'ok' : verdict.detail;
};

describe('the signature of SendGrid', () => {
  test('is that over time stamp and body, as text or bytes', () => {
    expect(verifySendGridEvents(signed(), key, now)).toEqual({ ok: true });
    expect(verifySendGridEvents({ ...signed(), rawBody: Buffer.from(rawBody) }, key, now)).toEqual({ ok: true });
  });

  test('fits nothing that was changed', () => {
    const request = signed();
    expect(detailOf({ ...request, rawBody: rawBody.trimEnd() })).toMatch(/does not fit/);
    expect(detailOf({ ...request, timestamp: String(now / 1_000 + 1) })).toMatch(/does not fit/);
    expect(detailOf({ ...request, signature: request.signature.replace(/.{4}$/, 'AAA=') })).toMatch(/does not fit/);
    expect(detailOf({ ...request, signature: 'nonsense' })).toMatch(/does not fit/);
    expect(detailOf({ ...request, signature: '' })).toMatch(/does not fit/);
    expect(detailOf({ ...request, signature: 'A'.repeat(100_000) })).toMatch(/does not fit/);
    expect(detailOf(request, parseSendGridKey(pair().text))).toMatch(/does not fit/);
  });

  test('is missing, or its time is none', () => {
    expect(detailOf({ ...signed(), signature: undefined })).toMatch(/not signed/);
    expect(detailOf({ ...signed(), timestamp: undefined })).toMatch(/not signed/);
    expect(detailOf(signed('1e9'))).toMatch(/time stamp/);
    expect(detailOf(signed('-1'))).toMatch(/time stamp/);
  });

  test.each([
    [299_000, 'ok'],
    [-299_000, 'ok'],
    [301_000, '301 s ago'],
    [-301_000, '301 s in the future'],
  ])('is believed at most 300 s from our clock: %i ms', (awayMs, expected) => {
    expect(detailOf(signed(), key, now + awayMs)).toContain(expected);
  });

  test('says forged of what is forged and old', () => {
    expect(detailOf({ ...signed(), rawBody: '[]' }, key, now + 1e9)).toMatch(/does not fit/);
  });

  test.each([
    ['empty', ''],
    ['PEM', '-----BEGIN PUBLIC KEY-----'],
    ['no key', 'aGVsbG8='],
    ['of another curve', generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey],
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey],
    ['endless', 'A'.repeat(100_000)],
  ])('is not checked with a key that is %s', (_caption, given) => {
    const text = typeof given === 'string' ? given : given.export({ format: 'der', type: 'spki' }).toString('base64');
    expect(() => parseSendGridKey(text)).toThrow(expect.objectContaining({ code: 'CHANNEL_MISCONFIGURED' }));
  });
});

describe('the events of SendGrid', () => {
  const deliveryId = '3f2a9c1e-7c1d-4e2f-9a3b-0242ac120002';
  const attemptId = '4f2a9c1e-7c1d-4e2f-9a3b-0242ac120002';
  const event = {
    email: 'Ada@Example.com',
    timestamp: 1_763_262_000,
    event: 'bounce',
    type: 'bounce',
    sg_event_id: 'ZGJlN2Y0',
    sg_message_id: '14c5d75ce93.dfd.64b469.filter0001',
    reason: '550 5.1.1 no such user\r\nhere',
    delivery_id: deliveryId,
    attempt_id: attemptId,
    digest_id: 'x',
  };
  const eventsOf = (...entries: readonly unknown[]) => {
    const parsed = parseSendGridEvents(JSON.stringify(entries));
    return parsed.ok ? parsed.events : [];
  };

  test('are read with the identities of the mail', () => {
    expect(eventsOf(event)).toEqual([
      {
        id: 'ZGJlN2Y0',
        provider: 'sendgrid',
        attemptId,
        deliveryId,
        event: 'bounce',
        recipient: 'ada@example.com',
        detail: '550 5.1.1 no such user here',
        at: '2025-11-16T03:00:00.000Z',
      },
    ]);
  });

  test.each([
    ['a block is told from a bounce', { type: 'blocked' }, { event: 'blocked' }],
    [
      'a delay has its response',
      { event: 'deferred', reason: undefined, response: '450 later' },
      { detail: '450 later' },
    ],
    ['somebody else’s mail has no delivery', { delivery_id: undefined, attempt_id: undefined }, { deliveryId: null }],
    [
      'identities that are none are none',
      { delivery_id: "x'; drop", attempt_id: 7 },
      { deliveryId: null, attemptId: null },
    ],
    ['an event of a group has no address', { email: undefined }, { recipient: null }],
    ['control characters do not pass', { reason: 'a\u0000b\u001b[31m', email: 'a\u0000@b' }, { detail: 'a b' }],
  ])('%s', (_caption, change, expected) => {
    expect(eventsOf({ ...event, ...change })[0]).toMatchObject(expected);
  });

  test('without an identity have one made of what they say, the same each time', () => {
    const { sg_event_id: _dropped, ...old } = event;
    const [first, second, other] = [eventsOf(old)[0], eventsOf(old)[0], eventsOf({ ...old, event: 'delivered' })[0]];
    expect(first?.id).toMatch(/^[\w-]{43}$/);
    expect(second?.id).toBe(first?.id);
    expect(other?.id).not.toBe(first?.id);
  });

  test('that are none are counted and passed over', () => {
    const entries = [
      null,
      7,
      [],
      {},
      { event: 'open' },
      { ...event, timestamp: 'x' },
      { ...event, timestamp: 1e15 },
      event,
    ];
    expect(parseSendGridEvents(JSON.stringify(entries))).toMatchObject({ ok: true, ignored: 7, events: [{}] });
  });

  test.each([
    ['no JSON', '{', 'no JSON'],
    ['no list', '{"event":"open"}', 'no list'],
    ['too many', JSON.stringify(Array.from({ length: eventsPerRequestMax + 1 }, () => event)), 'more than 1000'],
    ['too large', `["${'x'.repeat(4_000_000)}"]`, 'too large'],
  ])('are refused when the body is %s', (_caption, body, detail) => {
    expect(parseSendGridEvents(body)).toEqual({ ok: false, detail: expect.stringContaining(detail) as string });
  });
});

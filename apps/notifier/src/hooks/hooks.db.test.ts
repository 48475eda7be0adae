import { createHmac, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import type { DeliveryOutcome } from '@tocsin/alert-model';
import { createMetrics } from '@tocsin/runtime';
import type { WorkerServer } from '@tocsin/runtime';
import { createTestDatabase, startHttpProviderDouble } from '@tocsin/testing';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createNotifierMetrics } from '../notifier-metrics.ts';
import { startNotifierServer } from '../notifier-server.ts';
import { emptyTables, failure, openWorld, route, success } from '../notifier-world.fixture.ts';
import type { NotifierWorld, Sent } from '../notifier-world.fixture.ts';
import type { SlackHookOptions } from './slack-hook.ts';

const database = await createTestDatabase();
const minutes = (count: number): number => count * 60_000;
const noAnswer: DeliveryOutcome = { outcome: 'unknown', reason: 'timeout', status: null, detail: 'no answer' };
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const sendgridWebhookKey = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
const signingSecret = 'b'.repeat(32);

/** Takes answers to clicks, where a test says that Slack is. */
const slack = await startHttpProviderDouble<{
  readonly path: string;
  readonly said: Readonly<Record<string, unknown>>;
}>({
  what: 'answers to clicks',
  receive: ({ path, text }) => ({
    answer: { status: 200, body: 'ok' },
    taken: { path, said: JSON.parse(text) as Readonly<Record<string, unknown>> },
  }),
  complaint: (message) => message,
});
afterAll(() => slack.stop());
const slackOrigin = new URL(slack.baseUrl).origin;

let world: NotifierWorld;
let server: WorkerServer | null = null;
let slackTaken = 0;
beforeEach(async () => {
  await emptyTables(database);
  slackTaken = slack.taken().length;
});
afterEach(async () => {
  await server?.stop();
  server = null;
  await world.close();
});

interface Keys {
  readonly sendgridWebhookKey?: string;
  readonly slackSigningSecret?: string;
}

/** A notifier whose hooks are behind a real port. */
const open = async (
  policy: Parameters<typeof openWorld>[1] = {},
  keys: Keys = { sendgridWebhookKey, slackSigningSecret: signingSecret },
  options: SlackHookOptions = {},
): Promise<void> => {
  world = await openWorld(
    database,
    { routes: [route({ windowMs: 0, fallback: ['outbox'] })], channels: ['email', 'outbox'], ...policy },
    { recipients: { email: 1 } },
  );
  const metrics = createMetrics();
  server = await startNotifierServer({
    config: {
      workers: { claimSeconds: 60, host: '127.0.0.1', notifierPort: { port: 0, isDefault: false } },
      channels: {},
      ...keys,
    },
    service: world.service,
    notifier: world.notifier,
    pool: database.pool,
    metrics,
    counted: createNotifierMetrics(metrics, database.pool),
    slack: { origins: [slackOrigin], ...options },
  });
};
const post = async (path: string, headers: Readonly<Record<string, string>>, body: string) => {
  const answer = await fetch(`http://127.0.0.1:${server?.address?.port}${path}`, { method: 'POST', headers, body });
  return { status: answer.status, text: await answer.text() };
};
const get = async (path: string): Promise<string> =>
  (await fetch(`http://127.0.0.1:${server?.address?.port}${path}`)).text();
const nowSeconds = (): number => Math.floor(Date.now() / 1_000);

const tell = async (over: Parameters<typeof failure>[0] = {}): Promise<void> => {
  await world.signal(failure(over));
  await world.run();
};

describe("SendGrid's events", () => {
  /** What SendGrid posts of an attempt. */
  const about = ({ outgoing }: Sent, event: string, more: Readonly<Record<string, unknown>> = {}) => ({
    sg_event_id: `${event} ${outgoing.attemptId}`,
    event,
    email: 'ada@example.com',
    timestamp: nowSeconds(),
    attempt_id: outgoing.attemptId,
    delivery_id: outgoing.deliveryId,
    ...more,
  });
  const signed = (body: string, timestamp = String(nowSeconds()), key = privateKey) => ({
    'Content-Type': 'application/json',
    'X-Twilio-Email-Event-Webhook-Timestamp': timestamp,
    'X-Twilio-Email-Event-Webhook-Signature': sign('sha256', Buffer.from(timestamp + body), key).toString('base64'),
  });
  const attempts = async (): Promise<readonly string[]> => {
    const { rows } = await database.pool.query<{ outcome: string }>(
      'select outcome from tocsin.delivery_attempts order by started_at',
    );
    return rows.map(({ outcome }) => outcome);
  };

  test('settle an attempt of unknown outcome, so that it is not repeated', async () => {
    await open();
    world.answers.push(() => noAnswer);
    await tell();
    expect(await attempts()).toEqual(['unknown']);
    // As SendGrid writes it: with blanks and a line end, which the signature is over.
    const body = `[ ${JSON.stringify(about(world.sent[0]!, 'processed'))},\r\n${JSON.stringify(about(world.sent[0]!, 'delivered'))} ]\r\n`;
    for (let n = 0; n < 2; n += 1)
      expect(await post('/hooks/sendgrid', signed(body), body)).toEqual({ status: 200, text: 'ok\n' });
    expect(await attempts()).toEqual(['confirmed']);
    await world.advance(minutes(60));
    await world.run();
    expect(world.sent).toHaveLength(1);
    expect((await world.alerts())[0]).toMatchObject({ state: 'notified', told: [{ channel: 'email' }] });
    expect(await get('/metrics')).toContain('tocsin_provider_events_total{provider="sendgrid",event="delivered"} 2');
  });

  test('of a message that came back send it through the next channel', async () => {
    await open();
    await tell();
    const body = JSON.stringify([about(world.sent[0]!, 'bounce', { reason: '550 no such mailbox' })]);
    expect((await post('/hooks/sendgrid', signed(body), body)).status).toBe(200);
    await world.run();
    expect(world.sent.map(({ channel }) => channel)).toEqual(['email', 'outbox']);
    expect(world.sent[1]?.outgoing.message.notices[0]).toContain('came back (bounced: 550 no such mailbox)');
  });

  test('are refused when they are forged, old, unsigned or signed by somebody else, and change nothing', async () => {
    await open();
    world.answers.push(() => noAnswer);
    await tell();
    const body = JSON.stringify([about(world.sent[0]!, 'delivered')]);
    const stranger = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
    const refused = [
      await post('/hooks/sendgrid', signed(body), body.replace('delivered', 'bounce')),
      await post('/hooks/sendgrid', signed(body, String(nowSeconds() - 600)), body),
      await post('/hooks/sendgrid', {}, body),
      await post('/hooks/sendgrid', signed(body, undefined, stranger), body),
    ];
    expect(refused.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
    expect(refused[1]?.text).toMatch(/signed 60\d s ago/);
    expect(await attempts()).toEqual(['unknown']);
    expect((await database.pool.query('select 1 from tocsin.provider_events')).rows).toEqual([]);
  });

  test('that are no events are refused though they are signed', async () => {
    await open();
    expect((await post('/hooks/sendgrid', signed('{'), '{')).status).toBe(400);
    const foreign = JSON.stringify([{ event: 'delivered', timestamp: nowSeconds(), email: 'x@example.com' }]);
    expect((await post('/hooks/sendgrid', signed(foreign), foreign)).status).toBe(200);
    const large = `[${' '.repeat(1_000_000)}]`;
    expect((await post('/hooks/sendgrid', signed(large), large)).status).toBe(413);
  });

  test('are refused by whoever has no key, which names the setting', async () => {
    await open({}, {});
    const answer = await post('/hooks/sendgrid', signed('[]'), '[]');
    expect(answer).toMatchObject({ status: 403, text: expect.stringContaining('SENDGRID_WEBHOOK_KEY') });
  });

  test('are sent again by SendGrid when they could not be written down', async () => {
    await open();
    await tell();
    const body = JSON.stringify([about(world.sent[0]!, 'delivered')]);
    await database.pool.query('alter table tocsin.provider_events rename to provider_events_away');
    try {
      const answer = await post('/hooks/sendgrid', signed(body), body);
      expect(answer.status).toBe(500);
      expect(answer.text).not.toContain('provider_events');
    } finally {
      await database.pool.query('alter table tocsin.provider_events_away rename to provider_events');
    }
    expect((await post('/hooks/sendgrid', signed(body), body)).status).toBe(200);
    expect(await attempts()).toEqual(['confirmed']);
  });
});

describe('a click on Acknowledge in Slack', () => {
  const clickOn = (deliveryId: string, over: Readonly<Record<string, unknown>> = {}): string =>
    new URLSearchParams({
      payload: JSON.stringify({
        type: 'block_actions',
        user: { id: 'U012ABC', username: 'ada' },
        response_url: `${slackOrigin}/actions/T0/1`,
        actions: [{ type: 'button', action_id: 'tocsin_acknowledge', value: deliveryId }],
        ...over,
      }),
    }).toString();
  const signed = (body: string, secret = signingSecret, timestamp = String(nowSeconds())) => ({
    'Content-Type': 'application/x-www-form-urlencoded',
    'X-Slack-Request-Timestamp': timestamp,
    'X-Slack-Signature': `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`,
  });
  const click = (deliveryId: string, over?: Readonly<Record<string, unknown>>) => {
    const body = clickOn(deliveryId, over);
    return post('/hooks/slack', signed(body), body);
  };
  const answers = async (count: number): Promise<readonly unknown[]> =>
    (await slack.waitForTaken(slackTaken + count, 20_000)).slice(slackTaken).map(({ said }) => said['text']);
  const holders = async (): Promise<readonly (string | undefined)[]> =>
    (await world.alerts()).map(({ acknowledgement }) => acknowledgement?.by);
  const inSlack = { routes: [route({ channels: ['chat'], windowMs: 0 })], channels: ['chat'] };

  test('acknowledges exactly what that message listed, and says so in the channel', async () => {
    await open(inSlack);
    await world.signal(failure({ targetId: 'songs' }), failure({ targetId: 'albums' }));
    await world.run();
    await tell({ targetId: 'artists' });
    expect(world.sent).toHaveLength(2);
    expect(await click(world.sent[0]!.outgoing.deliveryId)).toEqual({ status: 200, text: '' });
    const states = await world.alerts();
    expect(
      Object.fromEntries(states.map(({ targetId, acknowledgement }) => [targetId, acknowledgement?.by ?? null])),
    ).toEqual({
      songs: 'ada (U012ABC)',
      albums: 'ada (U012ABC)',
      artists: null,
    });
    expect(await answers(1)).toEqual(['2 alerts acknowledged by ada (U012ABC).']);
    expect(slack.taken().at(-1)).toMatchObject({
      path: '/actions/T0/1',
      said: { response_type: 'in_channel', replace_original: false },
    });
    // Clicked again by somebody else: nothing changes, and who has it is said.
    await click(world.sent[0]!.outgoing.deliveryId, { user: { id: 'U2', username: '<bob>' } });
    expect((await answers(2))[1]).toBe('2 alerts already acknowledged by ada (U012ABC).');
  });

  test('leaves alone what has failed for another reason since, and what is over', async () => {
    await open(inSlack);
    await world.signal(failure({ targetId: 'songs' }), failure({ targetId: 'albums' }));
    await world.run();
    await world.advance(1_000);
    const later = (ms: number): string => new Date(Date.now() + ms).toISOString();
    await world.signal(
      failure({ targetId: 'songs', error: 'disk full', failedAt: later(500), observedAt: later(500) }),
      success({ targetId: 'albums', finishedAt: later(500), observedAt: later(500) }),
    );
    await world.run();
    await click(world.sent[0]!.outgoing.deliveryId);
    expect(await answers(1)).toEqual([
      '1 alert resolved by now. 1 alert failed for another reason since, and is still open to everybody.',
    ]);
    expect((await holders()).filter((by) => by !== undefined)).toEqual([]);
  });

  test.each([
    ['another secret', (body: string) => signed(body, 'c'.repeat(32))],
    ['an old time', (body: string) => signed(body, signingSecret, String(nowSeconds() - 600))],
    ['another body', () => signed('payload=%7B%7D')],
    ['no signature', () => ({})],
  ])('is refused with %s', async (_caption, headersOf) => {
    await open(inSlack);
    await tell();
    const body = clickOn(world.sent[0]!.outgoing.deliveryId);
    expect((await post('/hooks/slack', headersOf(body), body)).status).toBe(403);
    expect(await holders()).toEqual([undefined]);
    expect(slack.taken()).toHaveLength(slackTaken);
  });

  test('is refused by whoever has no secret, which names the setting', async () => {
    await open(inSlack, {});
    const body = clickOn(randomUUID());
    expect(await post('/hooks/slack', signed(body, ''), body)).toMatchObject({
      status: 403,
      text: expect.stringContaining('SLACK_SIGNING_SECRET'),
    });
  });

  test('on a message nobody knows any more says so; on a link it does nothing', async () => {
    await open(inSlack);
    await click(randomUUID());
    expect(await answers(1)).toEqual(['This message is too old: its delivery is no longer on record.']);
    expect(await click(randomUUID(), { actions: [{ action_id: 'tocsin_link_0', value: 'x' }] })).toEqual({
      status: 200,
      text: '',
    });
  });

  test('is answered nowhere but at Slack', async () => {
    await open(inSlack, undefined, { origins: ['https://hooks.slack.com'] });
    await tell();
    expect((await click(world.sent[0]!.outgoing.deliveryId)).status).toBe(200);
    await vi.waitUntil(async () => (await holders())[0] !== undefined, { timeout: 10_000 });
    await server?.stop();
    server = null;
    expect(slack.taken()).toHaveLength(slackTaken);
  });

  test('on 5,000 alerts is answered within three seconds, and carried out to the end', async () => {
    await open({
      ...inSlack,
      storm: { keys: 50, withinMs: minutes(5), share: null, updateMs: minutes(15) },
    });
    const all = Array.from({ length: 5_000 }, (_, n) => failure({ targetId: String(n) }));
    for (let at = 0; at < all.length; at += 500) await world.signal(...all.slice(at, at + 500));
    await world.run();
    for (let n = 0; n < 2; n += 1) {
      await world.advance(2_000);
      await world.run();
    }
    expect(world.sent).toHaveLength(1);
    const startedMs = performance.now();
    expect((await click(world.sent[0]!.outgoing.deliveryId)).status).toBe(200);
    expect(performance.now() - startedMs).toBeLessThan(3_000);
    expect(await answers(1)).toEqual(['5,000 alerts acknowledged by ada (U012ABC).']);
    expect((await holders()).every((by) => by === 'ada (U012ABC)')).toBe(true);
  }, 120_000);

  test('whose work lasts has its answer before, and stopping waits for the rest', async () => {
    await open(inSlack, undefined, { workMaxMs: 50 });
    await tell();
    const blocker = await database.pool.connect();
    await blocker.query('begin');
    await blocker.query('select 1 from tocsin.alerts for update');
    expect((await click(world.sent[0]!.outgoing.deliveryId)).status).toBe(200);
    expect(await holders()).toEqual([undefined]);
    const stopped = server?.stop();
    server = null;
    await blocker.query('rollback');
    blocker.release();
    await stopped;
    expect(await holders()).toEqual(['ada (U012ABC)']);
    expect(await answers(1)).toHaveLength(1);
  });
});

import { markedUpTexts, startSlackDouble } from '@tocsin/testing';
import type { HttpBehaviour, SlackDouble, SlackDoubleOptions } from '@tocsin/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { channelContract } from '../channel.contract.ts';
import type { FailureCase, Harness } from '../channel.contract.ts';
import { createChannel } from '../create-channel.ts';
import { httpFailures } from '../http-failures.contract.ts';
import { recordingLog, sampleItem, sampleOutgoing } from '../sample-outgoing.contract.ts';

const options = { signal: new AbortController().signal, timeoutMs: 5_000 };
const signingSecret = 'signing-secret-for-tests-only';

const harnessFor = (double: SlackDouble, url = double.webhookUrl): Harness => {
  const log = recordingLog();
  return {
    channel: createChannel('primary', { type: 'slack_webhook', url, signingSecret }, { log }),
    secrets: [new URL(double.webhookUrl).pathname, 'webhook-secret-for-tests-only'],
    log,
    received: async () => null,
    // A webhook has nothing to tell a repetition by.
    bodies: () => double.messages().map(({ body }) => ({ identity: null, body })),
    requests: () => double.requests().length,
    stop: double.stop,
  };
};

const started = async (change: SlackDoubleOptions, ...behaviours: readonly HttpBehaviour[]): Promise<Harness> => {
  const double = await startSlackDouble(change);
  double.next(...behaviours);
  return harnessFor(double);
};
const behaving = (...behaviours: readonly HttpBehaviour[]): Promise<Harness> => started({}, ...behaviours);

const answering = (status: number, body: string): (() => Promise<Harness>) => {
  const behaviour: HttpBehaviour = { kind: 'status', status, headers: { 'Content-Type': 'text/plain' }, body };
  return () => behaving(behaviour);
};

const failures: readonly FailureCase[] = [
  ...httpFailures({
    behaving,
    at: async (change) => {
      const double = await startSlackDouble();
      return harnessFor(double, change(new URL(double.webhookUrl)));
    },
    untrusted: () => started({ tls: true }),
    // A webhook that is gone is a setting somebody has to repair.
    reasons: { 404: 'misconfigured', 410: 'misconfigured' },
  }),
  {
    title: '403 action_prohibited',
    start: answering(403, 'action_prohibited'),
    outcome: 'rejected',
    reason: 'unauthorized',
    status: 403,
  },
  {
    title: '403 invalid_token',
    start: answering(403, 'invalid_token'),
    outcome: 'rejected',
    reason: 'unauthorized',
    status: 403,
  },
  {
    title: '404 channel_not_found',
    start: answering(404, 'channel_not_found'),
    outcome: 'rejected',
    reason: 'misconfigured',
    status: 404,
  },
  {
    title: '404 no_service',
    start: answering(404, 'no_service'),
    outcome: 'rejected',
    reason: 'misconfigured',
    status: 404,
  },
  {
    title: '400 user_not_found',
    start: answering(400, 'user_not_found'),
    outcome: 'rejected',
    reason: 'misconfigured',
    status: 400,
  },
  {
    title: '400 invalid_payload',
    start: answering(400, 'invalid_payload'),
    outcome: 'rejected',
    reason: 'bad-request',
    status: 400,
  },
  {
    title: 'an archived channel',
    start: () => started({ archived: true }),
    outcome: 'rejected',
    reason: 'misconfigured',
    status: 410,
  },
];

channelContract('A webhook of Slack', {
  start: behaving,
  domain: null,
  failures,
  markedUp: markedUpTexts,
});

describe('a webhook of Slack', () => {
  const doubles: SlackDouble[] = [];
  const double = async (change: SlackDoubleOptions = {}): Promise<SlackDouble> => {
    const one = await startSlackDouble(change);
    doubles.push(one);
    return one;
  };
  afterEach(async () => {
    for (const one of doubles.splice(0)) await one.stop();
  });

  test('sends the message as text alone when Slack does not take its blocks', async () => {
    const slack = await double();
    slack.next({ kind: 'status', status: 400, headers: { 'Content-Type': 'text/plain' }, body: 'invalid_blocks' });
    const outcome = await harnessFor(slack).channel.send(sampleOutgoing(), options);
    expect(outcome).toEqual({ outcome: 'accepted', providerMessageId: null, status: 200 });
    expect(slack.messages()).toMatchObject([
      { blocks: [], text: expect.stringContaining('songs failed after 3 attempts') },
    ]);
  });

  test('waits as long as Slack asks when messages come faster than one a second', async () => {
    const slack = await double({ messagesPerSecond: 1 });
    const { channel } = harnessFor(slack);
    expect(await channel.send(sampleOutgoing(), options)).toMatchObject({ outcome: 'accepted' });
    expect(await channel.send(sampleOutgoing(), options)).toMatchObject({
      outcome: 'retry',
      reason: 'rate-limited',
      retryAfterMs: 1_000,
    });
    expect(slack.messages()).toHaveLength(1);
  });

  test('carries a button only where clicks come back', async () => {
    const slack = await double();
    const outgoing = sampleOutgoing();
    const silent = createChannel('quiet', { type: 'slack_webhook', url: slack.webhookUrl }, { log: recordingLog() });
    await silent.send(outgoing, options);
    await harnessFor(slack).channel.send(outgoing, options);
    const [without, withButton] = slack.messages().map(({ blocks }) => JSON.stringify(blocks));
    expect(without).not.toContain('"button"');
    expect(withButton).toContain(`"value":"${outgoing.deliveryId}"`);
  });

  test('is checked without anybody seeing it', async () => {
    const slack = await double();
    const { channel } = harnessFor(slack);
    expect(await channel.check?.(options)).toEqual({ ok: true, detail: 'Slack knows the webhook.' });
    expect(slack.messages()).toHaveLength(0);
    const gone = harnessFor(slack, `${slack.webhookUrl}x`).channel;
    expect(await gone.check?.(options)).toMatchObject({ ok: false, detail: expect.stringContaining('invalid_token') });
  });

  test('does not let a job mention the channel, nor open its links', async () => {
    const slack = await double();
    const text = '<!channel> <@U123> <https://evil.example|click> @here *bold* :fire:';
    await harnessFor(slack).channel.send(
      sampleOutgoing({ subject: text, headline: text, items: [sampleItem({ title: text })] }),
      options,
    );
    const [message] = slack.messages();
    expect(message?.text).not.toMatch(/[<>]/);
    expect(message?.body).toMatchObject({ mrkdwn: false, unfurl_links: false, unfurl_media: false });
  });

  test('refuses to be made from something that is no address, without repeating it', () => {
    const make = (): unknown =>
      createChannel('slack', { type: 'slack_webhook', url: 'hooks.slack.com/topsecret' }, { log: recordingLog() });
    expect(make).toThrow(/webhook/);
    expect(make).not.toThrow(/topsecret/);
  });
});

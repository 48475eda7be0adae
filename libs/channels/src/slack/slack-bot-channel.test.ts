import { randomUUID } from 'node:crypto';
import { markedUpTexts, startSlackDouble } from '@tocsin/testing';
import type { HttpBehaviour, SlackDouble, SlackDoubleOptions } from '@tocsin/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { channelContract, stringsOf } from '../channel.contract.ts';
import type { FailureCase, Harness } from '../channel.contract.ts';
import type { Outgoing } from '../channel.ts';
import { createChannel } from '../create-channel.ts';
import { httpFailures } from '../http-failures.contract.ts';
import { recordingLog, sampleItem, sampleOutgoing } from '../sample-outgoing.contract.ts';

const options = { signal: new AbortController().signal, timeoutMs: 5_000 };
const signingSecret = 'signing-secret-for-tests-only';

const harnessFor = (
  double: SlackDouble,
  change: { readonly baseUrl?: string; readonly token?: string; readonly channel?: string } = {},
): Harness => {
  const log = recordingLog();
  const token = change.token ?? double.token;
  return {
    channel: createChannel(
      'primary',
      {
        type: 'slack_bot',
        token,
        channel: change.channel ?? double.channel,
        signingSecret,
        baseUrl: change.baseUrl ?? double.apiUrl,
      },
      { log },
    ),
    secrets: [token],
    log,
    received: async () => null,
    bodies: () =>
      double.messages().map(({ body, metadata }) => ({
        identity: (metadata as { event_payload: { delivery_id: string } }).event_payload.delivery_id,
        body,
      })),
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

const saying = (error: string, more: object = {}): (() => Promise<Harness>) => {
  const behaviour: HttpBehaviour = { kind: 'status', status: 200, body: { ok: false, error, ...more } };
  return () => behaving(behaviour);
};
const said = (error: string, outcome: FailureCase['outcome'], reason: FailureCase['reason']): FailureCase => ({
  title: `${error} as ${reason}`,
  start: saying(error),
  outcome,
  reason,
  status: 200,
  requests: 1,
});

const failures: readonly FailureCase[] = [
  ...httpFailures({
    behaving,
    at: async (change) => {
      const double = await startSlackDouble();
      return harnessFor(double, { baseUrl: change(new URL(double.apiUrl)) });
    },
    untrusted: () => started({ tls: true }),
    // The address of Slack's API is a setting, and nothing else can be missing there.
    reasons: { 404: 'misconfigured', 410: 'misconfigured' },
  }),
  ...[
    'invalid_auth',
    'not_authed',
    'account_inactive',
    'token_revoked',
    'token_expired',
    'missing_scope',
    'not_in_channel',
    'restricted_action',
  ].map((error) => said(error, 'rejected', 'unauthorized')),
  ...['channel_not_found', 'is_archived'].map((error) => said(error, 'rejected', 'misconfigured')),
  said('invalid_arguments', 'rejected', 'bad-request'),
  said('a_word_of_next_year', 'rejected', 'bad-request'),
  said('too_many_attachments', 'rejected', 'too-large'),
  said('ratelimited', 'retry', 'rate-limited'),
  said('service_unavailable', 'retry', 'server-error'),
  // Slack says of these that something may have been done.
  said('internal_error', 'unknown', 'server-error'),
  said('fatal_error', 'unknown', 'server-error'),
  {
    title: 'an answer that repeats the token without the token',
    start: saying('invalid_auth', {
      response_metadata: { messages: ['xoxb-double-token-for-tests-only is not a token'] },
    }),
    outcome: 'rejected',
    reason: 'unauthorized',
  },
  {
    title: 'a channel it has not been invited to',
    start: () => started({ member: false }),
    outcome: 'rejected',
    reason: 'unauthorized',
  },
  {
    title: 'an answer that breaks off after its headers as unknown',
    start: () => behaving({ kind: 'accept-headers-then-reset' }),
    outcome: 'unknown',
    reason: 'connection-lost',
    status: 200,
    received: 1,
  },
  {
    title: 'an answer that comes byte by byte as unknown, within the time of the attempt',
    start: () => behaving({ kind: 'accept-slowly' }),
    outcome: 'unknown',
    reason: 'connection-lost',
    status: 200,
    received: 1,
    timeoutMs: 1_200,
    patienceMs: 3_000,
  },
];

channelContract("Slack's bot", {
  start: behaving,
  domain: null,
  failures,
  markedUp: markedUpTexts,
});

describe("Slack's bot", () => {
  const doubles: SlackDouble[] = [];
  const double = async (change: SlackDoubleOptions = {}): Promise<SlackDouble> => {
    const one = await startSlackDouble(change);
    doubles.push(one);
    return one;
  };
  afterEach(async () => {
    for (const one of doubles.splice(0)) await one.stop();
  });

  const now = (): string => new Date().toISOString();
  const failure = (): Outgoing => sampleOutgoing({ composedAt: now(), threadOpen: 1 });
  const later = (
    root: Outgoing,
    rootId: string | null,
    change: Parameters<typeof sampleOutgoing>[0] = {},
  ): Outgoing => ({
    ...sampleOutgoing({ threadId: root.message.threadId, followUp: true, composedAt: now(), threadOpen: 1, ...change }),
    rootId,
  });
  const resolved = {
    headline: 'songs works again',
    threadOpen: 0,
    items: [
      sampleItem({
        kind: 'resolved',
        causes: [],
        failures: 0,
        resolution: {
          resolvedAt: '2026-11-16T04:10:00Z',
          reason: 'succeeded',
          by: null,
          note: null,
          downtimeMs: 4_039_000,
        },
      }),
    ],
    totals: { failures: 0, alerts: 1, resolved: 1, stillOpen: 0 },
  } as const;
  const idOf = (outcome: Awaited<ReturnType<Harness['channel']['send']>>): string | null =>
    outcome.outcome === 'accepted' ? outcome.providerMessageId : null;
  const wordsOf = (blocks: readonly unknown[]): string => stringsOf(blocks).join('\n');

  test('posts a conversation as one living message with a thread under it', async () => {
    const slack = await double();
    const { channel } = harnessFor(slack);
    const first = failure();
    const opened = await channel.send(first, options);
    expect(opened).toMatchObject({ outcome: 'accepted', status: 200 });
    const rootId = idOf(opened);
    expect(rootId).toBe(`${slack.channel}:${slack.messages()[0]?.ts}`);
    expect(wordsOf(slack.shown()[0]?.blocks ?? [])).toContain('HTTPError: 502 Bad Gateway');

    const escalated = later(first, rootId, {
      purpose: 'escalation',
      headline: 'Nobody acknowledged for 30 min',
      items: [
        sampleItem({
          kind: 'escalated',
          escalation: { level: 2, name: 'on-call', afterMs: 1_800_000, toldBefore: [] },
        }),
      ],
    });
    expect(await channel.send(escalated, options)).toMatchObject({ outcome: 'accepted' });
    expect(wordsOf(slack.shown()[0]?.blocks ?? [])).toMatch(/Escalated to level 2 \(on-call\) .*UTC/);

    const over = await channel.send(later(first, rootId, resolved), options);
    expect(idOf(over)).toBe(`${slack.channel}:${slack.messages()[2]?.ts}`);

    const [root, second, third] = slack.shown();
    expect(slack.shown()).toHaveLength(3);
    expect([second?.threadTs, third?.threadTs]).toEqual([root?.ts, root?.ts]);
    // What calls somebody is shown in the channel as well; what is over is not.
    expect([second?.broadcast, third?.broadcast]).toEqual([true, false]);
    const shown = wordsOf(root?.blocks ?? []);
    expect(shown).toContain('Resolved: [Tocsin] apple/refresh_catalog/songs failed');
    expect(shown).toContain('Resolved Mon 16 Nov, 04:10 UTC, after 1 h 7 min');
    // The list is still the one of the beginning, the button has gone.
    expect(shown).toContain('HTTPError: 502 Bad Gateway');
    expect(shown).not.toContain('tocsin_acknowledge');
    expect(root?.metadata).toMatchObject({ event_payload: { delivery_id: first.deliveryId } });
  });

  test('shows the newest list in the living message when the token may not read the channel', async () => {
    const slack = await double({ scopes: ['chat:write'] });
    const { channel } = harnessFor(slack);
    const first = failure();
    const rootId = idOf(await channel.send(first, options));
    expect(await channel.send(later(first, rootId, resolved), options)).toMatchObject({ outcome: 'accepted' });
    const [root, reply] = slack.shown();
    expect(wordsOf(root?.blocks ?? [])).toContain('Resolved Mon 16 Nov, 04:10 UTC');
    expect(reply?.threadTs).toBe(root?.ts);
  });

  test('does not let a message that comes late overwrite a later state', async () => {
    const slack = await double();
    const { channel } = harnessFor(slack);
    const first = failure();
    const rootId = idOf(await channel.send(first, options));
    await channel.send(later(first, rootId, { ...resolved, composedAt: '2999-01-01T00:00:00Z' }), options);
    await channel.send(later(first, rootId, { composedAt: '2998-01-01T00:00:00Z' }), options);
    expect(wordsOf(slack.shown()[0]?.blocks ?? [])).toContain('Resolved:');
    expect(slack.updates()).toHaveLength(1);
    expect(slack.messages()).toHaveLength(3);
  });

  test('begins a new message when somebody has deleted the first one', async () => {
    const slack = await double();
    const { channel } = harnessFor(slack);
    const first = failure();
    const rootId = idOf(await channel.send(first, options));
    slack.remove(slack.messages()[0]?.ts ?? '');
    expect(await channel.send(later(first, rootId, resolved), options)).toMatchObject({ outcome: 'accepted' });
    expect(slack.shown()).toMatchObject([{ threadTs: null }]);
  });

  test('tells the news also when the living message cannot be changed, tries once more, and says so in the log', async () => {
    const slack = await double();
    const { channel, log } = harnessFor(slack);
    const first = failure();
    const rootId = idOf(await channel.send(first, options));
    const refusal: HttpBehaviour = { kind: 'status', status: 200, body: { ok: false, error: 'edit_window_closed' } };
    slack.nextAt('/api/chat.update', refusal, refusal);
    expect(await channel.send(later(first, rootId, resolved), options)).toMatchObject({ outcome: 'accepted' });
    expect(slack.messages()).toHaveLength(2);
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { channel: 'primary' } }]);
    expect(slack.requests().filter(({ path }) => path === '/api/chat.update')).toHaveLength(2);
  });

  test('keeps the list of the living message while Slack cannot be asked for it, and gives it up only at the last try', async () => {
    const slack = await double();
    const { channel } = harnessFor(slack);
    const first = failure();
    const rootId = idOf(await channel.send(first, options));
    const broken: HttpBehaviour = { kind: 'status', status: 503 };
    slack.nextAt('/api/conversations.replies', broken);
    await channel.send(later(first, rootId, resolved), options);
    expect(wordsOf(slack.shown()[0]?.blocks ?? [])).toMatch(/Resolved:[^]*HTTPError: 502/);
    slack.nextAt('/api/conversations.replies', broken, broken);
    await channel.send(later(first, rootId, resolved), options);
    expect(wordsOf(slack.shown()[0]?.blocks ?? [])).toMatch(/Resolved:/);
    expect(wordsOf(slack.shown()[0]?.blocks ?? [])).not.toMatch(/HTTPError: 502/);
    expect(slack.messages()).toHaveLength(3);
  });

  test('posts nothing when the update says that the token is revoked or the rate too high', async () => {
    const slack = await double();
    const { channel } = harnessFor(slack);
    const first = failure();
    const rootId = idOf(await channel.send(first, options));
    slack.nextAt('/api/chat.update', { kind: 'status', status: 200, body: { ok: false, error: 'token_revoked' } });
    expect(await channel.send(later(first, rootId), options)).toMatchObject({
      outcome: 'rejected',
      reason: 'unauthorized',
    });
    slack.nextAt('/api/chat.update', { kind: 'rate-limited', retryAfter: '30' });
    expect(await channel.send(later(first, rootId), options)).toMatchObject({
      outcome: 'retry',
      reason: 'rate-limited',
    });
    expect(slack.messages()).toHaveLength(1);
  });

  test.each([
    ['taken without a word', { kind: 'accept-then-reset' }],
    ['answered after the time-out', { kind: 'accept-late', afterMs: 60_000 }],
    ['answered in part', { kind: 'accept-headers-then-reset' }],
  ] as const)('finds a message that was %s instead of sending it twice', async (_caption, behaviour) => {
    const slack = await double();
    const { channel } = harnessFor(slack);
    slack.nextAt('/api/chat.postMessage', behaviour);
    const outgoing = failure();
    expect(await channel.send(outgoing, { ...options, timeoutMs: 1_200 })).toMatchObject({ outcome: 'unknown' });
    const again = await channel.send({ ...outgoing, attemptId: randomUUID(), mayHaveArrived: true }, options);
    expect(again).toMatchObject({
      outcome: 'accepted',
      providerMessageId: `${slack.channel}:${slack.messages()[0]?.ts}`,
    });
    expect(slack.messages()).toHaveLength(1);
  });

  test('finds a lost reply in its thread, also behind many others', async () => {
    const slack = await double();
    const { channel } = harnessFor(slack);
    const first = failure();
    const rootId = idOf(await channel.send(first, options));
    const lost = later(first, rootId);
    await channel.send(lost, options);
    for (let n = 0; n < 120; n += 1)
      await fetch(`${slack.apiUrl}chat.postMessage`, {
        method: 'POST',
        headers: { authorization: `Bearer ${slack.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ channel: slack.channel, thread_ts: slack.messages()[0]?.ts, text: `reply ${n}` }),
      });
    expect(await channel.send({ ...lost, mayHaveArrived: true }, options)).toMatchObject({ outcome: 'accepted' });
    expect(slack.messages()).toHaveLength(122);
  });

  test('sends what is not there, and what it may not look for', async () => {
    const slack = await double();
    const { channel } = harnessFor(slack);
    expect(await channel.send({ ...failure(), mayHaveArrived: true }, options)).toMatchObject({ outcome: 'accepted' });
    const blind = await double({ scopes: ['chat:write'] });
    const outgoing = failure();
    const other = harnessFor(blind).channel;
    await other.send(outgoing, options);
    expect(await other.send({ ...outgoing, mayHaveArrived: true }, options)).toMatchObject({ outcome: 'accepted' });
    expect(blind.messages()).toHaveLength(2);
  });

  test('does not send while Slack cannot be asked whether it arrived', async () => {
    const slack = await double();
    const { channel } = harnessFor(slack);
    slack.nextAt('/api/conversations.history', { kind: 'status', status: 503 }, { kind: 'hang' });
    const outgoing = { ...failure(), mayHaveArrived: true };
    for (let n = 0; n < 2; n += 1)
      expect(await channel.send(outgoing, { ...options, timeoutMs: 1_200 })).toMatchObject({
        outcome: 'retry',
        reason: 'server-error',
      });
    expect(slack.messages()).toHaveLength(0);
  });

  test('knows the id of a channel named in the settings from an earlier answer', async () => {
    const slack = await double();
    const { channel } = harnessFor(slack, { channel: slack.channelName });
    await channel.send(failure(), options);
    const outgoing = failure();
    await channel.send(outgoing, options);
    expect(await channel.send({ ...outgoing, mayHaveArrived: true }, options)).toMatchObject({ outcome: 'accepted' });
    expect(slack.messages()).toHaveLength(2);
  });

  test('sends the message as text alone when Slack does not take its blocks, saying what was wrong otherwise', async () => {
    const slack = await double();
    const { channel } = harnessFor(slack);
    const refusal: HttpBehaviour = {
      kind: 'status',
      status: 200,
      body: { ok: false, error: 'invalid_blocks', response_metadata: { messages: ['[ERROR] too odd'] } },
    };
    slack.next(refusal);
    expect(await channel.send(failure(), options)).toMatchObject({ outcome: 'accepted' });
    expect(slack.messages()[0]?.blocks).toEqual([]);
    slack.next(refusal, refusal);
    expect(await channel.send(failure(), options)).toMatchObject({
      outcome: 'rejected',
      reason: 'bad-request',
      detail: 'Slack answered invalid_blocks; [ERROR] too odd',
    });
  });

  test('shortens the largest message before it is sent, not after it was refused', async () => {
    const slack = await double();
    const long = 'a long text of a job '.repeat(500);
    const items = Array.from({ length: 100 }, () =>
      sampleItem({ title: long, causes: [{ signature: 'x', error: long, count: 1, jobs: [], moreJobs: 0 }] }),
    );
    await harnessFor(slack).channel.send(sampleOutgoing({ items }), options);
    expect(slack.requests()).toHaveLength(1);
    expect(slack.messages()[0]?.blocks.length).toBeGreaterThan(5);
  });

  test('is checked by asking who it is', async () => {
    const slack = await double();
    expect(await harnessFor(slack).channel.check?.(options)).toEqual({
      ok: true,
      detail: 'Slack knows the token: tocsin in Double.',
    });
    const wrong = harnessFor(slack, { token: 'xoxb-another-token' }).channel;
    expect(await wrong.check?.(options)).toEqual({ ok: false, detail: 'Slack answered invalid_auth' });
    expect(slack.messages()).toHaveLength(0);
  });

  test('is ended by the stopping process, and says that it may have been taken', async () => {
    const slack = await double();
    slack.next({ kind: 'accept-then-hang' });
    const stopping = new AbortController();
    const sending = harnessFor(slack).channel.send(failure(), { signal: stopping.signal, timeoutMs: 60_000 });
    await slack.waitForMessages(1, 5_000);
    stopping.abort();
    expect(await sending).toMatchObject({ outcome: 'unknown', reason: 'connection-lost' });
  });
});

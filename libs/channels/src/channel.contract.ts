import { randomUUID } from 'node:crypto';
import { itemsPerMessageMax } from '@tocsin/alert-model';
import type { DeliveryOutcome, DeliveryReason } from '@tocsin/alert-model';
import { afterEach, describe, expect, test } from 'vitest';
import type { Channel } from './channel.ts';
import { recordingLog, sampleForms, sampleItem, sampleOutgoing } from './sample-outgoing.contract.ts';
import { detailCharactersMax } from './safe-detail.ts';

/** A mail as the other side holds it. */
export interface ReceivedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly to: readonly string[];
  /** With angle brackets. */
  readonly messageId: string;
  readonly inReplyTo: string | null;
  readonly references: string | null;
  /** Every header as received, one per line, for channels that have real ones. */
  readonly headerText: string;
}

/** A message that is no mail, as the other side holds it. */
export interface ReceivedBody {
  /** What the provider or the receiver can tell a repetition by; null where there is no such thing. */
  readonly identity: string | null;
  /** The whole body, parsed. */
  readonly body: unknown;
}

/** A channel and its other side, for one test. */
export interface Harness {
  readonly channel: Channel;
  /** What must never show up in an outcome or in the log. */
  readonly secrets: readonly string[];
  readonly log: ReturnType<typeof recordingLog>;
  /** The mails the other side took; null when the channel carries no mails. */
  received(): Promise<readonly ReceivedMail[] | null>;
  /** What the other side of a channel without mails took, oldest first. Absent where nothing can be looked at. */
  bodies?(): readonly ReceivedBody[];
  /** How many requests came to the other side, taken or not. Absent where there are none to count. */
  requests?(): number;
  stop(): Promise<void>;
}

/** One way the other side can fail, and what the channel has to make of it. */
export interface FailureCase {
  /** Continues the sentence "reports …". */
  readonly title: string;
  readonly start: () => Promise<Harness>;
  readonly outcome: 'retry' | 'rejected' | 'unknown';
  readonly reason: DeliveryReason;
  readonly status?: number | null;
  /** Checked with a tolerance of 1.5 s: headers hold whole seconds, and the network takes its time. */
  readonly retryAfterMs?: number | null;
  /** How many messages the other side took all the same. Default: 0. */
  readonly received?: number;
  /** How many requests came to the other side. Default: not looked at. */
  readonly requests?: number;
  readonly timeoutMs?: number;
  /** Longest time until the outcome is there, in milliseconds. Default: the attempt's own bound. */
  readonly patienceMs?: number;
}

export interface ContractOptions {
  /** A channel whose other side accepts everything. */
  readonly start: () => Promise<Harness>;
  /** The domain that Message-IDs must have; null for a channel that carries no mails. */
  readonly domain: string | null;
  readonly failures: readonly FailureCase[];
  /** The texts of a body in which the other side reads markup within `<` and `>`. Default: none. */
  readonly markedUp?: (body: unknown) => readonly string[];
}

const neverStopped = new AbortController().signal;
const attemptMs = 5_000;

/** What every channel promises, run against each of them. */
export const channelContract = (name: string, { start, domain, failures, markedUp }: ContractOptions): void => {
  const running: Harness[] = [];
  const begin = async (make: () => Promise<Harness>): Promise<Harness> => {
    const harness = await make();
    running.push(harness);
    return harness;
  };
  afterEach(async () => {
    for (const harness of running.splice(0)) {
      await harness.channel.close();
      await harness.stop();
    }
  });
  const options = { signal: neverStopped, timeoutMs: attemptMs };

  describe(`${name} as channel`, () => {
    test('reports a message that was taken as accepted, once', async () => {
      const harness = await begin(start);
      expect(harness.channel.name).toBe('primary');
      expect(harness.channel.recipients.length).toBeGreaterThan(0);
      expect(await harness.channel.send(sampleOutgoing(), options)).toMatchObject({ outcome: 'accepted' });
      const mails = await harness.received();
      if (mails === null) {
        checkOneBody(harness);
        return;
      }
      expect(mails).toHaveLength(1);
      expect(mails[0]?.subject).toBe('[Tocsin] apple/refresh_catalog/songs failed');
      expect(mails[0]?.text).toContain('songs failed after 3 attempts');
      expect(mails[0]?.html).toContain('songs failed after 3 attempts');
    });

    test('gives a repeated attempt the identity of the first, and another message another one', async () => {
      const harness = await begin(start);
      const first = sampleOutgoing();
      for (const outgoing of [first, { ...first, attemptId: 'another' }, sampleOutgoing()])
        expect((await harness.channel.send(outgoing, options)).outcome).toBe('accepted');
      const identities =
        (await harness.received())?.map(({ messageId }) => messageId) ??
        harness.bodies?.().map(({ identity }) => identity);
      if (identities === undefined || identities.includes(null)) return;
      // A channel may keep one of two that are the same.
      expect(new Set(identities).size).toBe(2);
      expect(identities.length).toBeLessThanOrEqual(3);
    });

    test('gives later messages of a thread the first one as reference', async () => {
      const harness = await begin(start);
      const first = sampleOutgoing();
      const later = sampleOutgoing({ threadId: first.message.threadId, followUp: true });
      for (const outgoing of [first, { ...first, attemptId: 'another' }, later])
        expect((await harness.channel.send(outgoing, options)).outcome).toBe('accepted');
      const mails = await harness.received();
      if (mails === null) return;
      const root = `<${first.message.threadId}@${domain}>`;
      const ofFirst = mails.filter((mail) => mail.messageId === root);
      expect(ofFirst.length).toBeGreaterThan(0);
      for (const mail of ofFirst) expect(mail).toMatchObject({ inReplyTo: null, references: null });
      expect(mails.find((mail) => mail.messageId === `<${later.messageId}@${domain}>`)).toMatchObject({
        subject: 'Re: [Tocsin] apple/refresh_catalog/songs failed',
        inReplyTo: root,
        references: root,
      });
    });

    test('carries hostile text as harmless text, and adds no header and no recipient for it', async () => {
      const harness = await begin(start);
      const hostile = '<script>alert(1)</script>\r\nBcc: eve@example.com\u0000\u001b[31m\u202e <!channel>';
      const outgoing = sampleOutgoing({
        subject: hostile,
        headline: hostile,
        route: hostile,
        threadId: hostile,
        followUp: true,
        notices: [hostile],
        items: [
          sampleItem({
            title: hostile,
            source: hostile,
            causes: [{ signature: hostile, error: hostile, count: 1, jobs: [], moreJobs: 0 }],
          }),
        ],
      });
      const outcome = await harness.channel.send(
        { ...outgoing, messageId: `${hostile}/../../x`, deliveryId: hostile },
        options,
      );
      expect(outcome.outcome).toBe('accepted');
      for (const { body } of harness.bodies?.() ?? []) {
        for (const text of stringsOf(body)) expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
        for (const text of markedUp?.(body) ?? []) expect(text).not.toMatch(/[<>]/);
      }
      const mails = await harness.received();
      for (const mail of mails ?? []) {
        expect(mail.headerText).not.toMatch(/^bcc:/im);
        expect(mail.to).toEqual(harness.channel.type === 'outbox' ? ['outbox@localhost'] : harness.channel.recipients);
        expect(mail.subject).not.toMatch(/[\p{Cc}\u202e]/u);
        expect(mail.messageId).toMatch(/^<[0-9A-Za-z._-]+@[0-9a-z.-]+>$/);
        expect(mail.html).not.toMatch(/<script|<!channel/);
        expect(mail.text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
      }
      expect(JSON.stringify(harness.log.lines)).not.toMatch(/\\u0000|\\u001b|\u202e/);
    });

    test.each([
      ['wide characters', 'é<&>😀 '.repeat(2_000)],
      ['characters that every markup escapes', '<>&"\'`*_~|'.repeat(1_000)],
      ['one endless word', 'x'.repeat(10_000)],
      ['nothing but line breaks', `a${'\n'.repeat(5_000)}b`],
    ])('shortens a message that is as large as messages get to what is taken: %s', async (_caption, long) => {
      const harness = await begin(start);
      const items = Array.from({ length: itemsPerMessageMax }, () =>
        sampleItem({ title: long, causes: [{ signature: 'x', error: long, count: 1, jobs: [], moreJobs: 0 }] }),
      );
      expect(
        await harness.channel.send(sampleOutgoing({ items, subject: long, headline: long }), options),
      ).toMatchObject({ outcome: 'accepted' });
    });

    test.each(sampleForms())('carries %s', async (_caption, form) => {
      const harness = await begin(start);
      expect(await harness.channel.send(form, options)).toMatchObject({ outcome: 'accepted' });
    });

    test('makes attempts side by side without mixing them up', async () => {
      const harness = await begin(start);
      const outgoing = Array.from({ length: 5 }, (_, n) =>
        sampleOutgoing({
          subject: `[Tocsin] number ${n}`,
          headline: `number ${n} failed`,
          items: [sampleItem({ alertId: randomUUID(), title: `number ${n}` })],
        }),
      );
      const outcomes = await Promise.all(outgoing.map((each) => harness.channel.send(each, options)));
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 5 }, () => 'accepted'));
      const mails = await harness.received();
      if (mails === null) {
        checkEachBody(harness, outgoing.length);
        return;
      }
      for (const { message, messageId } of outgoing)
        expect(
          mails.filter((mail) => mail.messageId === `<${messageId}@${domain}>`).map(({ subject }) => subject),
        ).toEqual([message.subject]);
    });

    test('sends nothing when it is told to stop first', async () => {
      const harness = await begin(start);
      const outcome = await harness.channel.send(sampleOutgoing(), {
        signal: AbortSignal.abort(),
        timeoutMs: attemptMs,
      });
      expect(outcome).toMatchObject({ outcome: 'retry', reason: 'timeout-before-send' });
      expect((await harness.received()) ?? harness.bodies?.() ?? []).toHaveLength(0);
      expect(harness.requests?.() ?? 0).toBe(0);
      expect(harness.log.lines).toHaveLength(0);
    });

    test('may be closed twice', async () => {
      const { channel } = await begin(start);
      await channel.close();
      await channel.close();
    });

    test.each(failures)('reports $title', async (failure) => {
      const harness = await begin(failure.start);
      const before = performance.now();
      const outcome = await harness.channel.send(sampleOutgoing(), {
        signal: neverStopped,
        timeoutMs: failure.timeoutMs ?? attemptMs,
      });
      expect(performance.now() - before).toBeLessThan(failure.patienceMs ?? Number.POSITIVE_INFINITY);
      expect(outcome).toMatchObject({
        outcome: failure.outcome,
        reason: failure.reason,
        ...(failure.status === undefined ? {} : { status: failure.status }),
      });
      checkDetail(outcome, harness);
      checkWait(outcome, failure.retryAfterMs);
      expect((await harness.received()) ?? harness.bodies?.() ?? []).toHaveLength(failure.received ?? 0);
      const requests = harness.requests?.();
      expect(requests).toBe(failure.requests ?? requests);
    });
  });
};

/** Every string of a parsed body, names of fields included, for looking through. */
export const stringsOf = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => [key, ...stringsOf(each)]);
};

/** A channel without mails sent one request with the sample message. */
const checkOneBody = ({ bodies, requests }: Harness): void => {
  expect(requests?.() ?? 1).toBe(1);
  if (bodies === undefined) return;
  expect(bodies()).toHaveLength(1);
  expect(stringsOf(bodies())).toContainEqual(expect.stringContaining('apple/refresh_catalog/songs failed'));
};

/** Each of the messages `number 0`, `number 1`, … came, once, and in a body of its own. */
const checkEachBody = ({ bodies }: Harness, count: number): void => {
  if (bodies === undefined) return;
  expect(bodies()).toHaveLength(count);
  for (let n = 0; n < count; n += 1)
    expect(bodies().filter(({ body }) => stringsOf(body).some((text) => text.includes(`number ${n}`)))).toHaveLength(1);
};

const checkDetail = (outcome: DeliveryOutcome, { secrets, log }: Harness): void => {
  if (outcome.outcome === 'accepted') return;
  expect(outcome.detail).not.toBe('');
  expect(outcome.detail.length).toBeLessThanOrEqual(detailCharactersMax);
  expect(outcome.detail).not.toMatch(/\p{Cc}/u);
  for (const secret of secrets) expect(JSON.stringify([outcome, log.lines])).not.toContain(secret);
};

const checkWait = (outcome: DeliveryOutcome, expectedMs: number | null | undefined): void => {
  if (expectedMs === undefined) return;
  const waitMs = outcome.outcome === 'retry' ? outcome.retryAfterMs : undefined;
  if (expectedMs === null || typeof waitMs !== 'number') {
    expect(waitMs).toBe(expectedMs);
    return;
  }
  expect(Math.abs(waitMs - expectedMs)).toBeLessThan(1_500);
};

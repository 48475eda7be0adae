import {
  AlertId,
  DeliveryId,
  DigestId,
  OutcomeId,
  classifyFailure,
  composeMessage,
  decideFailure,
  evolveAlert,
  fragmentOf,
  planMessages,
  sampleKey,
} from '@tocsin/alert-model';
import type { AlertEvent, AlertState, DigestPurpose, FailureSignal, Policy, Sample } from '@tocsin/alert-model';
import { simpleParser } from 'mailparser';
import { describe, expect, test } from 'vitest';
import { buildMime } from './build-mime.ts';
import { composeMail } from './compose-mail.ts';
import { threadsOf } from './jwz-thread.fixture.ts';
import type { Thread, ThreadableMail } from './jwz-thread.fixture.ts';
import { parseMailAddress } from './mail-address.ts';

const uuid = (kind: string, number: number): string =>
  `${kind}0000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const at = (minutes: number): string => new Date(Date.UTC(2026, 10, 16, 3) + minutes * 60_000).toISOString();
const route = {
  name: 'default',
  channels: ['team'],
  fallback: [],
  windowMs: 0,
  firstAtOnce: false,
  quietHours: [],
  breakThrough: [],
  escalation: {
    name: 'on-call',
    levels: [{ afterMs: 1_800_000, channels: ['lead'], severities: null }],
    repeat: null,
  },
};
const policy: Policy = {
  rules: [],
  chains: [],
  routes: [{ ...route, match: {}, allQuiet: null, itemsMax: 100 }],
  schedules: [],
  storm: null,
  flapping: null,
  hours: { isWithin: () => false, firstOutside: (_, instant) => instant },
  adapters: {},
  channels: ['team', 'lead'],
};
/** Mailbox of each channel. */
const mailboxes: Readonly<Record<string, string>> = { team: 'team@example.com', lead: 'lead@example.com' };
const from = parseMailAddress('Tocsin <tocsin@example.com>');

interface Sent extends ThreadableMail {
  readonly channel: string;
  readonly headline: string;
}

/** Everything that is mailed about a job that fails, still fails, is not answered, and then works again. */
const lifeOf = async (story: number, targetId = 'songs'): Promise<readonly Sent[]> => {
  const sent: Sent[] = [];
  const samples = new Map<string, Sample>();
  const alertId = AlertId.parse(uuid('a', story));
  const subjects = new Map<DigestId, string>();
  let state: AlertState | null = null;
  let deliveries = story * 1_000;

  const record = (...events: readonly AlertEvent[]): AlertState => {
    const after = events.reduce<AlertState | null>((before, event) => {
      const next = evolveAlert(before, event);
      if (event.type === 'FailureDetected') samples.set(sampleKey({ alertId, version: next.version }), event.data);
      return next;
    }, state);
    if (after === null) throw new Error('At least one event was expected.');
    state = after;
    return after;
  };
  const fails = (minutes: number): void => {
    const signal: FailureSignal = {
      v: 1,
      signal: 'FailureDetected',
      outcomeId: OutcomeId.parse(uuid('c', story * 1_000 + minutes)),
      table: 'public.research_jobs',
      jobId: `${minutes}`,
      kind: 'failed',
      source: 'apple',
      jobType: 'refresh_catalog',
      targetId,
      attempts: 3,
      maxAttempts: 3,
      error: 'HTTPError: 502 Bad Gateway',
      failedAt: at(minutes),
      run: null,
      runContext: null,
      counts: null,
      history: null,
      sourceSuccesses: null,
      details: null,
      notes: [],
      observedAt: at(minutes),
    };
    const classified = classifyFailure(signal, policy, signal.observedAt);
    if ('ignoredBy' in classified) throw new Error('No rule ignores this failure.');
    const context = { now: at(minutes), alertId, predecessor: null, silences: [], flapping: null };
    record(...decideFailure(state, signal, classified, context).events);
  };
  /** Its news goes into a digest, is mailed and accepted. */
  const tells = async (minutes: number, purpose: DigestPurpose, channels: readonly string[]): Promise<void> => {
    const id = DigestId.parse(uuid('d', story * 1_000 + minutes));
    const batched = record({
      type: 'AlertBatched',
      occurredAt: at(minutes),
      data: { digestId: id, route: 'default', purpose, dueAt: at(minutes) },
    });
    const fragment = fragmentOf(batched, id);
    if (fragment === null) throw new Error('The digest has no news.');
    for (const planned of planMessages({ id, channels, purpose }, [fragment])) {
      const message = composeMessage({ id, route: 'default', purpose }, planned, {
        samples,
        threadSubject: planned.followUp ? (subjects.get(planned.threadId) ?? null) : null,
        adminUrl: null,
        publicUrl: null,
        stillOpen: 0,
        now: at(minutes),
      });
      if (!planned.followUp) subjects.set(planned.threadId, message.subject);
      const deliveryId = DeliveryId.parse(uuid('e', (deliveries += 1)));
      const { channel, threadId } = planned;
      const messageId = planned.followUp ? deliveryId : threadId;
      const mail = await composeMail({ message, deliveryId, attemptId: uuid('b', deliveries), messageId }, from, [
        parseMailAddress(mailboxes[channel] ?? ''),
      ]);
      sent.push({ ...(await headersOf(await buildMime(mail))), channel, headline: message.headline });
      const told = { digestId: id, deliveryId, route: 'default', channel, acceptedAt: at(minutes + 1) };
      const reported = batched.resolution !== null;
      record(
        reported
          ? { type: 'ResolutionNotified', occurredAt: at(minutes + 1), data: told }
          : {
              type: 'AlertNotified',
              occurredAt: at(minutes + 1),
              data: { ...told, purpose, threadId, reportedResolved: false },
            },
      );
    }
  };

  fails(0);
  await tells(1, 'window', ['team']);
  fails(10);
  await tells(15, 'window', ['team']);
  const escalation = { level: 1, route: 'default', escalation: 'on-call', channels: ['lead'], afterMs: 1_800_000 };
  record({ type: 'AlertEscalated', occurredAt: at(32), data: { ...escalation, repeat: 0 } });
  await tells(32, 'escalation', ['lead']);
  record({
    type: 'AlertResolved',
    occurredAt: at(45),
    data: { reason: 'succeeded', resolvedAt: at(44), by: null, note: null },
  });
  await tells(50, 'window', ['team']);
  return sent;
};

/** What a mail program reads of a mail, from its bytes. */
const headersOf = async (mime: Buffer): Promise<ThreadableMail> => {
  const { messageId = '', references = [], inReplyTo, subject = '' } = await simpleParser(mime);
  const ids = [references].flat();
  return {
    messageId,
    references: inReplyTo === undefined || ids.includes(inReplyTo) ? ids : [...ids, inReplyTo],
    subject,
  };
};

const orders = <Value>(values: readonly Value[]): readonly (readonly Value[])[] =>
  values.length < 2
    ? [values]
    : values.flatMap((value, index) => orders(values.toSpliced(index, 1)).map((rest) => [value, ...rest]));

const of = (sent: readonly Sent[], channel: string): readonly Sent[] => sent.filter((mail) => mail.channel === channel);
const idsBelow = ({ children }: Thread): readonly string[] =>
  children.flatMap((child) => [child.id, ...idsBelow(child)]).toSorted();
const shape = (threads: readonly Thread[]) =>
  threads.map((thread) => ({ top: thread.mail?.messageId ?? null, below: idsBelow(thread) }));
const ways = [{ bySubject: true }, { bySubject: false }] as const;

describe('the mails of one problem', async () => {
  const sent = await lifeOf(1);
  const [first, ...later] = of(sent, 'team');

  test('go to the mailbox of the team and, once it escalated, to that of the lead; the resolution to both', () => {
    expect(sent.map(({ channel, headline }) => [channel, headline.split(/[:,.]/)[0]])).toEqual([
      ['team', 'apple/refresh_catalog/songs failed'],
      ['team', 'apple/refresh_catalog/songs failed again'],
      ['lead', 'Not acknowledged for 30 min'],
      ['team', 'Resolved'],
      ['lead', 'Resolved'],
    ]);
    expect(new Set(sent.map(({ messageId }) => messageId)).size).toBe(5);
  });

  test.each(ways)('stand in one conversation under the first, whatever order they arrive in (%j)', (way) => {
    for (const arrived of orders(of(sent, 'team')))
      expect(shape(threadsOf(arrived, way))).toEqual([
        { top: first?.messageId, below: later.map(({ messageId }) => messageId).toSorted() },
      ]);
  });

  test.each(ways)('stand in one conversation for those whom an escalation told (%j)', (way) => {
    const mails = of(sent, 'lead');
    for (const arrived of orders(mails))
      // They answer a mail that only others got: programs hold them together by it.
      expect(shape(threadsOf(arrived, way))).toEqual([
        { top: null, below: mails.map(({ messageId }) => messageId).toSorted() },
      ]);
  });

  test.each(ways)('stand in one conversation for somebody who reads both mailboxes (%j)', (way) => {
    for (const arrived of orders(sent))
      expect(shape(threadsOf(arrived, way))).toEqual([
        {
          top: first?.messageId,
          below: sent
            .slice(1)
            .map(({ messageId }) => messageId)
            .toSorted(),
        },
      ]);
  });

  test('keep the subject of the first, as Gmail demands, and name the first alone in their references', () => {
    for (const { subject, references } of sent.slice(1)) {
      expect(subject).toBe(`Re: ${first?.subject}`);
      expect(references).toEqual([first?.messageId]);
    }
    expect(first?.references).toEqual([]);
  });

  test('fall apart without their references, so this test would notice', () => {
    const bare = of(sent, 'team').map((mail) => ({ ...mail, references: [] }));
    expect(threadsOf(bare, { bySubject: false })).toHaveLength(3);
  });
});

test.each(ways)('another problem has a conversation of its own (%j)', async (way) => {
  const mails = [...(await lifeOf(1)), ...(await lifeOf(2, 'albums'))].filter(({ channel }) => channel === 'team');
  expect(threadsOf(mails, way)).toHaveLength(2);
});

describe('the fixture', () => {
  const mail = (messageId: string, references: readonly string[], subject = messageId): ThreadableMail => ({
    messageId,
    references,
    subject,
  });

  test('hangs a mail under the one it answers, and what is missing between them is closed up', () => {
    const [root] = threadsOf([mail('c', ['a', 'b']), mail('a', [])], { bySubject: false });
    expect(shape(root === undefined ? [] : [root])).toEqual([{ top: 'a', below: ['c'] }]);
  });

  test('makes no loop of mails that name each other', () => {
    expect(threadsOf([mail('a', ['b']), mail('b', ['a'])], { bySubject: false })).toHaveLength(1);
  });

  test('joins by subject only when it is asked to', () => {
    const mails = [mail('a', [], 'backup failed'), mail('b', [], 'Re: backup failed')];
    expect(threadsOf(mails, { bySubject: false })).toHaveLength(2);
    expect(shape(threadsOf(mails, { bySubject: true }))).toEqual([{ top: 'a', below: ['b'] }]);
  });
});

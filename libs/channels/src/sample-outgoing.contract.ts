/** Messages for the tests of channels. */
import { randomUUID } from 'node:crypto';
import type { DigestMessage, MessageItem } from '@tocsin/alert-model';
import type { ChannelLog, Outgoing } from './channel.ts';

const item: MessageItem = {
  kind: 'new',
  alertId: '3f2a9c1e-7c1d-5e2f-9a3b-0242ac120002',
  alerts: 1,
  title: 'apple/refresh_catalog/songs failed',
  severity: 'error',
  source: 'apple',
  jobType: 'refresh_catalog',
  targetId: 'songs',
  chain: null,
  failures: 1,
  occurrences: 1,
  causes: [{ signature: 'v1:x', error: 'HTTPError: 502 Bad Gateway', count: 1, jobs: [], moreJobs: 0 }],
  moreCauses: 0,
  since: '2026-11-16T03:02:41Z',
  lastFailedAt: '2026-11-16T03:02:41Z',
  acknowledgedBy: null,
  resolution: null,
  lapse: null,
  escalation: null,
  predecessor: null,
  adminUrl: null,
  tocsinUrl: null,
};

/** An item with the given differences. */
export const sampleItem = (change: Partial<MessageItem> = {}): MessageItem => ({ ...item, ...change });

/** A first message of a new thread, with the given differences. */
export const sampleOutgoing = (change: Partial<DigestMessage> = {}): Outgoing => {
  const digestId = randomUUID();
  const message: DigestMessage = {
    v: 1,
    digestId,
    threadId: digestId,
    route: 'default',
    purpose: 'window',
    subject: '[Tocsin] apple/refresh_catalog/songs failed',
    headline: 'songs failed after 3 attempts',
    followUp: false,
    severity: 'error',
    items: [item],
    omittedAlerts: 0,
    totals: { failures: 1, alerts: 1, resolved: 0, stillOpen: 1 },
    notices: [],
    composedAt: '2026-11-16T03:07:12.345678Z',
    ...change,
  };
  return {
    message,
    deliveryId: randomUUID(),
    attemptId: randomUUID(),
    messageId: message.followUp ? randomUUID() : message.threadId,
  };
};

const resolution = {
  resolvedAt: '2026-11-16T04:10:00Z',
  reason: 'succeeded',
  by: null,
  note: null,
  downtimeMs: 4_039_000,
} as const;

/** Every form a message can have, with a title that continues "carries …". */
export const sampleForms = (): readonly (readonly [string, Outgoing])[] => [
  [
    'an escalation',
    sampleOutgoing({
      purpose: 'escalation',
      headline: 'Nobody acknowledged for 30 min',
      items: [
        sampleItem({
          kind: 'escalated',
          escalation: {
            level: 2,
            name: 'on-call',
            afterMs: 1_800_000,
            toldBefore: [{ channel: 'email', at: '2026-11-16T03:07:13Z' }],
          },
        }),
      ],
    }),
  ],
  [
    'an acknowledgement that ended',
    sampleOutgoing({
      purpose: 'lapse',
      followUp: true,
      items: [
        sampleItem({
          kind: 'lapsed',
          lapse: { by: 'ada@example.com', acknowledgedAt: '2026-11-15T08:30:00Z', reason: 'failures' },
        }),
      ],
    }),
  ],
  [
    'a recovery',
    sampleOutgoing({
      followUp: true,
      threadOpen: 0,
      items: [sampleItem({ kind: 'resolved', failures: 0, causes: [], resolution })],
      totals: { failures: 0, alerts: 1, resolved: 1, stillOpen: 0 },
    }),
  ],
  [
    'the one message of a storm',
    sampleOutgoing({
      purpose: 'storm',
      subject: '[Tocsin] 5,000 jobs failed: 3 causes',
      headline: '5,000 jobs of 4 types failed between 03:00 and 03:02 UTC, of 3 causes',
      items: Array.from({ length: 3 }, (_, n) =>
        sampleItem({ alerts: 1_600, failures: 1_600, occurrences: 1_600, title: `cause ${n}` }),
      ),
      incident: {
        keys: 5_000,
        withinMs: 120_000,
        source: 'apple',
        byJobType: Array.from({ length: 4 }, (_, n) => ({ source: 'apple', jobType: `type_${n}`, alerts: 1_250 })),
        moreJobTypes: 0,
        firstFailedAt: '2026-11-16T03:00:00Z',
        lastFailedAt: '2026-11-16T03:02:00Z',
      },
      totals: { failures: 5_000, alerts: 5_000, resolved: 0, stillOpen: 5_000 },
    }),
  ],
  [
    'a heartbeat with open alerts',
    sampleOutgoing({
      purpose: 'heartbeat',
      subject: '[Tocsin] All quiet, 1 open',
      headline: 'All quiet, 1 open',
      items: [sampleItem({ kind: 'open', failures: 0 })],
      totals: { failures: 0, alerts: 0, resolved: 0, stillOpen: 1 },
    }),
  ],
  [
    'a heartbeat with nothing open',
    sampleOutgoing({
      purpose: 'heartbeat',
      subject: '[Tocsin] All quiet',
      headline: 'All quiet',
      severity: 'info',
      items: [],
      totals: { failures: 0, alerts: 0, resolved: 0, stillOpen: 0 },
    }),
  ],
];

/** A log that keeps what is written. */
export const recordingLog = (): ChannelLog & {
  readonly lines: readonly { level: string; fields: object; message: string }[];
} => {
  const lines: { level: string; fields: object; message: string }[] = [];
  const at = (level: string) => (fields: object, message: string) => void lines.push({ level, fields, message });
  return { lines, info: at('info'), warn: at('warn'), error: at('error') };
};

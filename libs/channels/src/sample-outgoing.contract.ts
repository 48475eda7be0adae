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

/** A log that keeps what is written. */
export const recordingLog = (): ChannelLog & {
  readonly lines: readonly { level: string; fields: object; message: string }[];
} => {
  const lines: { level: string; fields: object; message: string }[] = [];
  const at = (level: string) => (fields: object, message: string) => void lines.push({ level, fields, message });
  return { lines, info: at('info'), warn: at('warn'), error: at('error') };
};

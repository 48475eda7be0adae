import { createHash } from 'node:crypto';
import { isConditionWord } from '@tocsin/alert-model';
import type { DigestMessage, MessageItem, Severity } from '@tocsin/alert-model';
import { cleanLine, orderItems } from '@tocsin/email-templates';
import type { SentryFingerprint } from '../channel.ts';
import { jobFacts } from './job-facts.ts';
import type { JobFacts } from './job-facts.ts';
import { fingerprintOf } from './sentry-fingerprint.ts';

/** Most events of one message, what is not shown included. */
export const eventsMax = 20;
/** Sentry's limits (https://develop.sentry.dev/sdk/expected-features/data-handling/#variable-size), in characters. */
export const tagCharactersMax = 200;
const messageCharactersMax = 1_000;
const errorCharactersMax = 4_000;
const textCharactersMax = 400;
const fieldsMax = 20;
const jobsMax = 10;

/** Fields of a job's details that are tags: what they point to is what one looks for. */
const idFields = ['document_id', 'session_id', 'import_job_id'] as const;

type SentryLevel = 'info' | 'warning' | 'error' | 'fatal';

const levels: Readonly<Record<Severity, SentryLevel>> = {
  info: 'info',
  warning: 'warning',
  error: 'error',
  critical: 'fatal',
};

/** An event as Sentry's protocol has it (https://develop.sentry.dev/sdk/data-model/event-payloads/), as far as it is used. */
export interface SentryEvent {
  readonly event_id: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly platform: 'other';
  readonly level: SentryLevel;
  readonly logger: 'tocsin';
  readonly environment?: string;
  readonly transaction: string;
  readonly message: string;
  readonly exception?: { readonly values: { readonly type: string; readonly value: string }[] };
  readonly fingerprint: string[];
  readonly tags: Record<string, string>;
  readonly contexts: Record<string, Record<string, unknown>>;
  readonly extra: Record<string, unknown>;
}

export interface SentryEventSettings {
  readonly deliveryId: string;
  readonly environment?: string | undefined;
  readonly fingerprints: readonly SentryFingerprint[];
}

/**
 * One event for every item that tells of something wrong. Sentry counts errors and knows no recovery over its protocol:
 * resolutions, what is still open and what only became of a job give no event. Of more than `eventsMax` items the most
 * urgent have one each, and one event says how many alerts have none.
 *
 * The event's id comes from the delivery and the alert, so Sentry drops what it has already.
 */
export const sentryEvents = (message: DigestMessage, settings: SentryEventSettings): readonly SentryEvent[] => {
  const items = orderItems(message.items).filter(isError);
  const complete = items.length <= eventsMax && message.omittedAlerts === 0;
  const shown = complete ? items : items.slice(0, eventsMax - 1);
  const left = items.slice(shown.length).reduce((sum, { alerts }) => sum + alerts, message.omittedAlerts);
  return [
    ...shown.map((item) => itemEvent(item, message, settings)),
    ...(left === 0 ? [] : [omittedEvent(left, message, settings)]),
  ];
};

const isError = ({ kind, failures }: MessageItem): boolean =>
  kind !== 'open' && (failures > 0 || (kind !== 'resolved' && kind !== 'update'));

const itemEvent = (item: MessageItem, message: DigestMessage, settings: SentryEventSettings): SentryEvent => {
  const facts = jobFacts(item);
  const error = facts.error === null ? '' : cleanLine(facts.error, errorCharactersMax);
  return {
    ...frame(item.alertId, item.lastFailedAt, settings),
    level: levels[item.severity],
    transaction: tagValue(`${item.source}/${item.jobType}`),
    message: cleanLine(item.title, messageCharactersMax) || 'A job failed',
    ...(error === ''
      ? {}
      : { exception: { values: [{ type: tagValue(facts.errorType ?? facts.kind), value: error }] } }),
    fingerprint: [...fingerprintOf(item, settings.fingerprints)],
    tags: tagsOf(item, facts),
    contexts: { job: jobContext(item, facts, message) },
    extra: extraOf(item, message),
  };
};

const omittedEvent = (alerts: number, message: DigestMessage, settings: SentryEventSettings): SentryEvent => ({
  ...frame('omitted', message.composedAt, settings),
  level: levels[message.severity],
  transaction: tagValue(message.route),
  message: `${alerts} more alerts not shown: ${cleanLine(message.headline, messageCharactersMax)}`,
  fingerprint: ['tocsin', 'not-shown', tagValue(message.route)],
  tags: { route: tagValue(message.route) },
  contexts: {},
  extra: { headline: cleanLine(message.headline, messageCharactersMax), digest_id: tagValue(message.digestId) },
});

const frame = (
  alertId: string,
  at: string,
  { deliveryId, environment }: SentryEventSettings,
): Pick<SentryEvent, 'event_id' | 'timestamp' | 'platform' | 'logger' | 'environment'> => ({
  event_id: eventId(deliveryId, alertId),
  timestamp: Date.parse(at) / 1_000,
  platform: 'other',
  logger: 'tocsin',
  ...(environment === undefined || environment === '' ? {} : { environment: cleanLine(environment, 64) }),
});

/** A UUID without hyphens (RFC 9562, version 8) made of both ids. */
export const eventId = (deliveryId: string, alertId: string): string => {
  const hex = createHash('sha256').update(`${deliveryId}\n${alertId}`).digest('hex');
  return `${hex.slice(0, 12)}8${hex.slice(13, 16)}8${hex.slice(17, 32)}`;
};

const tagsOf = (item: MessageItem, facts: JobFacts): Record<string, string> => {
  const tags: Readonly<Record<string, string | null>> = {
    job_id: facts.jobId,
    ...Object.fromEntries(idFields.map((name) => [name, facts.field(name)])),
    job_type: item.jobType,
    error_type: facts.errorType ?? facts.kind,
    stage: facts.stage,
    failure_reason: facts.reason,
    source: item.source,
    target_id: item.targetId,
    kind: facts.kind,
    alert_id: item.alertId,
  };
  return Object.fromEntries(
    Object.entries(tags).flatMap(([name, value]) => {
      const text = value === null ? '' : tagValue(value);
      return text === '' ? [] : [[name, text]];
    }),
  );
};

// Tags hold no line breaks and at most 200 characters; a longer one is dropped by Sentry as a whole.
const tagValue = (text: string): string => cleanLine(text, tagCharactersMax);

const jobContext = (item: MessageItem, facts: JobFacts, { composedAt }: DigestMessage): Record<string, unknown> => {
  const { details } = item;
  const stuckSince = details?.heartbeatAt ?? details?.startedAt ?? item.since;
  return {
    progress: details?.progress ?? null,
    stage: facts.stage === null ? null : cleanLine(facts.stage, textCharactersMax),
    failed: details?.counts?.failed ?? null,
    total: details?.counts?.total ?? null,
    failures: item.failures,
    occurrences: item.occurrences,
    alerts: item.alerts,
    started_at: details?.startedAt ?? null,
    last_heartbeat_at: details?.heartbeatAt ?? null,
    first_failed_at: item.since,
    last_failed_at: item.lastFailedAt,
    ...(isConditionWord(facts.kind)
      ? { stuck_seconds: Math.max(0, Math.round((Date.parse(composedAt) - Date.parse(stuckSince)) / 1_000)) }
      : {}),
    ...(item.chain === null
      ? {}
      : {
          chain: cleanLine(item.chain.name, textCharactersMax),
          did_not_run: item.chain.missing.slice(0, jobsMax).map((step) => cleanLine(step, textCharactersMax)),
        }),
    ...Object.fromEntries(
      Object.entries(details?.fields ?? {})
        .slice(0, fieldsMax)
        .map(([name, value]) => [`field_${cleanLine(name, 100)}`, cleanLine(value, textCharactersMax)]),
    ),
  };
};

const extraOf = (item: MessageItem, { digestId, headline, notices }: DigestMessage): Record<string, unknown> => ({
  what: item.kind,
  headline: cleanLine(headline, messageCharactersMax),
  digest_id: tagValue(digestId),
  jobs: item.causes
    .flatMap(({ jobs }) => jobs)
    .slice(0, jobsMax)
    .map(({ table, jobId }) => cleanLine(`${table} ${jobId}`, textCharactersMax)),
  admin_url: item.adminUrl === null ? null : cleanLine(item.adminUrl, 2_000),
  tocsin_url: item.tocsinUrl === null ? null : cleanLine(item.tocsinUrl, 2_000),
  notices: notices.slice(0, jobsMax).map((notice) => cleanLine(notice, textCharactersMax)),
});

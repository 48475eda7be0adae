import { Buffer } from 'node:buffer';
import type { DigestMessage, MessageCause, MessageItem, Severity } from '@tocsin/alert-model';
import { cleanLine, orderItems } from '@tocsin/email-templates';
import { idText } from '../mail/compose-mail.ts';

/** Most alerts of a message that get an incident each; more are one incident of the whole conversation. */
export const incidentsMax = 20;
/** Most alerts of a message that are resolved one by one. What is beyond was most likely never an incident of its own. */
export const resolutionsMax = 100;
/** Limits of the Events API v2 (https://developer.pagerduty.com/docs/events-api-v2/trigger-events/), in characters and bytes. */
export const summaryCharactersMax = 1_024;
export const eventBytesMax = 512 * 1_024;

const sourceCharactersMax = 255;
const wordCharactersMax = 255;
const errorCharactersMax = 400;
const noteCharactersMax = 400;
const causesMax = 5;
const jobsMax = 5;
const noticesMax = 10;
const fieldsMax = 20;
const lines = 5;
const linksMax = 5;

/** The body of one request to `/v2/enqueue`, without the routing key. */
export interface PagerDutyEvent {
  readonly event_action: 'trigger' | 'resolve';
  readonly dedup_key: string;
  readonly client?: string;
  readonly client_url?: string;
  readonly links?: readonly { readonly href: string; readonly text: string }[];
  readonly payload?: Readonly<Record<string, unknown>>;
}

/** PagerDuty's severities are ours. */
const severities: Readonly<Record<Severity, string>> = {
  info: 'info',
  warning: 'warning',
  error: 'error',
  critical: 'critical',
};

/**
 * What one message means to PagerDuty, which keeps incidents and not news: a trigger for every alert that is wrong, under
 * the alert's own id, and a resolve for every alert that is fine again. A message of more than `incidentsMax` alerts, or
 * one that tells many alerts as one, is one incident under the conversation's id; it is resolved when none of the
 * conversation's alerts is open. Resolving what is no incident does nothing at PagerDuty, so the conversation is also
 * resolved where nobody knows which form its alerts once had.
 *
 * A heartbeat is no incident and gives no event.
 */
export const pagerDutyEvents = (message: DigestMessage): readonly PagerDutyEvent[] => {
  if (message.purpose === 'heartbeat') return [];
  const items = orderItems(message.items);
  const fine = items.filter(isFine);
  const wrong = items.filter((item) => !isFine(item));
  const wrongAlerts = countAlerts(wrong) + message.omittedAlerts;
  const asOne = (message.incident ?? null) !== null || wrongAlerts > incidentsMax || !wrong.every(namesItsAlerts);
  const over = (message.threadOpen ?? message.totals.stillOpen) === 0 && wrongAlerts === 0;
  const triggers =
    asOne && wrongAlerts > 0
      ? [conversationTrigger(message, wrong)]
      : wrong.flatMap((item) => alertIdsOf(item).map((alertId) => alertTrigger(message, item, alertId)));
  const resolutions = fine.flatMap(alertIdsOf).slice(0, resolutionsMax);
  return [
    ...triggers,
    ...resolutions.map((alertId) => resolve(alertId)),
    ...(over && message.followUp ? [resolve(message.threadId)] : []),
  ].map(withinBytes);
};

const isFine = ({ kind }: MessageItem): boolean => kind === 'resolved' || kind === 'recovered';

const countAlerts = (items: readonly MessageItem[]): number => items.reduce((sum, { alerts }) => sum + alerts, 0);

const alertIdsOf = ({ alertId, alertIds }: MessageItem): readonly string[] =>
  alertIds === undefined || alertIds.length === 0 ? [alertId] : alertIds;

const namesItsAlerts = (item: MessageItem): boolean => alertIdsOf(item).length >= item.alerts;

const resolve = (id: string): PagerDutyEvent => ({ event_action: 'resolve', dedup_key: idText(id) });

const alertTrigger = (message: DigestMessage, item: MessageItem, alertId: string): PagerDutyEvent => ({
  event_action: 'trigger',
  dedup_key: idText(alertId),
  ...clientOf(item.tocsinUrl),
  links: linksOf([item]),
  payload: {
    summary: summaryOf(item.title, message),
    source: cleanLine(item.source, sourceCharactersMax) || 'tocsin',
    severity: severities[item.severity],
    timestamp: item.lastFailedAt,
    component: cleanLine(item.jobType, wordCharactersMax),
    group: cleanLine(item.source, wordCharactersMax),
    class: cleanLine(item.causes[0]?.jobs[0]?.kind ?? 'failed', wordCharactersMax),
    custom_details: {
      headline: cleanLine(message.headline, summaryCharactersMax),
      ...itemDetails(item),
      notices: message.notices.slice(0, noticesMax).map((notice) => cleanLine(notice, noteCharactersMax)),
    },
  },
});

const conversationTrigger = (message: DigestMessage, items: readonly MessageItem[]): PagerDutyEvent => ({
  event_action: 'trigger',
  dedup_key: idText(message.threadId),
  ...clientOf(items[0]?.tocsinUrl ?? null),
  links: linksOf(items),
  payload: {
    summary: summaryOf(message.headline, message),
    source: cleanLine(message.incident?.source ?? items[0]?.source ?? '', sourceCharactersMax) || 'tocsin',
    severity: severities[message.severity],
    timestamp: message.composedAt,
    component: cleanLine(message.route, wordCharactersMax),
    custom_details: {
      alerts: countAlerts(items) + message.omittedAlerts,
      not_listed: countAlerts(items.slice(incidentsMax)) + message.omittedAlerts,
      listed: items.slice(0, incidentsMax).map(itemDetails),
      notices: message.notices.slice(0, noticesMax).map((notice) => cleanLine(notice, noteCharactersMax)),
    },
  },
});

// PagerDuty refuses an empty summary.
const summaryOf = (text: string, message: DigestMessage): string =>
  cleanLine(text, summaryCharactersMax) || cleanLine(message.subject, summaryCharactersMax) || 'Tocsin';

const itemDetails = (item: MessageItem): Readonly<Record<string, unknown>> => ({
  title: cleanLine(item.title, summaryCharactersMax),
  what: item.kind,
  alert: cleanLine(item.alertId, wordCharactersMax),
  alerts: item.alerts,
  target: item.targetId === null ? null : cleanLine(item.targetId, wordCharactersMax),
  since: item.since,
  last_failed_at: item.lastFailedAt,
  occurrences: item.occurrences,
  acknowledged_by: item.acknowledgedBy === null ? null : cleanLine(item.acknowledgedBy, wordCharactersMax),
  causes: item.causes.slice(0, causesMax).map(causeDetails),
  ...(item.chain === null
    ? {}
    : {
        chain: cleanLine(item.chain.name, wordCharactersMax),
        did_not_run: item.chain.missing.slice(0, lines).map((step) => cleanLine(step, wordCharactersMax)),
      }),
  ...(item.details === null || item.details === undefined
    ? {}
    : {
        stage: item.details.stage === null ? null : cleanLine(item.details.stage, wordCharactersMax),
        progress: item.details.progress,
        fields: Object.fromEntries(
          Object.entries(item.details.fields)
            .slice(0, fieldsMax)
            .map(([name, value]) => [cleanLine(name, wordCharactersMax), cleanLine(value, wordCharactersMax)]),
        ),
      }),
});

const causeDetails = (cause: MessageCause): Readonly<Record<string, unknown>> => ({
  error: cause.error === null ? null : cleanLine(cause.error, errorCharactersMax),
  count: cause.count,
  jobs: cause.jobs.slice(0, jobsMax).map((job) => cleanLine(`${job.table} ${job.jobId}`, wordCharactersMax)),
});

const clientOf = (url: string | null): { readonly client: string; readonly client_url?: string } => {
  const link = linkOf(url);
  return { client: 'Tocsin', ...(link === null ? {} : { client_url: link }) };
};

const linksOf = (items: readonly MessageItem[]): NonNullable<PagerDutyEvent['links']> =>
  items
    .flatMap(({ title, adminUrl, tocsinUrl }) => {
      const [admin, tocsin] = [linkOf(adminUrl), linkOf(tocsinUrl)];
      return [
        ...(admin === null ? [] : [{ href: admin, text: cleanLine(`${title}: admin page`, wordCharactersMax) }]),
        ...(tocsin === null ? [] : [{ href: tocsin, text: cleanLine(`${title}: in Tocsin`, wordCharactersMax) }]),
      ];
    })
    .slice(0, linksMax);

/** Longest link, in characters; half a link is of no use. */
const linkCharactersMax = 2_000;

const linkOf = (text: string | null): string | null => {
  const url = text === null || text.length > linkCharactersMax ? null : URL.parse(text);
  return url === null || (url.protocol !== 'https:' && url.protocol !== 'http:') ? null : url.href;
};

/** Details are bounded one by one and come nowhere near the limit; without them an event is small whatever it holds. */
const withinBytes = (event: PagerDutyEvent): PagerDutyEvent => {
  if (event.payload === undefined || Buffer.byteLength(JSON.stringify(event)) <= eventBytesMax - 1_024) return event;
  const { custom_details: _dropped, ...payload } = event.payload;
  return { ...event, payload };
};

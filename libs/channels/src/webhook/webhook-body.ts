import { Buffer } from 'node:buffer';
import type { DigestMessage, MessageCause, MessageItem } from '@tocsin/alert-model';
import { cleanLine, cut } from '@tocsin/email-templates';

/** Size that receivers like to see, in bytes (Standard Webhooks, "Payload size"); items are shortened to get there. */
export const bodyBytesWanted = 20_000;
/** Size that no body exceeds, in bytes: what common receivers take (AWS API Gateway, EventBridge, queues behind them). */
export const bodyBytesMax = 262_144;
/** What the events are; a later form of `data` gets another number. */
export const webhookEventType = 'tocsin.digest.v1';

/** What a body is made of besides the message. */
export interface WebhookEnvelope {
  /** The same for every attempt: with `source` it is the event's identity. */
  readonly id: string;
  /** Base URL of Tocsin's console, or `tocsin`. */
  readonly source: string;
}

/** Longest text of a message that is not shortened, and longest link, in characters; the composer's bounds lie below. */
const textCharactersMax = 4_000;
/** Most lines of a text, and longest name of a field, in characters. */
const linesMax = 100;
const nameCharactersMax = 100;

/** How far the parts of an item are shortened. */
interface Shortening {
  readonly causesMax: number;
  readonly jobsMax: number;
  readonly idsMax: number;
  readonly developmentsMax: number;
  readonly charactersMax: number;
}

/** The first that makes the body about as small as wanted is taken; the last one stands, whatever it comes to. */
const shortenings: readonly Shortening[] = [
  { causesMax: 8, jobsMax: 3, idsMax: 100, developmentsMax: 3, charactersMax: 400 },
  { causesMax: 3, jobsMax: 1, idsMax: 20, developmentsMax: 1, charactersMax: 200 },
  { causesMax: 1, jobsMax: 0, idsMax: 0, developmentsMax: 0, charactersMax: 120 },
];

/** A form of the message that may be sent, texts not yet cut. */
interface Form {
  readonly message: DigestMessage;
  readonly charactersMax: number;
}

/**
 * The body of one webhook: a CloudEvents 1.0 event in structured JSON form (`application/cloudevents+json`) with the
 * message as its data. A message that is too large tells every alert with less detail; only what is beyond
 * `bodyBytesMax` even then is left out, counted in `omittedAlerts`.
 */
export const webhookBody = (message: DigestMessage, envelope: WebhookEnvelope): string => {
  const forms: readonly Form[] = [
    { message, charactersMax: textCharactersMax },
    ...shortenings.map((shortening) => ({
      message: { ...message, items: message.items.map((item) => shortItem(item, shortening)) },
      charactersMax: shortening.charactersMax,
    })),
  ];
  let sent = message;
  let body = '';
  for (const [index, { message: form, charactersMax }] of forms.entries()) {
    // Cleaning is what costs, so a form that is too large by far is passed over by its lengths alone.
    const last = index === forms.length - 1;
    if (!last && charactersOf(form, charactersMax, bodyBytesWanted) > bodyBytesWanted) continue;
    sent = cleanMessage(form, charactersMax);
    body = eventJson(sent, envelope);
    if (Buffer.byteLength(body) <= bodyBytesWanted) return body;
  }
  while (Buffer.byteLength(body) > bodyBytesMax && sent.items.length > 0) {
    sent = withoutLastItems(sent);
    body = eventJson(sent, envelope);
  }
  return body;
};

/** How many characters the texts of a value have, each counted up to `charactersMax`; stops counting beyond `enough`. */
const charactersOf = (value: unknown, charactersMax: number, enough: number): number => {
  if (typeof value === 'string') return Math.min(value.length, charactersMax);
  if (typeof value !== 'object' || value === null) return 0;
  let characters = 0;
  for (const entry of Object.values(value)) {
    characters += charactersOf(entry, charactersMax, enough - characters);
    if (characters > enough) break;
  }
  return characters;
};

const eventJson = (message: DigestMessage, { id, source }: WebhookEnvelope): string =>
  JSON.stringify({
    specversion: '1.0',
    id,
    source,
    type: webhookEventType,
    // The conversation, so that a receiver puts what belongs together in one place.
    subject: message.threadId,
    time: message.composedAt,
    datacontenttype: 'application/json',
    data: message,
  });

const shortItem = (item: MessageItem, { causesMax, jobsMax, idsMax, developmentsMax }: Shortening): MessageItem => {
  const { alertIds, developments } = item;
  return {
    ...item,
    causes: item.causes.slice(0, causesMax).map((cause) => shortCause(cause, jobsMax)),
    moreCauses: item.moreCauses + Math.max(0, item.causes.length - causesMax),
    ...(alertIds === undefined ? {} : { alertIds: alertIds.slice(0, idsMax) }),
    ...(developments === undefined
      ? {}
      : {
          developments: developments.slice(0, developmentsMax),
          moreDevelopments: (item.moreDevelopments ?? 0) + Math.max(0, developments.length - developmentsMax),
        }),
  };
};

const shortCause = (cause: MessageCause, jobsMax: number): MessageCause => ({
  ...cause,
  jobs: cause.jobs.slice(0, jobsMax),
  moreJobs: cause.moreJobs + Math.max(0, cause.jobs.length - jobsMax),
});

// Numbers and the shape stay as they are, so it is a message again.
const cleanMessage = (message: DigestMessage, charactersMax: number): DigestMessage =>
  cleanTexts(message, charactersMax) as DigestMessage;

/**
 * A value with every text in it free of control and invisible characters and cut. Links are of no use in part and stay
 * whole. JSON would carry anything, but a receiver may print what it got to a terminal or a log.
 */
const cleanTexts = (value: unknown, charactersMax: number): unknown => {
  if (typeof value === 'string')
    return cleanText(value, /^https?:\/\//.test(value) ? textCharactersMax : charactersMax);
  if (Array.isArray(value)) return value.map((entry: unknown) => cleanTexts(entry, charactersMax));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [
      cleanLine(name, nameCharactersMax),
      cleanTexts(entry, charactersMax),
    ]),
  );
};

// What is cut off anyway is not cleaned first.
const cleanText = (text: string, charactersMax: number): string => {
  const lines = text
    .slice(0, charactersMax * 2)
    .split('\n', linesMax)
    .map((line) => cleanLine(line, charactersMax));
  return cut(lines.join('\n'), charactersMax);
};

/** Drops a tenth of the items from the end, one at least; the most severe ones come first. */
const withoutLastItems = (message: DigestMessage): DigestMessage => {
  const kept = Math.floor(message.items.length * 0.9);
  const dropped = message.items.slice(kept).reduce((sum, { alerts }) => sum + alerts, 0);
  return { ...message, items: message.items.slice(0, kept), omittedAlerts: message.omittedAlerts + dropped };
};

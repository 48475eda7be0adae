import { createHash } from 'node:crypto';
import { DeliveryId } from '@tocsin/alert-model';
import type { Instant } from '@tocsin/alert-model';
import { cleanLine } from '@tocsin/email-templates';

/** Most events of one request; SendGrid sends some hundreds at a time. */
export const eventsPerRequestMax = 1_000;
/** Longest body that is looked at, in characters. */
export const bodyCharactersMax = 4_000_000;

const idCharactersMax = 200;
const nameCharactersMax = 50;
const recipientCharactersMax = 320;
const detailCharactersMax = 500;

/** What a provider said later about a message it had taken. The form in which the ledger keeps it. */
export interface SendGridEvent {
  /** `sg_event_id`; the same event twice is one. */
  readonly id: string;
  readonly provider: 'sendgrid';
  readonly attemptId: string | null;
  readonly deliveryId: DeliveryId | null;
  /** `processed`, `deferred`, `delivered`, `bounce`, `dropped`, others as they are. A bounce of type `blocked` is `blocked`. */
  readonly event: string;
  /** Lower case; null when it names none. */
  readonly recipient: string | null;
  /** What the receiving server or SendGrid gave as reason. */
  readonly detail: string | null;
  readonly at: Instant;
}

export type SendGridEvents =
  | {
      readonly ok: true;
      readonly events: readonly SendGridEvent[];
      /** Entries that are no events. */
      readonly ignored: number;
    }
  | { readonly ok: false; readonly detail: string };

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads the body of SendGrid's Event Webhook, whose signature was checked before
 * (https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event). The custom arguments of a mail come back
 * as fields of each event: `delivery_id` and `attempt_id` are ours. Events of mails that are not ours have no delivery.
 */
export const parseSendGridEvents = (body: string): SendGridEvents => {
  if (body.length > bodyCharactersMax) return { ok: false, detail: 'The body is too large.' };
  let entries: unknown;
  try {
    entries = JSON.parse(body);
  } catch {
    return { ok: false, detail: 'The body is no JSON.' };
  }
  if (!Array.isArray(entries)) return { ok: false, detail: 'The body is no list of events.' };
  if (entries.length > eventsPerRequestMax)
    return { ok: false, detail: `The body has more than ${eventsPerRequestMax} events.` };
  const events = entries.map(eventOf).filter((event) => event !== null);
  return { ok: true, events, ignored: entries.length - events.length };
};

const eventOf = (entry: unknown): SendGridEvent | null => {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return null;
  const fields = entry as Json;
  const event = textOf(fields, 'event', nameCharactersMax);
  const at = instantOf(fields['timestamp']);
  if (event === null || at === null) return null;
  return {
    id: textOf(fields, 'sg_event_id', idCharactersMax) ?? identityOf(fields),
    provider: 'sendgrid',
    attemptId: uuidOf(fields['attempt_id']),
    deliveryId: uuidOf(fields['delivery_id']),
    event: event === 'bounce' && fields['type'] === 'blocked' ? 'blocked' : event,
    recipient: textOf(fields, 'email', recipientCharactersMax)?.toLowerCase() ?? null,
    detail: textOf(fields, 'reason', detailCharactersMax) ?? textOf(fields, 'response', detailCharactersMax),
    at,
  };
};

const textOf = (fields: Json, name: string, charactersMax: number): string | null => {
  const value = Object.hasOwn(fields, name) ? fields[name] : null;
  return typeof value === 'string' ? cleanLine(value, charactersMax) || null : null;
};

/** Events of before 2019 have no identity of their own; what they say is it. */
const identityOf = (fields: Json): string =>
  createHash('sha256')
    .update(JSON.stringify(['event', 'timestamp', 'email', 'sg_message_id', 'attempt_id'].map((name) => fields[name])))
    .digest('base64url');

const uuidOf = (value: unknown): DeliveryId | null => DeliveryId.safeParse(value).data ?? null;

/** Latest time that is a date, in seconds since 1970: the year 9999. */
const secondsMax = 253_402_300_799;

const instantOf = (value: unknown): Instant | null =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 && value <= secondsMax
    ? new Date(value * 1_000).toISOString()
    : null;

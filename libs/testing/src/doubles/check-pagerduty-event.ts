import { Buffer } from 'node:buffer';

type Json = Readonly<Record<string, unknown>>;

/** Limits of the Events API v2 (https://developer.pagerduty.com/docs/events-api-v2/trigger-events/). */
const routingKeyCharacters = 32;
const dedupKeyCharactersMax = 255;
const summaryCharactersMax = 1_024;
const eventBytesMax = 512 * 1_024;
const severities: readonly unknown[] = ['critical', 'error', 'warning', 'info'];
const actions: readonly unknown[] = ['trigger', 'acknowledge', 'resolve'];

/** What PagerDuty would object to in the body of `POST /v2/enqueue`, in its own words; empty when it would take it. */
export const checkPagerDutyEvent = (text: string): readonly string[] => {
  if (Buffer.byteLength(text) > eventBytesMax) return [`Event is larger than ${eventBytesMax} bytes`];
  const event = parse(text);
  if (event === null) return ['JSON object expected'];
  return [
    ...checkKeys(event),
    ...(actions.includes(event['event_action']) ? [] : ["'event_action' must be one of trigger, acknowledge, resolve"]),
    ...(event['event_action'] === 'trigger' ? checkPayload(event['payload']) : []),
    ...checkLinks(event['links']),
    ...['client', 'client_url'].flatMap((name) => optionalText(event, name)),
  ];
};

const checkKeys = ({ routing_key: routingKey, dedup_key: dedupKey, event_action: action }: Json): readonly string[] => [
  ...(typeof routingKey === 'string' && routingKey.length === routingKeyCharacters
    ? []
    : [`Length of 'routing_key' is incorrect (should be ${routingKeyCharacters} characters)`]),
  ...(dedupKey === undefined && action !== 'trigger' ? ["'dedup_key' is missing or blank"] : []),
  ...(dedupKey === undefined ||
  (typeof dedupKey === 'string' && dedupKey !== '' && dedupKey.length <= dedupKeyCharactersMax)
    ? []
    : [`'dedup_key' must be a text of at most ${dedupKeyCharactersMax} characters`]),
];

const checkPayload = (payload: unknown): readonly string[] => {
  if (!isObject(payload)) return ["'payload' is missing or blank"];
  const { summary, source, severity, timestamp, custom_details: details } = payload;
  return [
    ...(typeof summary === 'string' && summary.trim() !== '' ? [] : ["'payload.summary' is missing or blank"]),
    ...(typeof summary === 'string' && summary.length > summaryCharactersMax
      ? [`'payload.summary' is longer than ${summaryCharactersMax} characters`]
      : []),
    ...(typeof source === 'string' && source.trim() !== '' ? [] : ["'payload.source' is missing or blank"]),
    ...(severities.includes(severity)
      ? []
      : ["'payload.severity' is invalid (must be one of critical, error, warning, info)"]),
    ...(timestamp === undefined ||
    (typeof timestamp === 'string' && /^\d{4}-\d{2}-\d{2}T/.test(timestamp) && !Number.isNaN(Date.parse(timestamp)))
      ? []
      : ["'payload.timestamp' is no ISO 8601 date"]),
    ...(details === undefined || isObject(details) ? [] : ["'payload.custom_details' must be an object"]),
    ...['component', 'group', 'class'].flatMap((name) => optionalText(payload, name)),
  ];
};

const checkLinks = (links: unknown): readonly string[] => {
  if (links === undefined) return [];
  if (!Array.isArray(links)) return ["'links' must be a list"];
  return links.flatMap((link: unknown, index) =>
    isObject(link) && typeof link['href'] === 'string' && URL.canParse(link['href']) && typeof link['text'] === 'string'
      ? []
      : [`'links[${index}]' must have an href and a text`],
  );
};

const optionalText = (value: Json, name: string): readonly string[] =>
  value[name] === undefined || typeof value[name] === 'string' ? [] : [`'${name}' must be a text`];

const parse = (text: string): Json | null => {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
};

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

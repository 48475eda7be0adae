import { Buffer } from 'node:buffer';

type Json = Readonly<Record<string, unknown>>;

/** Limits of Sentry (https://docs.sentry.io/concepts/data-management/size-limits/, …/data-handling/#variable-size). */
const eventBytesMax = 1_000_000;
const tagCharactersMax = 200;
const levels: readonly unknown[] = ['fatal', 'error', 'warning', 'info', 'debug'];
/** Oldest event that is taken, and how far one may lie in the future, in seconds. */
const ageSecondsMax = 30 * 86_400;
const futureSecondsMax = 60;

/** The event of an envelope, or what Sentry objects to. */
export type CheckedEnvelope =
  { readonly ok: true; readonly event: Json } | { readonly ok: false; readonly problem: string };

/**
 * Takes an envelope apart as Relay does (https://develop.sentry.dev/sdk/data-model/envelopes/): a line of headers, then
 * for each item a line of headers and its payload.
 *
 * @param nowMs time to judge the event's age by; null: its age does not matter
 */
export const checkSentryEnvelope = (text: string, nowMs: number | null): CheckedEnvelope => {
  const [headerLine = '', itemLine = '', ...rest] = text.split('\n');
  const [header, item] = [parse(headerLine), parse(itemLine)];
  const payload = rest.join('\n');
  const event = parse(payload);
  if (header === null || item === null || event === null) return problem('invalid envelope');
  if (item['type'] !== 'event') return problem('unexpected item');
  if (item['length'] !== undefined && item['length'] !== Buffer.byteLength(payload))
    return problem('wrong length of item');
  if (Buffer.byteLength(payload) > eventBytesMax) return problem('event too large');
  const id = event['event_id'];
  if (typeof id !== 'string' || !/^[0-9a-f]{32}$/.test(id)) return problem('invalid event_id');
  if (header['event_id'] !== id) return problem('event_id of envelope and event differ');
  if (!levels.includes(event['level'])) return problem('invalid level');
  const { timestamp, tags, fingerprint } = event;
  if (typeof timestamp !== 'number') return problem('invalid timestamp');
  const ageSeconds = nowMs === null ? 0 : nowMs / 1_000 - timestamp;
  if (ageSeconds > ageSecondsMax || ageSeconds < -futureSecondsMax)
    return problem('past_timestamp or future_timestamp');
  if (!isObject(tags) || !Object.entries(tags).every(isTag)) return problem('invalid tag');
  if (!Array.isArray(fingerprint) || !fingerprint.every((part) => typeof part === 'string' && part !== ''))
    return problem('invalid fingerprint');
  return { ok: true, event };
};

const isTag = ([name, value]: readonly [string, unknown]): boolean =>
  /^[a-zA-Z0-9_.:-]{1,32}$/.test(name) &&
  typeof value === 'string' &&
  value !== '' &&
  value.length <= tagCharactersMax &&
  !value.includes('\n');

const problem = (text: string): CheckedEnvelope => ({ ok: false, problem: text });

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

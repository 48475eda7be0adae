import { cleanLine } from '@tocsin/email-templates';
import { acknowledgeAction, deliveryIdentity } from './render-slack.ts';

/** A click on Acknowledge. */
export interface SlackAction {
  /** Of the message that carried the button. */
  readonly deliveryId: string;
  /** Who clicked: `ada (U012ABC)`. The id is Slack's own and cannot be changed by its owner; the name can. */
  readonly user: string;
  /** Where an answer can be posted; null when there is none or it is not Slack's. */
  readonly responseUrl: string | null;
}

/** Where Slack takes answers to clicks. */
const responseOrigins: readonly string[] = ['https://hooks.slack.com', 'https://hooks.slack-gov.com'];
/** Longest body that is looked at, in characters: Slack sends the whole message along. */
const bodyCharactersMax = 1_000_000;
const nameCharactersMax = 60;

/**
 * Reads the body of a request whose signature holds. Null for whatever is no click on Acknowledge: other actions, link
 * buttons (Slack reports those too), shortcuts, nonsense.
 *
 * @param rawBody `application/x-www-form-urlencoded` with one field, `payload`
 * @param origins where answers may go. Default: Slack's own; tests name a server of theirs
 */
export const parseSlackAction = (rawBody: string, origins: readonly string[] = responseOrigins): SlackAction | null => {
  if (rawBody.length > bodyCharactersMax) return null;
  const payload = parseObject(new URLSearchParams(rawBody).get('payload'));
  if (payload === null || payload['type'] !== 'block_actions' || !Array.isArray(payload['actions'])) return null;
  const action = payload['actions'].map(objectOf).find((each) => each?.['action_id'] === acknowledgeAction);
  const deliveryId = action?.['value'];
  const user = objectOf(payload['user']);
  const userId = textOf(user, 'id');
  if (typeof deliveryId !== 'string' || !deliveryIdentity.test(deliveryId) || userId === '') return null;
  const name = textOf(user, 'username') || textOf(user, 'name');
  return {
    deliveryId,
    user: name === '' ? userId : `${name} (${userId})`,
    responseUrl: responseUrlOf(payload['response_url'], origins),
  };
};

const responseUrlOf = (value: unknown, origins: readonly string[]): string | null => {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  if (url === null || url.username !== '' || url.password !== '') return null;
  return origins.includes(url.origin) ? url.href : null;
};

const parseObject = (text: string | null): Readonly<Record<string, unknown>> | null => {
  try {
    return text === null ? null : objectOf(JSON.parse(text));
  } catch {
    return null;
  }
};

const objectOf = (value: unknown): Readonly<Record<string, unknown>> | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null;

const textOf = (value: Readonly<Record<string, unknown>> | null, key: string): string => {
  const text = value?.[key];
  return typeof text === 'string' ? cleanLine(text, nameCharactersMax) : '';
};

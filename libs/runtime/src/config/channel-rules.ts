import { createPublicKey } from 'node:crypto';
import { apiKeyProblem, HTTP_PROTOCOLS, urlProblem } from './setting-rules.ts';

/**
 * One rule per kind of credential of a channel, for the file and the environment alike. Each answers what is wrong and how
 * to put it right, or undefined. None repeats the value.
 */

/** PagerDuty: "the 32 character Integration Key", https://developer.pagerduty.com/docs/send-alert-event. */
const ROUTING_KEY_CHARACTERS = 32;
/** Standard Webhooks: keys have 24 to 64 bytes, https://github.com/standard-webhooks/standard-webhooks. */
const WEBHOOK_KEY_BYTES_MIN = 24;
const WEBHOOK_KEY_BYTES_MAX = 64;
/** Most keys that sign one message. */
const WEBHOOK_KEYS_MAX = 5;

/** A token of a Slack app's bot; `xoxe.` before it means that it is rotated. */
export function slackTokenProblem(token: string): string | undefined {
  const problem = apiKeyProblem(token);
  if (problem !== undefined) return problem;
  return /^(?:xoxe\.)?xoxb-/.test(token)
    ? undefined
    : 'must be the token of a bot, which begins with xoxb- (Slack: OAuth & Permissions, Bot User OAuth Token)';
}

/** A Slack channel by id or name. */
export function slackChannelProblem(channel: string): string | undefined {
  return /^#?[\p{L}\p{N}_-]{1,80}$/u.test(channel)
    ? undefined
    : 'must be a Slack channel, such as C0123456789 or "#alerts"; the id goes on working when it is renamed';
}

/** One or several keys of Standard Webhooks, separated by blanks. */
export function webhookSecretProblem(secrets: string): string | undefined {
  const keys = secrets.split(/\s+/).filter((key) => key !== '');
  if (keys.length > WEBHOOK_KEYS_MAX) return `must be at most ${WEBHOOK_KEYS_MAX} keys; drop the oldest`;
  const right = keys.every((key) => {
    const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(key)?.[1];
    if (encoded === undefined || encoded.length % 4 !== 0) return false;
    const bytes = Buffer.from(encoded, 'base64').length;
    return bytes >= WEBHOOK_KEY_BYTES_MIN && bytes <= WEBHOOK_KEY_BYTES_MAX;
  });
  return keys.length > 0 && right
    ? undefined
    : `must be whsec_ and the base64 of ${WEBHOOK_KEY_BYTES_MIN} to ${WEBHOOK_KEY_BYTES_MAX} random bytes; make one with: echo whsec_$(openssl rand -base64 32)`;
}

/** The integration key of a service in PagerDuty. */
export function routingKeyProblem(key: string): string | undefined {
  return new RegExp(`^[A-Za-z0-9]{${ROUTING_KEY_CHARACTERS}}$`).test(key)
    ? undefined
    : `must be the integration key of a service with Events API v2: ${ROUTING_KEY_CHARACTERS} letters and digits`;
}

/** A DSN as Sentry shows it: `https://<public key>@<host>/<number of the project>`. */
export function sentryDsnProblem(dsn: string): string | undefined {
  const form = 'must be a DSN, such as https://key@o1.ingest.sentry.io/42';
  if (urlProblem(dsn, HTTP_PROTOCOLS) !== undefined) return form;
  const { username, pathname } = new URL(dsn);
  if (username === '') return `${form}; it lacks the key before the @`;
  return /\/\d+\/?$/.test(pathname) ? undefined : `${form}; it lacks the number of the project at its end`;
}

/** Name of an environment in Sentry: https://docs.sentry.io/platforms/javascript/configuration/environments/. */
export function sentryEnvironmentProblem(name: string): string | undefined {
  return /^[^\s/]{1,64}$/.test(name) && name !== 'None'
    ? undefined
    : 'must be 1 to 64 characters without blanks and slashes, and not None';
}

/** The key that SendGrid shows for its signed Event Webhook: base64 of a public key for ECDSA. */
export function sendgridWebhookKeyProblem(key: string): string | undefined {
  try {
    const { asymmetricKeyType } = createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' });
    if (asymmetricKeyType === 'ec') return undefined;
  } catch {
    // Told below: it is not the base64 of a key at all.
  }
  return 'must be the verification key that SendGrid shows for its signed Event Webhook, on one line';
}

/** What a part of a fingerprint may refer to besides names under `jobs[].details`. */
export const FINGERPRINT_PLACEHOLDERS = ['stage', 'reason', 'source', 'job_type', 'target_id', 'kind'] as const;

/** A part of a fingerprint: text with names in braces. `{{ default }}` is Sentry's word for its own grouping. */
export function fingerprintProblem(part: string): string | undefined {
  if (part === '' || part.length > 200) return 'must be 1 to 200 characters';
  const rest = part.replaceAll(/\{\{[^{}]*\}\}/g, '').replaceAll(PLACEHOLDER, '');
  return /[{}]/.test(rest) ? 'has a brace without its partner, or no name between them; write {source_url}' : undefined;
}

/** The names that a part of a fingerprint refers to. */
export function placeholdersOf(part: string): readonly string[] {
  return [...part.matchAll(PLACEHOLDER)].map(([, name = '']) => name);
}

const PLACEHOLDER = /(?<!\{)\{(\w{1,100})\}(?!\})/g;

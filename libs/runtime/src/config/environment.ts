import { parseDuration } from '../duration.ts';
import type { ConfigProblem } from '../errors.ts';
import { adminUrlProblem } from './admin-url.ts';
import {
  routingKeyProblem,
  sendgridWebhookKeyProblem,
  sentryDsnProblem,
  slackChannelProblem,
  slackTokenProblem,
  webhookSecretProblem,
} from './channel-rules.ts';
import type { LogLevel } from './config.ts';
import { emailAddressProblem, splitAddresses } from './email-address.ts';
import type { EnvironmentVariables } from './interpolate.ts';
import { MASK, maskUrl } from './mask-url.ts';
import { nearestName, suggestName } from './nearest-name.ts';
import { hostProblem, portProblem } from './reliability-schema.ts';
import {
  apiKeyProblem,
  DURATION_BOUNDS,
  durationProblem,
  HTTP_PROTOCOLS,
  POSTGRES_PROTOCOLS,
  recipientsProblem,
  SMTP_PROTOCOLS,
  urlProblem,
} from './setting-rules.ts';

const LOG_LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** Shorter than this, a secret that signs links can be guessed. */
const SECRET_CHARACTERS_MIN = 16;

const OWN_VARIABLES = [
  'TOCSIN_CONFIG',
  'TOCSIN_SECRET',
  'TOCSIN_DIGEST_WINDOW',
  'TOCSIN_DETECTOR_PORT',
  'TOCSIN_NOTIFIER_PORT',
  'TOCSIN_HOST',
];

/** Where a worker listens; `off`: nowhere. */
export type PortSetting = number | 'off';

/**
 * What the file declares of channels. Variables that only complete declared channels (`WEBHOOK_SECRET`) are read when one
 * lacks the key: elsewhere they may belong to another program.
 */
export type DeclaredTypes = {
  readonly has: (type: string) => boolean;
  readonly lacks: (type: string, key: string) => boolean;
};

/** No channel is declared. */
const NO_TYPES: DeclaredTypes = { has: () => false, lacks: () => false };

/** The environment variables that mean something, checked. A variable that is unset, empty or wrong is absent. */
export type Environment = {
  readonly databaseUrl?: string;
  readonly jobsDatabaseUrl?: string;
  readonly janitorDatabaseUrl?: string;
  readonly emailTo?: readonly string[];
  readonly emailFrom?: string;
  readonly sendgridApiKey?: string;
  readonly sendgridBaseUrl?: string;
  readonly smtpUrl?: string;
  readonly slackWebhookUrl?: string;
  readonly slackSigningSecret?: string;
  readonly sendgridWebhookKey?: string;
  /** These complete declared channels; absent when none needs them. */
  readonly slackBotToken?: string;
  readonly slackChannel?: string;
  readonly webhookUrl?: string;
  readonly webhookSecret?: string;
  readonly pagerdutyRoutingKey?: string;
  readonly sentryDsn?: string;
  readonly deadmanUrl?: string;
  readonly host?: string;
  readonly detectorPort?: PortSetting;
  readonly notifierPort?: PortSetting;
  readonly adminUrl?: string;
  readonly publicUrl?: string;
  readonly secret?: string;
  readonly digestWindowMs?: number;
  readonly logLevel: LogLevel;
  /** Variables that are set but wrong, so that nobody also complains that they are missing. */
  readonly wrong: ReadonlySet<string>;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly string[];
};

/** Reads and checks every variable of the outer contract. Blanks around a value are dropped, since env files often keep them. */
export function readEnvironment(env: EnvironmentVariables, declared: DeclaredTypes = NO_TYPES): Environment {
  const problems: ConfigProblem[] = [];
  const wrong = new Set<string>();

  /** One variable through its rule; wrong values become problems that show the value through `show`. */
  const read = <Value>(
    name: string,
    problemOf: (text: string) => string | undefined,
    show: (text: string) => string,
    convert: (text: string) => Value,
  ): Value | undefined => {
    const value = env[name]?.replace(/^[ \t]+|[ \t]+$/g, '') ?? '';
    if (value.trim() === '') return undefined;
    const problem = problemOf(value);
    if (problem === undefined) return convert(value);
    wrong.add(name);
    problems.push({ path: name, message: `${problem}; got ${show(value)}` });
    return undefined;
  };
  const same = (value: string): string => value;
  const masked = (): string => MASK;
  const readUrl = (name: string, protocols: readonly string[]): string | undefined =>
    read(name, (value) => urlProblem(value, protocols), maskUrl, same);

  const databaseUrl = readUrl('DATABASE_URL', POSTGRES_PROTOCOLS);
  const jobsDatabaseUrl = readUrl('JOBS_DATABASE_URL', POSTGRES_PROTOCOLS);
  const janitorDatabaseUrl = readUrl('JANITOR_DATABASE_URL', POSTGRES_PROTOCOLS);
  const emailTo = read(
    'ALERT_EMAIL_TO',
    (value) => recipientsProblem(splitAddresses(value)),
    JSON.stringify,
    splitAddresses,
  );
  const emailFrom = read('ALERT_EMAIL_FROM', emailAddressProblem, JSON.stringify, same);
  const sendgridApiKey = read('SENDGRID_API_KEY', apiKeyProblem, masked, same);
  const sendgridBaseUrl = readUrl('SENDGRID_BASE_URL', HTTP_PROTOCOLS);
  const smtpUrl = readUrl('SMTP_URL', SMTP_PROTOCOLS);
  const slackWebhookUrl = readUrl('SLACK_WEBHOOK_URL', HTTP_PROTOCOLS);
  const slackSigningSecret = read('SLACK_SIGNING_SECRET', apiKeyProblem, masked, same);
  const sendgridWebhookKey = read('SENDGRID_WEBHOOK_KEY', sendgridWebhookKeyProblem, masked, same);
  const deadmanUrl = readUrl('DEADMAN_URL', HTTP_PROTOCOLS);
  const host = read('TOCSIN_HOST', hostProblem, JSON.stringify, same);
  const detectorPort = read('TOCSIN_DETECTOR_PORT', portProblem, JSON.stringify, portOf);
  const notifierPort = read('TOCSIN_NOTIFIER_PORT', portProblem, JSON.stringify, portOf);
  /** A variable that completes channels of one type, where one lacks that key. */
  const complete = (type: string, key: string, name: string, problemOf: (text: string) => string | undefined) =>
    declared.lacks(type, key) ? read(name, problemOf, masked, same) : undefined;
  const slackBotToken = complete('slack_bot', 'token', 'SLACK_BOT_TOKEN', slackTokenProblem);
  const slackChannel = complete('slack_bot', 'channel', 'SLACK_CHANNEL', slackChannelProblem);
  const webhookUrl = complete('webhook', 'url', 'WEBHOOK_URL', (value) => urlProblem(value, HTTP_PROTOCOLS));
  const webhookSecret = complete('webhook', 'secret', 'WEBHOOK_SECRET', webhookSecretProblem);
  const pagerdutyRoutingKey = complete('pagerduty', 'routing_key', 'PAGERDUTY_ROUTING_KEY', routingKeyProblem);
  const sentryDsn = complete('sentry', 'dsn', 'SENTRY_DSN', sentryDsnProblem);
  const adminUrl = read('ADMIN_URL', adminUrlProblem, JSON.stringify, same);
  const publicUrl = read('PUBLIC_URL', publicUrlProblem, maskUrl, (value) => value.replace(/\/+$/, ''));
  const secret = read('TOCSIN_SECRET', () => undefined, masked, same);
  const digestWindowMs = read(
    'TOCSIN_DIGEST_WINDOW',
    (value) => durationProblem(value, DURATION_BOUNDS.digestWindow),
    JSON.stringify,
    parseDuration,
  );
  const logLevel =
    read('LOG_LEVEL', logLevelProblem, JSON.stringify, (value) => value.toLowerCase() as LogLevel) ?? 'info';

  const warnings = mistypedVariables(env);
  if (secret !== undefined && secret.length < SECRET_CHARACTERS_MIN) {
    warnings.push(
      `TOCSIN_SECRET has fewer than ${SECRET_CHARACTERS_MIN} characters and could be guessed; use a long random one.`,
    );
  }
  for (const [name, type] of UNMISTAKABLE_VARIABLES) {
    if ((env[name]?.trim() ?? '') !== '' && !declared.has(type)) {
      warnings.push(`${name} is set, but no channel of type ${type} is declared; nothing is sent there.`);
    }
  }
  return {
    ...(databaseUrl !== undefined && { databaseUrl }),
    ...(jobsDatabaseUrl !== undefined && { jobsDatabaseUrl }),
    ...(janitorDatabaseUrl !== undefined && { janitorDatabaseUrl }),
    ...(emailTo !== undefined && { emailTo }),
    ...(emailFrom !== undefined && { emailFrom }),
    ...(sendgridApiKey !== undefined && { sendgridApiKey }),
    ...(sendgridBaseUrl !== undefined && { sendgridBaseUrl }),
    ...(smtpUrl !== undefined && { smtpUrl }),
    ...(slackWebhookUrl !== undefined && { slackWebhookUrl }),
    ...(slackSigningSecret !== undefined && { slackSigningSecret }),
    ...(sendgridWebhookKey !== undefined && { sendgridWebhookKey }),
    ...(slackBotToken !== undefined && { slackBotToken }),
    ...(slackChannel !== undefined && { slackChannel }),
    ...(webhookUrl !== undefined && { webhookUrl }),
    ...(webhookSecret !== undefined && { webhookSecret }),
    ...(pagerdutyRoutingKey !== undefined && { pagerdutyRoutingKey }),
    ...(sentryDsn !== undefined && { sentryDsn }),
    ...(deadmanUrl !== undefined && { deadmanUrl }),
    ...(host !== undefined && { host }),
    ...(detectorPort !== undefined && { detectorPort }),
    ...(notifierPort !== undefined && { notifierPort }),
    ...(adminUrl !== undefined && { adminUrl }),
    ...(publicUrl !== undefined && { publicUrl }),
    ...(secret !== undefined && { secret }),
    ...(digestWindowMs !== undefined && { digestWindowMs }),
    logLevel,
    wrong,
    problems,
    warnings,
  };
}

/** Variables nobody sets for another purpose, and the type of channel they are for. */
const UNMISTAKABLE_VARIABLES = [
  ['SLACK_BOT_TOKEN', 'slack_bot'],
  ['PAGERDUTY_ROUTING_KEY', 'pagerduty'],
] as const;

function portOf(port: string): PortSetting {
  return port === 'off' ? 'off' : Number(port);
}

function logLevelProblem(value: string): string | undefined {
  const level = value.toLowerCase();
  if (LOG_LEVELS.some((known) => known === level)) return undefined;
  return `must be one of ${LOG_LEVELS.join(', ')}${suggestName(level, LOG_LEVELS).replace(/^; valid:.*/, '')}`;
}

function publicUrlProblem(value: string): string | undefined {
  const problem = urlProblem(value, HTTP_PROTOCOLS);
  if (problem !== undefined) return problem;
  return /[?#]/.test(value) ? 'must not have a query or fragment, since paths are added to it' : undefined;
}

function mistypedVariables(env: EnvironmentVariables): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('TOCSIN_') && !OWN_VARIABLES.includes(name))
    .flatMap((name) => {
      const near = OWN_VARIABLES.find((known) => nearestName(name.slice(7), [known.slice(7)]) !== undefined);
      return near === undefined ? [] : [`The environment variable ${name} means nothing; did you mean ${near}?`];
    });
}

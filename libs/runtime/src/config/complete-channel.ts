import { resolve } from 'node:path';
import type { DeclaredChannel } from './channel-schema.ts';
import type { ChannelConfig } from './config.ts';
import { addressDomain } from './email-address.ts';
import type { Environment } from './environment.ts';

/** What a channel came to: ready for use, or what it lacks. */
export type CompletedChannel = {
  /** Absent when something is missing. */
  readonly channel?: ChannelConfig;
  /** By key of the channel: how to set it, and the environment variable that would do. */
  readonly missing: readonly { readonly key: string; readonly rule: string; readonly variable: string }[];
  readonly warnings: readonly string[];
};

/** Slack takes about one message a second per channel: https://docs.slack.dev/apis/web-api/rate-limits. */
const SLACK_RATE = { everyMs: 1_000, burst: 1 } as const;

/** Fills in from the environment what a channel leaves out. */
export function completeChannel(
  declared: DeclaredChannel,
  environment: Environment,
  directories: { readonly cwd: string; readonly stateDirectory: string },
): CompletedChannel {
  const missing: CompletedChannel['missing'][number][] = [];
  const warnings: string[] = [];
  const needed = <Value>(value: Value | undefined, key: string, variable: string, how: string): Value | undefined => {
    if (value === undefined) missing.push({ key, rule: `is missing; ${how}`, variable });
    return value;
  };
  const mail = (channel: { readonly to?: readonly string[] | undefined; readonly from?: string | undefined }) => {
    const how = 'write the recipients here or set ALERT_EMAIL_TO';
    const to = needed(channel.to ?? environment.emailTo, 'to', 'ALERT_EMAIL_TO', how);
    const [first] = to ?? [];
    if (to === undefined || first === undefined) return undefined;
    const given = channel.from ?? environment.emailFrom;
    if (given !== undefined) return { to, from: given };
    const from = `tocsin@${addressDomain(first)}`;
    warnings.push(
      `ALERT_EMAIL_FROM is not set; mail is sent from ${from}. Most providers refuse senders they do not know.`,
    );
    return { to, from };
  };
  const reference = (variable: string): string => `write "\${NAME}" here or set ${variable}`;
  const rateLimit = declared.rate_limit && { rateLimit: declared.rate_limit };

  const completed = (): ChannelConfig | undefined => {
    switch (declared.type) {
      case 'console':
        return { type: 'console', ...rateLimit };
      case 'outbox': {
        const directory =
          declared.directory === undefined
            ? resolve(directories.stateDirectory, 'outbox')
            : resolve(directories.cwd, declared.directory);
        return { type: 'outbox', directory, ...rateLimit };
      }
      case 'sendgrid': {
        const addresses = mail(declared);
        const key = declared.api_key ?? environment.sendgridApiKey;
        const apiKey = needed(key, 'api_key', 'SENDGRID_API_KEY', reference('SENDGRID_API_KEY'));
        const baseUrl = declared.base_url ?? environment.sendgridBaseUrl;
        if (addresses === undefined || apiKey === undefined) return undefined;
        return { type: 'sendgrid', ...addresses, apiKey, ...(baseUrl !== undefined && { baseUrl }), ...rateLimit };
      }
      case 'smtp': {
        const addresses = mail(declared);
        const url = needed(
          declared.url ?? environment.smtpUrl,
          'url',
          'SMTP_URL',
          'write smtp://… here or set SMTP_URL',
        );
        if (addresses === undefined || url === undefined) return undefined;
        return { type: 'smtp', ...addresses, url, ...rateLimit };
      }
      case 'slack_webhook': {
        const given = declared.url ?? environment.slackWebhookUrl;
        const url = needed(given, 'url', 'SLACK_WEBHOOK_URL', reference('SLACK_WEBHOOK_URL'));
        if (url === undefined) return undefined;
        return {
          type: 'slack_webhook',
          url,
          ...signingSecret(declared, environment),
          rateLimit: SLACK_RATE,
          ...rateLimit,
        };
      }
      case 'slack_bot': {
        const given = declared.token ?? environment.slackBotToken;
        const token = needed(given, 'token', 'SLACK_BOT_TOKEN', reference('SLACK_BOT_TOKEN'));
        const how = 'write the Slack channel here, such as C0123456789 or "#alerts", or set SLACK_CHANNEL';
        const channel = needed(declared.channel ?? environment.slackChannel, 'channel', 'SLACK_CHANNEL', how);
        if (token === undefined || channel === undefined) return undefined;
        return {
          type: 'slack_bot',
          token,
          channel,
          ...signingSecret(declared, environment),
          ...(declared.base_url !== undefined && { baseUrl: declared.base_url }),
          rateLimit: SLACK_RATE,
          ...rateLimit,
        };
      }
      case 'webhook': {
        const given = declared.url ?? environment.webhookUrl;
        const url = needed(given, 'url', 'WEBHOOK_URL', 'write https://… here or set WEBHOOK_URL');
        const secrets = declared.secret ?? environment.webhookSecret;
        const secret = needed(secrets, 'secret', 'WEBHOOK_SECRET', reference('WEBHOOK_SECRET'));
        if (url === undefined || secret === undefined) return undefined;
        const allowPrivate = declared.allow_private;
        return { type: 'webhook', url, secret, ...(allowPrivate !== undefined && { allowPrivate }), ...rateLimit };
      }
      case 'pagerduty': {
        const given = declared.routing_key ?? environment.pagerdutyRoutingKey;
        const how = reference('PAGERDUTY_ROUTING_KEY');
        const routingKey = needed(given, 'routing_key', 'PAGERDUTY_ROUTING_KEY', how);
        if (routingKey === undefined) return undefined;
        const baseUrl = declared.base_url;
        return { type: 'pagerduty', routingKey, ...(baseUrl !== undefined && { baseUrl }), ...rateLimit };
      }
      case 'sentry': {
        const dsn = needed(declared.dsn ?? environment.sentryDsn, 'dsn', 'SENTRY_DSN', reference('SENTRY_DSN'));
        if (dsn === undefined) return undefined;
        return {
          type: 'sentry',
          dsn,
          ...(declared.environment !== undefined && { environment: declared.environment }),
          ...(declared.fingerprints !== undefined && { fingerprints: declared.fingerprints.map(fingerprintOf) }),
          ...rateLimit,
        };
      }
      default:
        return declared satisfies never;
    }
  };
  const channel = completed();
  return { ...(channel !== undefined && { channel }), missing, warnings };
}

type Fingerprints = NonNullable<Extract<DeclaredChannel, { readonly type: 'sentry' }>['fingerprints']>;
type FingerprintConfig = NonNullable<Extract<ChannelConfig, { readonly type: 'sentry' }>['fingerprints']>[number];

function fingerprintOf({ match, fingerprint }: Fingerprints[number]): FingerprintConfig {
  return {
    match: {
      ...(match.source !== undefined && { source: match.source }),
      ...(match.job_type !== undefined && { jobType: match.job_type }),
      ...(match.kind !== undefined && { kind: match.kind }),
    },
    fingerprint,
  };
}

function signingSecret(
  declared: { readonly signing_secret?: string | undefined },
  environment: Environment,
): { readonly signingSecret?: string } {
  const secret = declared.signing_secret ?? environment.slackSigningSecret;
  return secret === undefined ? {} : { signingSecret: secret };
}

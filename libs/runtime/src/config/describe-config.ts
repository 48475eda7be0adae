import type { ChannelConfig, Config } from './config.ts';
import { MASK, maskUrl, maskUrlPath } from './mask-url.ts';

/** The effective configuration as `tocsin config check` shows it: the same keys as Config, with passwords, keys and secrets masked. */
export function describeConfig(config: Config): Readonly<Record<string, unknown>> {
  const channels = Object.entries(config.channels).map(([name, channel]) => [name, describeChannel(channel)]);
  return {
    ...config,
    ...maskedUrl('databaseUrl', config.databaseUrl),
    ...maskedUrl('jobsDatabaseUrl', config.jobsDatabaseUrl),
    ...(config.secret !== undefined && { secret: MASK }),
    ...(config.slackSigningSecret !== undefined && { slackSigningSecret: MASK }),
    ...(config.sendgridWebhookKey !== undefined && { sendgridWebhookKey: MASK }),
    jobs: config.jobs.map((job) => ({
      ...job,
      ...maskedUrl('databaseUrl', job.databaseUrl),
      ...maskedUrl('janitorDatabaseUrl', job.janitorDatabaseUrl),
    })),
    channels: Object.fromEntries(channels),
    selfWatch: {
      ...config.selfWatch,
      ...(config.selfWatch.deadmanUrl !== undefined && { deadmanUrl: maskUrlPath(config.selfWatch.deadmanUrl) }),
    },
  };
}

/**
 * Every literal secret in the configuration, for `createLogger`. URL passwords come as written and decoded; of a URL that
 * is a secret itself its path comes, too, since errors often name that alone.
 */
export function configSecrets(config: Config): readonly string[] {
  const urls = [
    config.databaseUrl,
    config.jobsDatabaseUrl,
    ...config.jobs.flatMap((job) => [job.databaseUrl, job.janitorDatabaseUrl]),
  ];
  const secrets: (string | undefined)[] = [
    config.secret,
    config.slackSigningSecret,
    ...secretUrl(config.selfWatch.deadmanUrl),
  ];
  for (const channel of Object.values(config.channels)) {
    switch (channel.type) {
      case 'sendgrid':
        secrets.push(channel.apiKey);
        urls.push(channel.baseUrl);
        break;
      case 'smtp':
        urls.push(channel.url);
        break;
      case 'slack_webhook':
        secrets.push(channel.signingSecret, ...secretUrl(channel.url));
        urls.push(channel.url);
        break;
      case 'slack_bot':
        secrets.push(channel.signingSecret, channel.token);
        urls.push(channel.baseUrl);
        break;
      case 'webhook':
        secrets.push(channel.secret, ...channel.secret.split(' ').flatMap(withoutPrefix), ...secretUrl(channel.url));
        urls.push(channel.url);
        break;
      case 'pagerduty':
        secrets.push(channel.routingKey);
        urls.push(channel.baseUrl);
        break;
      case 'sentry':
        secrets.push(channel.dsn);
        urls.push(channel.dsn);
        break;
      case 'outbox':
      case 'console':
        break;
      default:
        channel satisfies never;
    }
  }
  for (const url of urls) secrets.push(...passwords(url));
  return [...new Set(secrets.filter((secret) => secret !== undefined && secret !== ''))] as readonly string[];
}

function describeChannel(channel: ChannelConfig): Readonly<Record<string, unknown>> {
  switch (channel.type) {
    case 'sendgrid':
      return { ...channel, apiKey: MASK, ...maskedUrl('baseUrl', channel.baseUrl) };
    case 'smtp':
      return { ...channel, ...maskedUrl('url', channel.url) };
    case 'slack_webhook':
      return { ...channel, url: maskUrlPath(channel.url), ...maskedSigningSecret(channel) };
    case 'slack_bot':
      return { ...channel, token: MASK, ...maskedSigningSecret(channel), ...maskedUrl('baseUrl', channel.baseUrl) };
    case 'webhook':
      return { ...channel, url: maskUrlPath(channel.url), secret: MASK };
    case 'pagerduty':
      return { ...channel, routingKey: MASK, ...maskedUrl('baseUrl', channel.baseUrl) };
    case 'sentry':
      return { ...channel, ...maskedUrl('dsn', channel.dsn) };
    case 'outbox':
    case 'console':
      return channel;
    default:
      return channel satisfies never;
  }
}

function maskedSigningSecret(channel: { readonly signingSecret?: string }): Readonly<Record<string, string>> {
  return channel.signingSecret === undefined ? {} : { signingSecret: MASK };
}

function maskedUrl(key: string, url: string | undefined): Readonly<Record<string, string>> {
  return url === undefined ? {} : { [key]: maskUrl(url) };
}

/** A shorter path says nothing, and would be found in many other texts: `/hook`. */
const SECRET_PATH_CHARACTERS_MIN = 12;

/** A URL of which nobody can say that its path is no secret: whole, and path and query alone. */
function secretUrl(url: string | undefined): readonly string[] {
  const parsed = url === undefined ? null : URL.parse(url);
  if (url === undefined || parsed === null) return [];
  const path = `${parsed.pathname}${parsed.search}`;
  return [path, parsed.pathname]
    .filter((part) => part.length >= SECRET_PATH_CHARACTERS_MIN)
    .concat(path.length > 1 ? [url, parsed.href] : []);
}

function withoutPrefix(secret: string): readonly string[] {
  return [secret, secret.replace(/^whsec_/, '')];
}

function passwords(url: string | undefined): readonly (string | undefined)[] {
  const parsed = url === undefined ? null : URL.parse(url);
  if (parsed === null) return [];
  // A web address without a password has its token where the user would be.
  const written = parsed.password === '' && parsed.protocol.startsWith('http') ? parsed.username : parsed.password;
  return [written, decoded(written), parsed.searchParams.get('password') ?? undefined];
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone percent sign; the written form is in the list as well.
    return undefined;
  }
}

import type { ChannelConfig, Config } from './config.ts';
import { MASK, maskUrl } from './mask-url.ts';

/** The effective configuration as `tocsin config check` shows it: the same keys as Config, with passwords, keys and secrets masked. */
export function describeConfig(config: Config): Readonly<Record<string, unknown>> {
  const channels = Object.entries(config.channels).map(([name, channel]) => [name, describeChannel(channel)]);
  return {
    ...config,
    ...maskedUrl('databaseUrl', config.databaseUrl),
    ...maskedUrl('jobsDatabaseUrl', config.jobsDatabaseUrl),
    ...maskedUrl('slackWebhookUrl', config.slackWebhookUrl),
    ...(config.secret !== undefined && { secret: MASK }),
    jobs: config.jobs.map((job) => ({
      ...job,
      ...maskedUrl('databaseUrl', job.databaseUrl),
      ...maskedUrl('janitorDatabaseUrl', job.janitorDatabaseUrl),
    })),
    channels: Object.fromEntries(channels),
  };
}

/** Every literal secret in the configuration, for `createLogger`. URL passwords come as written and decoded. */
export function configSecrets(config: Config): readonly string[] {
  const urls = [
    config.databaseUrl,
    config.jobsDatabaseUrl,
    ...config.jobs.flatMap((job) => [job.databaseUrl, job.janitorDatabaseUrl]),
  ];
  const secrets = [config.secret, config.slackWebhookUrl];
  for (const channel of Object.values(config.channels)) {
    if (channel.type === 'sendgrid') {
      secrets.push(channel.apiKey);
      urls.push(channel.baseUrl);
    }
    if (channel.type === 'smtp') urls.push(channel.url);
  }
  for (const url of urls) secrets.push(...passwords(url));
  return [...new Set(secrets.filter((secret) => secret !== undefined && secret !== ''))] as readonly string[];
}

function describeChannel(channel: ChannelConfig): Readonly<Record<string, unknown>> {
  if (channel.type === 'sendgrid') return { ...channel, apiKey: MASK, ...maskedUrl('baseUrl', channel.baseUrl) };
  return channel.type === 'smtp' ? { ...channel, ...maskedUrl('url', channel.url) } : channel;
}

function maskedUrl(key: string, url: string | undefined): Readonly<Record<string, string>> {
  return url === undefined ? {} : { [key]: maskUrl(url) };
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

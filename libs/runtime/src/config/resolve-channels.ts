import { resolve } from 'node:path';
import { addressDomain } from './email-address.ts';
import type { ChannelConfig } from './config.ts';
import type { DeclaredChannel } from './config-schema.ts';
import type { RuleBreach } from './describe-issue.ts';
import type { Environment } from './environment.ts';

/** Names that may be used without being declared. */
export const BUILT_IN_CHANNELS = ['outbox', 'console'] as const;

/** Channels ready for use, and which of them the default route takes. */
export type ResolvedChannels = {
  readonly channels: Readonly<Record<string, ChannelConfig>>;
  readonly defaultRoute: { readonly channels: readonly string[]; readonly fallback: readonly string[] };
  readonly breaches: readonly RuleBreach[];
  readonly warnings: readonly string[];
};

type MailSettings = { readonly to: readonly string[]; readonly from: string };

/**
 * Completes declared channels from the environment; with none declared, makes them from the environment: `email`
 * through SendGrid if there is a key, else through SMTP, and with both `email-smtp` as fallback. Without either, mail goes to the
 * local outbox. A path in a breach of one element names an environment variable.
 */
export function resolveChannels(
  declared: Readonly<Record<string, DeclaredChannel>>,
  hasDeclarations: boolean,
  environment: Environment,
  directories: { readonly cwd: string; readonly stateDirectory: string },
): ResolvedChannels {
  const breaches: RuleBreach[] = [];
  const warnings = new Set<string>();
  const channels: Record<string, ChannelConfig> = {
    outbox: { type: 'outbox', directory: resolve(directories.stateDirectory, 'outbox') },
    console: { type: 'console' },
  };
  const missing = (path: RuleBreach['path'], rule: string, variable: string): void => {
    // A variable that is set but wrong has its own problem already.
    if (!environment.wrong.has(variable)) breaches.push({ path, rule, showsValue: false });
  };
  const complete = (name: string, channel: DeclaredChannel, mailPath: (key: string) => RuleBreach['path']): void => {
    if (channel.type === 'console') channels[name] = { type: 'console' };
    if (channel.type === 'outbox') {
      const directory =
        channel.directory === undefined
          ? resolve(directories.stateDirectory, 'outbox')
          : resolve(directories.cwd, channel.directory);
      channels[name] = { type: 'outbox', directory };
    }
    if (channel.type !== 'sendgrid' && channel.type !== 'smtp') return;
    const mail = mailSettings(channel, environment, warnings);
    if (mail === undefined) {
      missing(
        mailPath('to'),
        hasDeclarations ? 'is missing; write the recipients here or set ALERT_EMAIL_TO' : NO_RECIPIENTS,
        'ALERT_EMAIL_TO',
      );
    }
    if (channel.type === 'sendgrid') {
      const apiKey = channel.api_key ?? environment.sendgridApiKey;
      const baseUrl = channel.base_url ?? environment.sendgridBaseUrl;
      if (apiKey === undefined)
        missing(mailPath('api_key'), 'is missing; write "${NAME}" here or set SENDGRID_API_KEY', 'SENDGRID_API_KEY');
      else if (mail) channels[name] = { type: 'sendgrid', ...mail, apiKey, ...(baseUrl !== undefined && { baseUrl }) };
    } else {
      const url = channel.url ?? environment.smtpUrl;
      if (url === undefined) missing(mailPath('url'), 'is missing; write smtp://… here or set SMTP_URL', 'SMTP_URL');
      else if (mail) channels[name] = { type: 'smtp', ...mail, url };
    }
  };

  if (hasDeclarations) {
    for (const [name, channel] of Object.entries(declared)) {
      if (BUILT_IN_CHANNELS.some((builtIn) => builtIn === name) && channel.type !== name) {
        breaches.push({
          path: ['channels', name, 'type'],
          rule: `the name ${name} is kept for a channel of type ${name}; choose another name`,
          showsValue: true,
        });
      }
      complete(name, channel, (key) => ['channels', name, key]);
    }
    return { channels, defaultRoute: defaultForDeclared(declared), breaches, warnings: [...warnings] };
  }

  const fromEnvironment: (readonly [string, DeclaredChannel])[] = [];
  if (environment.sendgridApiKey !== undefined) fromEnvironment.push(['email', { type: 'sendgrid' }]);
  if (environment.smtpUrl !== undefined)
    fromEnvironment.push([fromEnvironment.length > 0 ? 'email-smtp' : 'email', { type: 'smtp' }]);
  for (const [name, channel] of fromEnvironment) {
    if (name === 'email') complete(name, channel, () => ['ALERT_EMAIL_TO']);
    else if (environment.emailTo !== undefined) complete(name, channel, () => ['ALERT_EMAIL_TO']);
  }
  if (fromEnvironment.length === 0) {
    const ignored = environment.emailTo === undefined ? '' : ' ALERT_EMAIL_TO is not used.';
    warnings.add(
      `No e-mail channel: set SENDGRID_API_KEY or SMTP_URL. Until then alerts are only written to the local outbox.${ignored}`,
    );
    return { channels, defaultRoute: { channels: ['outbox'], fallback: [] }, breaches, warnings: [...warnings] };
  }
  const fallback = fromEnvironment.slice(1).map(([name]) => name);
  return { channels, defaultRoute: { channels: ['email'], fallback }, breaches, warnings: [...warnings] };
}

const NO_RECIPIENTS =
  'is not set, but an e-mail provider is (SENDGRID_API_KEY or SMTP_URL); set it to the addresses to tell, separated by commas';

function mailSettings(
  channel: { readonly to?: readonly string[] | undefined; readonly from?: string | undefined },
  environment: Environment,
  warnings: Set<string>,
): MailSettings | undefined {
  const to = channel.to ?? environment.emailTo;
  const first = to?.[0];
  if (to === undefined || first === undefined) return undefined;
  const given = channel.from ?? environment.emailFrom;
  if (given !== undefined) return { to, from: given };
  const from = `tocsin@${addressDomain(first)}`;
  warnings.add(
    `ALERT_EMAIL_FROM is not set; mail is sent from ${from}. Most providers refuse senders they do not know.`,
  );
  return { to, from };
}

/** E-mail first, since that is what reaches people; further ones stand in if it fails, so that nobody is told twice unasked. */
function defaultForDeclared(declared: Readonly<Record<string, DeclaredChannel>>): ResolvedChannels['defaultRoute'] {
  const names = Object.keys(declared);
  const mail = names.filter((name) => declared[name]?.type === 'sendgrid' || declared[name]?.type === 'smtp');
  const [first, ...rest] = mail.length > 0 ? mail : names.slice(0, 1);
  return { channels: [first ?? 'outbox'], fallback: rest };
}

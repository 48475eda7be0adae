import { resolve } from 'node:path';
import type { DeclaredChannel } from './channel-schema.ts';
import { completeChannel } from './complete-channel.ts';
import type { ChannelConfig } from './config.ts';
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

/** Types of channels that reach people, those first that every one of them has. Sentry keeps what it is told for who looks. */
const REACHING_TYPES = ['sendgrid', 'smtp', 'slack_bot', 'slack_webhook', 'pagerduty', 'webhook', 'sentry'] as const;

/**
 * Completes declared channels from the environment; with none declared, makes them from the environment: `email`
 * through SendGrid if there is a key, else through SMTP, and with both `email-smtp` as fallback; `slack` beside it if there
 * is a webhook. Without any of them, mail goes to the local outbox. A path in a breach of one element names an environment variable.
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
  const complete = (name: string, channel: DeclaredChannel): void => {
    const completed = completeChannel(channel, environment, directories);
    for (const warning of completed.warnings) warnings.add(warning);
    for (const { key, rule, variable } of completed.missing) {
      // A variable that is set but wrong has its own problem already.
      if (environment.wrong.has(variable)) continue;
      breaches.push(
        hasDeclarations
          ? { path: ['channels', name, key], rule, showsValue: false }
          : { path: [variable], rule: NO_RECIPIENTS, showsValue: false },
      );
    }
    if (completed.channel !== undefined) channels[name] = completed.channel;
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
      complete(name, channel);
    }
    const types = new Set(Object.values(declared).map(({ type }) => type));
    if (environment.slackWebhookUrl !== undefined && !types.has('slack_webhook')) {
      warnings.add(
        'SLACK_WEBHOOK_URL is set, but no channel of type slack_webhook is declared; nothing is sent there.',
      );
    }
    return { channels, defaultRoute: defaultForDeclared(declared), breaches, warnings: [...warnings] };
  }

  const mail: string[] = [];
  if (environment.sendgridApiKey !== undefined) {
    complete('email', { type: 'sendgrid' });
    mail.push('email');
  }
  if (environment.smtpUrl !== undefined) {
    const name = mail.length > 0 ? 'email-smtp' : 'email';
    // Recipients that are missing are told once.
    if (name === 'email' || environment.emailTo !== undefined) complete(name, { type: 'smtp' });
    mail.push(name);
  }
  const slack = environment.slackWebhookUrl === undefined ? [] : ['slack'];
  if (slack.length > 0) complete('slack', { type: 'slack_webhook' });
  const [email, ...fallback] = mail;
  if (email === undefined) {
    const ignored = environment.emailTo === undefined ? '' : ' ALERT_EMAIL_TO is not used.';
    const meanwhile = slack.length > 0 ? 'told in Slack only' : 'only written to the local outbox';
    warnings.add(`No e-mail channel: set SENDGRID_API_KEY or SMTP_URL. Until then alerts are ${meanwhile}.${ignored}`);
  }
  const told = [...(email === undefined ? [] : [email]), ...slack];
  const defaultRoute = { channels: told.length === 0 ? ['outbox'] : told, fallback };
  return { channels, defaultRoute, breaches, warnings: [...warnings] };
}

const NO_RECIPIENTS =
  'is not set, but an e-mail provider is (SENDGRID_API_KEY or SMTP_URL); set it to the addresses to tell, separated by commas';

/** E-mail first, since that is what reaches people; further ones stand in if it fails, so that nobody is told twice unasked. */
function defaultForDeclared(declared: Readonly<Record<string, DeclaredChannel>>): ResolvedChannels['defaultRoute'] {
  const names = Object.keys(declared);
  const reaching = REACHING_TYPES.flatMap((type) => names.filter((name) => declared[name]?.type === type));
  const mail = names.filter((name) => declared[name]?.type === 'sendgrid' || declared[name]?.type === 'smtp');
  const others = reaching.filter((name) => !mail.includes(name));
  const ordered = [...mail, ...others];
  const [first, ...rest] = ordered.length > 0 ? ordered : names.slice(0, 1);
  return { channels: [first ?? 'outbox'], fallback: rest };
}

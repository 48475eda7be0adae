import type { ChannelConfig } from '@tocsin/runtime';
import { cleanLine } from './clean-line.ts';

/**
 * Whom a channel reaches, for people, in one clean line without secrets: addresses of mail, the channel of a Slack bot, else
 * the host. Of what is only an address, the path is a secret.
 */
export const channelText = (name: string, channel: ChannelConfig | undefined): string =>
  cleanLine(channel === undefined ? name : textOf(name, channel));

const textOf = (name: string, channel: ChannelConfig): string => {
  switch (channel.type) {
    case 'sendgrid':
    case 'smtp':
      return `${channel.to.join(', ')} (${channel.type})`;
    case 'slack_bot':
      return `${channel.channel} in Slack`;
    case 'slack_webhook':
      return `Slack, by the webhook "${name}"`;
    case 'webhook':
      return `${hostOf(channel.url)} (webhook)`;
    case 'pagerduty':
      return 'PagerDuty';
    case 'sentry':
      return `Sentry at ${hostOf(channel.dsn)}`;
    case 'outbox':
      return `the files in ${channel.directory}`;
    case 'console':
      return name;
    default:
      return channel satisfies never;
  }
};

const hostOf = (address: string): string => URL.parse(address)?.host ?? 'an address that is none';

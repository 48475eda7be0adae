import type { Channel, ChannelConfig, ChannelLog } from './channel.ts';
import { createConsoleChannel } from './console/console-channel.ts';
import { rejectWithoutLibrary } from './missing-library.ts';
import { createOutboxChannel } from './outbox/outbox-channel.ts';
import { createPagerDutyChannel } from './pagerduty/pagerduty-channel.ts';
import { createSendGridChannel } from './sendgrid/sendgrid-channel.ts';
import { createSentryChannel } from './sentry/sentry-channel.ts';
import { createSlackBotChannel } from './slack/slack-bot-channel.ts';
import { createSlackWebhookChannel } from './slack/slack-webhook-channel.ts';
import { createSmtpChannel } from './smtp/smtp-channel.ts';
import { createWebhookChannel } from './webhook/webhook-channel.ts';

/** What every channel may use besides its own settings. */
export interface ChannelSurroundings {
  readonly log: ChannelLog;
  /** Base URL of Tocsin's console, named as the source of webhooks. Default: none. */
  readonly publicUrl?: string | null | undefined;
}

/**
 * Makes the channel that a configuration describes. Opens no connection and loads no provider's library; the first attempt
 * does both.
 *
 * @param name the channel's name in the configuration
 * @throws TocsinError `CHANNEL_MISCONFIGURED` when the settings cannot be used, such as a URL that is none
 */
export const createChannel = (name: string, config: ChannelConfig, surroundings: ChannelSurroundings): Channel =>
  rejectWithoutLibrary(channelOf(name, config, surroundings));

const channelOf = (name: string, config: ChannelConfig, surroundings: ChannelSurroundings): Channel => {
  switch (config.type) {
    case 'sendgrid':
      return createSendGridChannel(name, config);
    case 'smtp':
      return createSmtpChannel(name, config, surroundings);
    case 'slack_webhook':
      return createSlackWebhookChannel(name, config);
    case 'slack_bot':
      return createSlackBotChannel(name, config, surroundings);
    case 'webhook':
      return createWebhookChannel(name, config, surroundings);
    case 'pagerduty':
      return createPagerDutyChannel(name, config);
    case 'sentry':
      return createSentryChannel(name, config);
    case 'outbox':
      return createOutboxChannel(name, config);
    case 'console':
      return createConsoleChannel(name, surroundings);
    default:
      return config satisfies never;
  }
};

import type { Channel, ChannelConfig, ChannelLog } from './channel.ts';
import { createConsoleChannel } from './console/console-channel.ts';
import { rejectWithoutLibrary } from './missing-library.ts';
import { createOutboxChannel } from './outbox/outbox-channel.ts';
import { createSendGridChannel } from './sendgrid/sendgrid-channel.ts';
import { createSmtpChannel } from './smtp/smtp-channel.ts';

/** What every channel may use besides its own settings. */
export interface ChannelSurroundings {
  readonly log: ChannelLog;
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
    case 'outbox':
      return createOutboxChannel(name, config);
    case 'console':
      return createConsoleChannel(name, surroundings);
    default:
      return config satisfies never;
  }
};

/**
 * Ways to tell someone, behind one interface: SendGrid, SMTP, a local mailbox, the log. A channel makes single attempts
 * and says truthfully what came of each; when to try again, and through which channel, is decided elsewhere.
 */
export { createChannel } from './create-channel.ts';
export type { ChannelSurroundings } from './create-channel.ts';
export type {
  Channel,
  ChannelConfig,
  ChannelLog,
  ConsoleConfig,
  OutboxConfig,
  Outgoing,
  SendGridConfig,
  SendOptions,
  SmtpConfig,
} from './channel.ts';
export { detailCharactersMax } from './safe-detail.ts';

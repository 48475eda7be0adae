/**
 * Ways to tell someone, behind one interface: SendGrid, SMTP, Slack, webhooks, PagerDuty, Sentry, a local mailbox, the log.
 * A channel makes single attempts and says truthfully what came of each; when to try again, and through which channel, is
 * decided elsewhere.
 */
export { createChannel } from './create-channel.ts';
export type { ChannelSurroundings } from './create-channel.ts';
export type {
  Channel,
  ChannelCheck,
  ChannelConfig,
  ChannelLog,
  ConsoleConfig,
  OutboxConfig,
  Outgoing,
  PagerDutyConfig,
  SendGridConfig,
  SendOptions,
  SentryConfig,
  SentryFingerprint,
  SlackBotConfig,
  SlackWebhookConfig,
  SmtpConfig,
  WebhookConfig,
} from './channel.ts';
export { detailCharactersMax } from './safe-detail.ts';
export { slackClockToleranceMs, verifySlackRequest } from './slack/verify-slack-request.ts';
export type { SlackHookRequest } from './slack/verify-slack-request.ts';
export { parseSlackAction } from './slack/parse-slack-action.ts';
export type { SlackAction } from './slack/parse-slack-action.ts';
export { parseSendGridKey, sendGridClockToleranceMs, verifySendGridEvents } from './sendgrid/verify-sendgrid-events.ts';
export type { SendGridHookRequest, SendGridVerdict } from './sendgrid/verify-sendgrid-events.ts';
export { eventsPerRequestMax, parseSendGridEvents } from './sendgrid/parse-sendgrid-events.ts';
export type { SendGridEvent, SendGridEvents } from './sendgrid/parse-sendgrid-events.ts';

import { z } from 'zod';
import {
  fingerprintProblem,
  routingKeyProblem,
  sentryDsnProblem,
  sentryEnvironmentProblem,
  slackChannelProblem,
  slackTokenProblem,
  webhookSecretProblem,
} from './channel-rules.ts';
import { emailAddressProblem, splitAddresses } from './email-address.ts';
import { KINDS } from './rule-schema.ts';
import { apiKeyProblem, DURATION_BOUNDS, HTTP_PROTOCOLS, recipientsProblem, SMTP_PROTOCOLS } from './setting-rules.ts';
import { checkedText, count, duration, listOf, oneOrMany, patterns, text, url } from './setting-schemas.ts';

const RATE_MESSAGES_MAX = 10_000;
/** Most rules for fingerprints of one channel. */
const FINGERPRINTS_MAX = 100;
/** Most parts of one fingerprint. */
const FINGERPRINT_PARTS_MAX = 10;

const recipients = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? splitAddresses(value) : value))
  .superRefine((addresses, context) => {
    const problem = recipientsProblem(addresses);
    if (problem !== undefined) context.addIssue(problem);
  });

const rateLimit = z
  .strictObject(
    {
      messages: count(1, RATE_MESSAGES_MAX).describe('That many at once …'),
      per: duration(DURATION_BOUNDS.ratePer).describe('… and as many in this time.'),
    },
    {
      error: ({ code }) =>
        code === 'invalid_type'
          ? 'must be a mapping, such as { messages: 1, per: 1s }; leave it out for no limit'
          : undefined,
    },
  )
  .transform(({ messages, per }) => ({ everyMs: Math.ceil(per / messages), burst: messages }));

const limited = (standard: string) => ({
  rate_limit: rateLimit
    .describe(`Messages the channel may send, counted over all notifiers. Default: ${standard}.`)
    .optional(),
});

const mailFields = {
  to: recipients.describe('Recipients, as a list or separated by commas. Default: ALERT_EMAIL_TO.').optional(),
  from: checkedText(emailAddressProblem)
    .describe("Sender. Default: ALERT_EMAIL_FROM, else tocsin@ the first recipient's domain.")
    .optional(),
};

const signingSecret = checkedText(apiKeyProblem)
  .describe('Verifies clicks on buttons; with it messages have an Acknowledge button. Default: SLACK_SIGNING_SECRET.')
  .optional();

const fingerprint = z.strictObject({
  match: z
    .strictObject({
      source: patterns.describe('Sources: one pattern or a list.').optional(),
      job_type: patterns.describe('Job types: one pattern or a list.').optional(),
      kind: oneOrMany(z.enum(KINDS)).describe('What is wrong with the job: one kind or a list.').optional(),
    })
    .describe('Which alerts it is for. A field left out matches everything.'),
  fingerprint: listOf(checkedText(fingerprintProblem), 'the list is empty; write at least one part')
    .max(FINGERPRINT_PARTS_MAX, `must have at most ${FINGERPRINT_PARTS_MAX} parts`)
    .describe('What Sentry groups by: texts, in which {stage}, {reason} and the like are filled in.'),
});

/** One entry of `channels`; exported because each is completed from the environment even if another one is wrong. */
export const channelSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('sendgrid').describe('E-mail through SendGrid.'),
    ...mailFields,
    api_key: checkedText(apiKeyProblem).describe('API key, best as "${NAME}". Default: SENDGRID_API_KEY.').optional(),
    base_url: url(HTTP_PROTOCOLS)
      .describe('Address of the API. Default: SENDGRID_BASE_URL, else that of SendGrid.')
      .optional(),
    ...limited('none'),
  }),
  z.strictObject({
    type: z.literal('smtp').describe('E-mail through an SMTP server.'),
    ...mailFields,
    url: url(SMTP_PROTOCOLS)
      .describe('smtp:// or smtps:// address with user and password. Default: SMTP_URL.')
      .optional(),
    ...limited('none'),
  }),
  z.strictObject({
    type: z.literal('slack_bot').describe("Slack by an app's bot: one living message per conversation."),
    token: checkedText(slackTokenProblem)
      .describe('Token of the bot, best as "${NAME}". Default: SLACK_BOT_TOKEN.')
      .optional(),
    channel: checkedText(slackChannelProblem)
      .describe('Slack channel, by id or name. Default: SLACK_CHANNEL.')
      .optional(),
    signing_secret: signingSecret,
    base_url: url(HTTP_PROTOCOLS).describe('Address of the API. Default: that of Slack.').optional(),
    ...limited('1 per 1s'),
  }),
  z.strictObject({
    type: z.literal('slack_webhook').describe('Slack by an incoming webhook: new messages only.'),
    url: url(HTTP_PROTOCOLS)
      .describe('Address of the webhook, best as "${NAME}". Default: SLACK_WEBHOOK_URL.')
      .optional(),
    signing_secret: signingSecret,
    ...limited('1 per 1s'),
  }),
  z.strictObject({
    type: z.literal('pagerduty').describe("PagerDuty's Events API v2."),
    routing_key: checkedText(routingKeyProblem)
      .describe('Integration key of the service, best as "${NAME}". Default: PAGERDUTY_ROUTING_KEY.')
      .optional(),
    base_url: url(HTTP_PROTOCOLS).describe('Address of the API. Default: that of PagerDuty.').optional(),
    ...limited('none'),
  }),
  z.strictObject({
    type: z.literal('webhook').describe('An HTTP endpoint that is told by signed requests.'),
    url: url(HTTP_PROTOCOLS).describe('Address that is told. Default: WEBHOOK_URL.').optional(),
    secret: checkedText(webhookSecretProblem)
      .describe(
        'whsec_ key; several separated by blanks, the newest first, while they are changed. Default: WEBHOOK_SECRET.',
      )
      .optional(),
    allow_private: z
      .boolean()
      .describe('True: private, loopback and link-local addresses may be told, too. Default: false.')
      .optional(),
    ...limited('none'),
  }),
  z.strictObject({
    type: z.literal('sentry').describe('Sentry by a DSN.'),
    dsn: checkedText(sentryDsnProblem).describe('DSN of the project. Default: SENTRY_DSN.').optional(),
    environment: checkedText(sentryEnvironmentProblem).describe('Environment in Sentry. Default: none.').optional(),
    fingerprints: z
      .array(fingerprint)
      .max(FINGERPRINTS_MAX, `must have at most ${FINGERPRINTS_MAX} entries`)
      .describe('What Sentry groups alerts by; the first that matches. Default: source, job type and cause.')
      .optional(),
    ...limited('none'),
  }),
  z.strictObject({
    type: z.literal('outbox').describe('Mail written to a local directory.'),
    directory: text.describe('Where to. Default: .tocsin/outbox in the working directory.').optional(),
    ...limited('none'),
  }),
  z.strictObject({
    type: z.literal('console').describe("Text on the process's own output."),
    ...limited('none'),
  }),
]);

/** One declared channel after parsing, not yet completed from the environment. */
export type DeclaredChannel = z.output<typeof channelSchema>;

import { startSendGridDouble, startSlackDouble, startWebhookDouble } from '@tocsin/testing';
import type { SendGridDouble, SlackDouble, SlackDoubleMessage, SmtpDouble, WebhookDouble } from '@tocsin/testing';
import type { AcceptedByProvider } from './ledger.ts';
import { recipient, sender } from './stage.ts';

/** Doubles of four providers, beside the mail server of a stage; each checks what the provider checks. */
export interface Providers {
  readonly sendGrid: SendGridDouble;
  readonly slack: SlackDouble;
  readonly webhook: WebhookDouble;
  /** `channels` of tocsin.yaml: `mail` (SMTP), `grid` (SendGrid), `chat` (Slack's bot), `hook` (webhook). */
  readonly channels: Readonly<Record<string, unknown>>;
  /** What each has taken, as often as it did. */
  readonly accepted: (smtp: Pick<SmtpDouble, 'messages'>) => readonly Required<AcceptedByProvider>[];
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

/** Key that signs the clicks on the double's buttons. */
export const slackSigningSecret = 'a-signing-secret-for-tests-only';

/** Channels, in the order of `Providers.channels`. */
export const providerChannels = ['mail', 'grid', 'chat', 'hook'] as const;

/** Starts the doubles. */
export const startProviders = async (): Promise<Providers> => {
  const [sendGrid, slack, webhook] = await Promise.all([
    startSendGridDouble({ apiKey: 'SG.e2e-key.that-only-the-double-accepts' }),
    startSlackDouble(),
    startWebhookDouble(),
  ]);
  const mail = { to: [recipient], from: sender };
  return {
    sendGrid,
    slack,
    webhook,
    channels: {
      mail: { type: 'smtp', ...mail },
      grid: { type: 'sendgrid', ...mail, api_key: sendGrid.apiKey, base_url: sendGrid.baseUrl },
      chat: {
        type: 'slack_bot',
        token: slack.token,
        channel: slack.channel,
        signing_secret: slackSigningSecret,
        base_url: slack.apiUrl,
        rate_limit: { messages: 100, per: '1s' },
      },
      hook: { type: 'webhook', url: webhook.url, secret: webhook.secret, allow_private: true },
    },
    accepted: (smtp) => [
      ...smtp.messages().map(({ messageId }) => ({ messageId, channel: 'mail' })),
      ...sendGrid.messages().map(({ headers }) => ({ messageId: headers['Message-ID'] ?? '', channel: 'grid' })),
      ...slack.messages().map((message) => ({ messageId: deliveryOf(message), channel: 'chat' })),
      ...webhook.taken().map(({ id }) => ({ messageId: id, channel: 'hook' })),
    ],
    [Symbol.asyncDispose]: async () => {
      await Promise.all([sendGrid.stop(), slack.stop(), webhook.stop()]);
    },
  };
};

/** The delivery that a message in Slack is of, by what no reader sees. */
export const deliveryOf = ({ metadata }: Pick<SlackDoubleMessage, 'metadata'>): string => {
  const { event_payload: payload } = (metadata ?? {}) as {
    readonly event_payload?: { readonly delivery_id?: string };
  };
  return payload?.delivery_id ?? '';
};

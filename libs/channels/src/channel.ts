import type { DeliveryOutcome, DigestMessage } from '@tocsin/alert-model';

/** Settings of one channel, already checked. Fits the configuration's own type; addresses are `ada@example.com` or `Ada <ada@example.com>`. */
export type ChannelConfig =
  | SendGridConfig
  | SmtpConfig
  | SlackWebhookConfig
  | SlackBotConfig
  | WebhookConfig
  | PagerDutyConfig
  | SentryConfig
  | OutboxConfig
  | ConsoleConfig;

export interface SendGridConfig {
  readonly type: 'sendgrid';
  readonly to: readonly string[];
  readonly from: string;
  readonly apiKey: string;
  /** Default: `https://api.sendgrid.com`. */
  readonly baseUrl?: string | undefined;
}

export interface SmtpConfig {
  readonly type: 'smtp';
  /** `smtp://` or `smtps://`, see `parseSmtpUrl`. */
  readonly url: string;
  readonly to: readonly string[];
  readonly from: string;
}

/** An incoming webhook of Slack: posts new messages only, since Slack answers without the message's identity. */
export interface SlackWebhookConfig {
  readonly type: 'slack_webhook';
  readonly url: string;
  /** Set when Slack sends button clicks to `/hooks/slack`: then messages carry an Acknowledge button. */
  readonly signingSecret?: string | undefined;
}

/** A Slack app's bot: one living message per conversation, updated, with what follows in its thread. */
export interface SlackBotConfig {
  readonly type: 'slack_bot';
  readonly token: string;
  /** Id or name of the Slack channel. */
  readonly channel: string;
  readonly signingSecret?: string | undefined;
  /** Default: `https://slack.com/api/`. */
  readonly baseUrl?: string | undefined;
}

/** An HTTP endpoint: a CloudEvents body with Standard Webhooks headers. */
export interface WebhookConfig {
  readonly type: 'webhook';
  readonly url: string;
  /** `whsec_…`, several separated by blanks while keys are rotated; the first is the newest. */
  readonly secret: string;
  /** Private, loopback and link-local addresses are refused unless this is true. Default: false. */
  readonly allowPrivate?: boolean | undefined;
}

/** PagerDuty's Events API v2. */
export interface PagerDutyConfig {
  readonly type: 'pagerduty';
  readonly routingKey: string;
  /** Default: `https://events.pagerduty.com/`. */
  readonly baseUrl?: string | undefined;
}

export interface SentryConfig {
  readonly type: 'sentry';
  readonly dsn: string;
  readonly environment?: string | undefined;
  /** First match wins; `{stage}`, `{reason}`, `{source}`, `{job_type}`, `{target_id}`, `{kind}` and details' fields are filled in. */
  readonly fingerprints?: readonly SentryFingerprint[] | undefined;
}

export interface SentryFingerprint {
  /** Globs; absent means anything. */
  readonly match: {
    readonly source?: readonly string[];
    readonly jobType?: readonly string[];
    readonly kind?: readonly string[];
  };
  readonly fingerprint: readonly string[];
}

export interface OutboxConfig {
  readonly type: 'outbox';
  readonly directory: string;
  /** Keeps the messages of that many newest deliveries and removes older ones; at least 1. Default: keeps all. */
  readonly keep?: number | undefined;
}

export interface ConsoleConfig {
  readonly type: 'console';
}

/** What is to be sent, and under which identities. A repeated attempt carries the same `deliveryId` and `messageId`. */
export interface Outgoing {
  readonly message: DigestMessage;
  readonly deliveryId: string;
  readonly attemptId: string;
  /**
   * Part of the Message-ID before the @. The same for every attempt at a delivery, so that mail programs show a message
   * sent twice once. The first message of a thread has its `threadId` here.
   */
  readonly messageId: string;
  /**
   * What the provider called the first accepted message of this conversation on this channel (`providerMessageId` of its
   * outcome); null when there is none. Default: null.
   */
  readonly rootId?: string | null;
  /** An earlier attempt at this delivery may have been accepted: where the provider can be asked, it is asked first. */
  readonly mayHaveArrived?: boolean;
}

export interface SendOptions {
  /** Ends the attempt early, for a process that stops. What was sent by then is reported as `unknown`. */
  readonly signal: AbortSignal;
  /** Bound on the whole attempt, in milliseconds. */
  readonly timeoutMs: number;
}

/** One way to tell someone. */
export interface Channel {
  readonly name: string;
  readonly type: ChannelConfig['type'];
  /** Whom it reaches: addresses, a host, a directory, or the log. */
  readonly recipients: readonly string[];
  /**
   * Makes one attempt. Every expected failure is an outcome with a reason of the closed list and a detail of at most
   * 500 characters without secrets. Throws only for bugs and corrupt data. Never tries twice by itself: that is the
   * ledger's decision.
   */
  send(outgoing: Outgoing, options: SendOptions): Promise<DeliveryOutcome>;
  /**
   * Looks whether the settings work, without telling anybody: SendGrid's sandbox, SMTP's greeting and login, Slack's
   * `auth.test`. Absent where a provider has no such thing.
   */
  check?(options: SendOptions): Promise<ChannelCheck>;
  /**
   * Loads what the first attempt would load: libraries, templates. For a process that is about to send, so that its first
   * message does not wait for it. Sends nothing and makes no connection. Rejects where a library is missing, which the
   * first attempt reports as an outcome; so ignore it. Absent where there is nothing to load.
   */
  warmUp?(): Promise<void>;
  /** Frees what the channel holds. Attempts under way are not ended by it. */
  close(): Promise<void>;
}

/** What a check came to; `detail` is at most 500 characters, without secrets. */
export interface ChannelCheck {
  readonly ok: boolean;
  readonly detail: string;
}

/** The part of the process's log that channels write to; pino's loggers fit. */
export interface ChannelLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

import type { DeliveryOutcome, DigestMessage } from '@tocsin/alert-model';

/** Settings of one channel, already checked. Fits the configuration's own type; addresses are `ada@example.com` or `Ada <ada@example.com>`. */
export type ChannelConfig = SendGridConfig | SmtpConfig | OutboxConfig | ConsoleConfig;

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

export interface OutboxConfig {
  readonly type: 'outbox';
  readonly directory: string;
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
  /** Whom it reaches: addresses, a directory, or the log. */
  readonly recipients: readonly string[];
  /**
   * Makes one attempt. Every expected failure is an outcome with a reason of the closed list and a detail of at most
   * 500 characters without secrets. Throws only for bugs and corrupt data. Never tries twice by itself: that is the
   * ledger's decision.
   */
  send(outgoing: Outgoing, options: SendOptions): Promise<DeliveryOutcome>;
  /** Frees what the channel holds. Attempts under way are not ended by it. */
  close(): Promise<void>;
}

/** The part of the process's log that channels write to; pino's loggers fit. */
export interface ChannelLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

import { randomBytes } from 'node:crypto';
import { checkMailSend } from './check-mail-send.ts';
import type { SendGridComplaint } from './check-mail-send.ts';
import { startHttpProviderDouble } from './http-provider-double.ts';
import type {
  HttpBehaviour,
  HttpProviderDoubleOptions,
  ProviderAnswer,
  ProviderRequest,
  SeenRequest,
} from './http-provider-double.ts';

/** Largest request that SendGrid takes, in bytes. */
const requestBytesMax = 30 * 1024 * 1024;

/** How the double treats a request. */
export type SendGridBehaviour = HttpBehaviour;

/** A mail the double took responsibility for. */
export interface SendGridMail {
  readonly receivedAt: string;
  /** What X-Message-Id said. */
  readonly providerMessageId: string;
  readonly to: readonly string[];
  readonly from: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly customArgs: Readonly<Record<string, string>>;
  readonly categories: readonly string[];
  /** The whole request body. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** A request, accepted or not. */
export type SendGridRequest = SeenRequest;

/** SendGrid as far as a sender can tell, on 127.0.0.1. */
export interface SendGridDouble {
  /** Goes where SENDGRID_BASE_URL goes. */
  readonly baseUrl: string;
  /** A key it accepts. */
  readonly apiKey: string;
  /** Behaviour of the next requests, one each, in this order; then the standing one again. */
  next(...behaviours: readonly SendGridBehaviour[]): void;
  /** The standing behaviour. At first: `accept`. */
  always(behaviour: SendGridBehaviour): void;
  /** Every accepted mail, oldest first. */
  messages(): readonly SendGridMail[];
  /** Every request, oldest first. */
  requests(): readonly SendGridRequest[];
  waitForMessages(count: number, timeoutMs: number): Promise<readonly SendGridMail[]>;
  waitForRequests(count: number, timeoutMs: number): Promise<readonly SendGridRequest[]>;
  stop(): Promise<void>;
}

/**
 * Starts a double of SendGrid that checks what SendGrid checks: key, content type, addresses, order of contents,
 * reserved headers, limits. Any key that begins with `SG.` will do unless `apiKey` names the only one.
 */
export const startSendGridDouble = async (
  options: { readonly apiKey?: string } & HttpProviderDoubleOptions = {},
): Promise<SendGridDouble> => {
  const double = await startHttpProviderDouble<SendGridMail>(
    {
      what: 'mails at the SendGrid double',
      complaint: complaints,
      receive: (request) => {
        const refusal = refuse(request, options.apiKey);
        if (refusal !== null) return { answer: refusal, taken: null };
        const body = JSON.parse(request.text) as Record<string, unknown>;
        // Checked like any other, answered with 200 and thrown away.
        if (isSandboxed(body)) return { answer: { status: 200 }, taken: null };
        const mail = mailOf(body);
        return { answer: accepted(mail), taken: mail };
      },
    },
    options,
  );
  return {
    baseUrl: double.baseUrl,
    apiKey: options.apiKey ?? 'SG.double.a-key-for-tests-only',
    next: double.next,
    always: double.always,
    messages: double.taken,
    requests: double.requests,
    waitForMessages: double.waitForTaken,
    waitForRequests: double.waitForRequests,
    stop: double.stop,
  };
};

const isSandboxed = (body: Record<string, unknown>): boolean => {
  const { mail_settings: settings } = body as {
    readonly mail_settings?: { readonly sandbox_mode?: { readonly enable?: unknown } };
  };
  return settings?.sandbox_mode?.enable === true;
};

const refuse = (
  { method, path, headers, text, bytes }: ProviderRequest,
  apiKey: string | undefined,
): ProviderAnswer | null => {
  const authorization = headers.authorization ?? '';
  const rightKey = apiKey === undefined ? /^Bearer SG\.\S+$/.test(authorization) : authorization === `Bearer ${apiKey}`;
  if (!rightKey)
    return { status: 401, body: complaints('The provided authorization grant is invalid, expired, or revoked') };
  if (path !== '/v3/mail/send') return { status: 404, body: complaints('Not Found') };
  if (method !== 'POST') return { status: 405, body: complaints('Method Not Allowed') };
  if (!/^application\/json\b/.test(headers['content-type'] ?? ''))
    return { status: 415, body: complaints('Content-Type should be application/json.') };
  if (bytes > requestBytesMax) return { status: 413, body: complaints('Payload Too Large') };
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { status: 400, body: complaints('Bad Request') };
  }
  const errors = checkMailSend(body);
  return errors.length === 0 ? null : { status: 400, body: { errors } };
};

const complaints = (message: string): { readonly errors: readonly SendGridComplaint[] } => ({
  errors: [{ message, field: null, help: null }],
});

const accepted = (mail: SendGridMail): ProviderAnswer => ({
  status: 202,
  headers: { 'X-Message-Id': mail.providerMessageId },
  body: '',
});

// Called for checked bodies only.
const mailOf = (body: Record<string, unknown>): SendGridMail => {
  const checked = body as {
    readonly personalizations: readonly { readonly to: readonly { readonly email: string }[] }[];
    readonly from: { readonly email: string };
    readonly subject: string;
    readonly content: readonly { readonly type: string; readonly value: string }[];
    readonly headers?: Readonly<Record<string, string>>;
    readonly custom_args?: Readonly<Record<string, string>>;
    readonly categories?: readonly string[];
  };
  const part = (type: string): string => checked.content.find((content) => content.type === type)?.value ?? '';
  return {
    receivedAt: new Date().toISOString(),
    providerMessageId: randomBytes(16).toString('base64url'),
    to: checked.personalizations.flatMap(({ to }) => to.map(({ email }) => email)),
    from: checked.from.email,
    subject: checked.subject,
    text: part('text/plain'),
    html: part('text/html'),
    headers: checked.headers ?? {},
    customArgs: checked.custom_args ?? {},
    categories: checked.categories ?? [],
    body,
  };
};

import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createArrivals } from './arrivals.ts';
import { checkMailSend } from './check-mail-send.ts';
import type { SendGridComplaint } from './check-mail-send.ts';

/** Largest request that SendGrid takes, in bytes. */
const requestBytesMax = 30 * 1024 * 1024;

/** How the double treats a request. */
export type SendGridBehaviour =
  /** As SendGrid does: 202 for what it would accept, else its complaints. */
  | { readonly kind: 'accept' }
  /** Any status, nothing accepted. A string body is sent as it is, anything else as JSON. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: unknown;
    }
  /** 429. `resetInSeconds` gives X-RateLimit-Reset, `retryAfter` that header as it is; neither gives neither. */
  | { readonly kind: 'rate-limited'; readonly resetInSeconds?: number; readonly retryAfter?: string }
  /** Accepts at once and answers later. */
  | { readonly kind: 'accept-late'; readonly afterMs: number }
  /** Accepts and never answers. */
  | { readonly kind: 'accept-then-hang' }
  /** Accepts and breaks the connection. */
  | { readonly kind: 'accept-then-reset' }
  /** Reads the request, accepts nothing, never answers. */
  | { readonly kind: 'hang' }
  /** Reads the request, accepts nothing, breaks the connection. */
  | { readonly kind: 'reset' }
  /** Sends the status line and headers, then breaks the connection. */
  | { readonly kind: 'headers-then-reset'; readonly status: number }
  /** A status with a body of that many bytes. */
  | { readonly kind: 'huge-body'; readonly status: number; readonly bytes: number }
  /** A status with a body that begins and never ends. */
  | { readonly kind: 'endless-body'; readonly status: number };

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
export interface SendGridRequest {
  readonly receivedAt: string;
  readonly method: string;
  readonly path: string;
  /** The status answered; null when the double did not answer. */
  readonly status: number | null;
}

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

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/**
 * Starts a double of SendGrid that checks what SendGrid checks: key, content type, addresses, order of contents,
 * reserved headers, limits. Any key that begins with `SG.` will do unless `apiKey` names the only one.
 */
export const startSendGridDouble = async (
  options: { readonly apiKey?: string; readonly port?: number } = {},
): Promise<SendGridDouble> => {
  const mails = createArrivals<SendGridMail>('mails at the SendGrid double');
  const requests = createArrivals<SendGridRequest>('requests at the SendGrid double');
  const timers = new Set<NodeJS.Timeout>();
  const queued: SendGridBehaviour[] = [];
  let standing: SendGridBehaviour = { kind: 'accept' };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { text, bytes } = await readBody(request);
    const behaviour = queued.shift() ?? standing;
    const record = (status: number | null): void =>
      requests.add({
        receivedAt: new Date().toISOString(),
        method: request.method ?? '',
        path: request.url ?? '',
        status,
      });
    const answer = ({ status, headers = {}, body }: Answer): void => {
      record(status);
      const json = body !== undefined && typeof body !== 'string';
      response.writeHead(status, { ...(json ? { 'Content-Type': 'application/json' } : {}), ...headers });
      response.end(json ? JSON.stringify(body) : body);
    };
    /** Accepts what SendGrid would accept; otherwise answers with the complaints and gives null. */
    const accept = (): SendGridMail | null => {
      const refusal = refuse(request, text, bytes, options.apiKey);
      if (refusal !== null) {
        answer(refusal);
        return null;
      }
      const mail = mailOf(JSON.parse(text) as Record<string, unknown>);
      mails.add(mail);
      return mail;
    };

    switch (behaviour.kind) {
      case 'accept': {
        const mail = accept();
        if (mail !== null) answer(accepted(mail));
        return;
      }
      case 'accept-late': {
        const mail = accept();
        if (mail === null) return;
        const timer = setTimeout(() => {
          timers.delete(timer);
          answer(accepted(mail));
        }, behaviour.afterMs);
        timers.add(timer);
        return;
      }
      case 'accept-then-hang':
        if (accept() !== null) record(null);
        return;
      case 'accept-then-reset':
        if (accept() === null) return;
        record(null);
        request.socket.resetAndDestroy();
        return;
      case 'status':
        answer({
          status: behaviour.status,
          headers: behaviour.headers ?? {},
          body: behaviour.body ?? complaints('Told to refuse.'),
        });
        return;
      case 'rate-limited':
        answer({
          status: 429,
          headers: {
            ...(behaviour.resetInSeconds === undefined
              ? {}
              : {
                  'X-RateLimit-Limit': '600',
                  'X-RateLimit-Remaining': '0',
                  'X-RateLimit-Reset': String(Math.ceil(Date.now() / 1_000) + behaviour.resetInSeconds),
                }),
            ...(behaviour.retryAfter === undefined ? {} : { 'Retry-After': behaviour.retryAfter }),
          },
          body: complaints('too many requests'),
        });
        return;
      case 'hang':
        record(null);
        return;
      case 'reset':
        record(null);
        request.socket.resetAndDestroy();
        return;
      case 'headers-then-reset':
        record(behaviour.status);
        response.writeHead(behaviour.status, { 'Content-Type': 'application/json', 'Content-Length': '1000' });
        response.write('{"errors":', () => request.socket.resetAndDestroy());
        return;
      case 'huge-body':
        answer({
          status: behaviour.status,
          headers: { 'Content-Type': 'text/html' },
          body: 'x'.repeat(behaviour.bytes),
        });
        return;
      case 'endless-body':
        record(behaviour.status);
        response.writeHead(behaviour.status, { 'Content-Type': 'application/json' });
        response.write('{');
        return;
      default:
        behaviour satisfies never;
    }
  };

  const server = createServer((request, response) => {
    // A client that goes away in the middle is part of what is tested.
    handle(request, response).catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    apiKey: options.apiKey ?? 'SG.double.a-key-for-tests-only',
    next: (...behaviours) => void queued.push(...behaviours),
    always: (behaviour) => {
      standing = behaviour;
    },
    messages: mails.all,
    requests: requests.all,
    waitForMessages: mails.wait,
    waitForRequests: requests.wait,
    stop: async () => {
      for (const timer of timers) clearTimeout(timer);
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
};

const refuse = (request: IncomingMessage, text: string, bytes: number, apiKey: string | undefined): Answer | null => {
  const authorization = request.headers.authorization ?? '';
  const rightKey = apiKey === undefined ? /^Bearer SG\.\S+$/.test(authorization) : authorization === `Bearer ${apiKey}`;
  if (!rightKey)
    return { status: 401, body: complaints('The provided authorization grant is invalid, expired, or revoked') };
  if (request.url !== '/v3/mail/send') return { status: 404, body: complaints('Not Found') };
  if (request.method !== 'POST') return { status: 405, body: complaints('Method Not Allowed') };
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? ''))
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

const accepted = (mail: SendGridMail): Answer => ({
  status: 202,
  headers: { 'X-Message-Id': mail.providerMessageId },
  body: '',
});

const readBody = async (request: IncomingMessage): Promise<{ text: string; bytes: number }> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const piece = chunk as Buffer;
    bytes += piece.length;
    if (bytes <= requestBytesMax) chunks.push(piece);
  }
  return { text: Buffer.concat(chunks).toString('utf8'), bytes };
};

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

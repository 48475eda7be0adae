import { Buffer } from 'node:buffer';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { startHttpProviderDouble } from './http-provider-double.ts';
import type {
  HttpProviderDouble,
  HttpProviderDoubleOptions,
  ProviderAnswer,
  ProviderRequest,
} from './http-provider-double.ts';

/** A webhook that was taken. */
export interface WebhookTaken {
  /** `webhook-id`: what a receiver drops repetitions by. */
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The body as it came. */
  readonly text: string;
  /** The CloudEvent. */
  readonly event: Readonly<Record<string, unknown>>;
}

export interface WebhookDouble extends HttpProviderDouble<WebhookTaken> {
  readonly url: string;
  /** The key it checks signatures with. */
  readonly secret: string;
}

const secret = `whsec_${Buffer.from('a key for tests only, 32 bytes..').toString('base64')}`;
/** What receivers take as fresh, in seconds (Standard Webhooks, "Verifying webhook authenticity"). */
const toleranceSeconds = 300;
/** Largest body that common receivers take, in bytes. */
const bodyBytesMax = 262_144;

/** Starts a receiver that checks what Standard Webhooks and CloudEvents ask it to, and answers 204. */
export const startWebhookDouble = async (options: HttpProviderDoubleOptions = {}): Promise<WebhookDouble> => {
  const double = await startHttpProviderDouble<WebhookTaken>(
    {
      what: 'webhooks',
      complaint: (message) => ({ error: message }),
      receive: (request) => {
        const refusal = refuse(request);
        if (refusal !== null) return { answer: refusal, taken: null };
        return {
          answer: { status: 204 },
          taken: {
            id: headerOf(request, 'webhook-id'),
            headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
            text: request.text,
            event: JSON.parse(request.text) as Readonly<Record<string, unknown>>,
          },
        };
      },
    },
    options,
  );
  return { ...double, url: new URL('hooks/tocsin?key=hidden', double.baseUrl).href, secret };
};

const refuse = (request: ProviderRequest): ProviderAnswer | null => {
  const { method, text, bytes } = request;
  if (method !== 'POST') return problem(405, 'POST only');
  if (!headerOf(request, 'content-type').startsWith('application/cloudevents+json'))
    return problem(415, 'no CloudEvent in structured form');
  if (bytes > bodyBytesMax) return problem(413, 'too large');
  const seconds = Number(headerOf(request, 'webhook-timestamp'));
  if (!(Math.abs(Date.now() / 1_000 - seconds) <= toleranceSeconds)) return problem(400, 'no fresh webhook-timestamp');
  if (!isSigned(request)) return problem(401, 'no signature fits');
  const event = parse(text);
  if (event === null) return problem(400, 'no JSON object');
  const missing = ['id', 'source', 'type', 'data'].filter((name) => event[name] === undefined || event[name] === '');
  return event['specversion'] === '1.0' && missing.length === 0
    ? null
    : problem(400, `no CloudEvent: ${missing.join()}`);
};

const isSigned = (request: ProviderRequest): boolean => {
  const signed = `${headerOf(request, 'webhook-id')}.${headerOf(request, 'webhook-timestamp')}.${request.text}`;
  const expected = createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64'))
    .update(signed)
    .digest();
  return headerOf(request, 'webhook-signature')
    .split(' ')
    .some((signature) => {
      const given = Buffer.from(signature.startsWith('v1,') ? signature.slice(3) : '', 'base64');
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
};

const headerOf = ({ headers }: ProviderRequest, name: string): string => {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
};

const problem = (status: number, error: string): ProviderAnswer => ({ status, body: { error } });

const parse = (text: string): Readonly<Record<string, unknown>> | null => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : null;
  } catch {
    return null;
  }
};

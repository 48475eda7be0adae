import { Buffer } from 'node:buffer';
import { TocsinError } from '@tocsin/runtime';
import type { Channel, WebhookConfig } from '../channel.ts';
import { howEnded } from '../how-ended.ts';
import { postOutcome } from '../http/answer-outcome.ts';
import { post } from '../http/post.ts';
import type { PostRequest, PostResult } from '../http/post.ts';
import { idText } from '../mail/compose-mail.ts';
import { safeDetail } from '../safe-detail.ts';
import { guardAddress, systemResolve } from './address-guard.ts';
import type { Guarded, Resolve } from './address-guard.ts';
import { webhookBody } from './webhook-body.ts';
import { parseWebhookSecrets } from './webhook-secrets.ts';

/**
 * An HTTP endpoint of the user's own: a CloudEvents 1.0 body with Standard Webhooks headers. `webhook-id` is the
 * delivery's, the same over all attempts, so that a receiver drops what it has seen. Every key of a rotation signs.
 *
 * Any status from 200 to 299 is acceptance. Redirects are not followed. Addresses outside the public internet are
 * refused with reason `forbidden-address` unless the configuration allows them.
 *
 * @param surroundings `publicUrl` becomes the events' source
 * @param resolve finds a host's addresses. Default: the system's resolver
 * @throws TocsinError `CHANNEL_MISCONFIGURED` when URL or secret is not one
 */
export const createWebhookChannel = (
  name: string,
  config: WebhookConfig,
  { publicUrl }: { readonly publicUrl?: string | null | undefined },
  resolve: Resolve = systemResolve,
): Channel => {
  const url = parseWebhookUrl(config.url);
  const keys = parseWebhookSecrets(config.secret);
  const secrets = [...keys, ...keys.map((key) => key.slice('whsec_'.length)), ...secretsOf(url)];
  return {
    name,
    type: 'webhook',
    recipients: [`${url.origin}/`],
    send: async ({ message, deliveryId }, { signal, timeoutMs }) => {
      const deadlineAt = performance.now() + timeoutMs;
      const id = idText(deliveryId);
      const body = webhookBody(message, { id, source: publicUrl ?? 'tocsin' });
      const headers = {
        'Content-Type': 'application/cloudevents+json; charset=utf-8',
        ...(await signedHeaders(keys, id, body)),
      };
      const request = { url: url.href, headers, body, signal };
      const result = await postGuarded(request, config.allowPrivate === true ? null : resolve, deadlineAt);
      if (result.kind === 'forbidden')
        return {
          outcome: 'rejected',
          reason: 'forbidden-address',
          status: null,
          detail: safeDetail(result.detail, secrets),
        };
      return postOutcome(result, {
        provider: url.host,
        secrets,
        accept: ({ status }) => ({ outcome: 'accepted', providerMessageId: null, status }),
      });
    },
    warmUp: async () => {
      await Promise.all([import('axios'), import('standardwebhooks'), import('./address-range.ts')]);
    },
    close: async () => {},
  };
};

/** @param resolve null when any address will do */
const postGuarded = async (
  request: Omit<PostRequest, 'timeoutMs'>,
  resolve: Resolve | null,
  deadlineAt: number,
): Promise<PostResult | Extract<Guarded, { readonly kind: 'forbidden' }>> => {
  const leftMs = (): number => Math.max(1, Math.ceil(deadlineAt - performance.now()));
  if (resolve === null || request.signal.aborted) return post({ ...request, timeoutMs: leftMs() });
  const deadline = AbortSignal.timeout(leftMs());
  const ended = AbortSignal.any([request.signal, deadline]);
  const guarded = await guardAddress(new URL(request.url), (hostname) => unlessEnded(resolve(hostname), ended));
  switch (guarded.kind) {
    case 'allowed':
      return post({ ...request, lookup: guarded.lookup, timeoutMs: leftMs() });
    case 'unresolved':
      return {
        kind: 'silence',
        phase: 'unconnected',
        error: guarded.error,
        ...howEnded(request.signal, deadline),
      };
    case 'forbidden':
      return guarded;
    default:
      return guarded satisfies never;
  }
};

/** A resolver cannot be told to stop; its answer is not waited for any longer. */
const unlessEnded = async <Value>(promise: Promise<Value>, ended: AbortSignal): Promise<Value> => {
  const { promise: end, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(new Error('The attempt was ended.'));
  ended.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, end]);
  } finally {
    ended.removeEventListener('abort', onAbort);
  }
};

/** Loaded by the first attempt, as all libraries of channels are. */
const signedHeaders = async (
  keys: readonly string[],
  id: string,
  body: string,
): Promise<Readonly<Record<string, string>>> => {
  const { Webhook } = await import('standardwebhooks');
  const now = new Date();
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
    'webhook-signature': keys.map((key) => new Webhook(key).sign(id, now, body)).join(' '),
  };
};

const parseWebhookUrl = (text: string): URL => {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw new TocsinError('CHANNEL_MISCONFIGURED', 'The URL of a webhook is not one. Write https://host/path.');
  return url;
};

/** Webhook URLs of many services hold their key in the path or the query. */
const secretsOf = (url: URL): readonly string[] =>
  [
    url.password,
    ...(url.username === '' ? [] : [Buffer.from(`${url.username}:${url.password}`).toString('base64')]),
    url.pathname.length > 1 ? url.pathname : '',
    url.search,
  ].filter((secret) => secret !== '');

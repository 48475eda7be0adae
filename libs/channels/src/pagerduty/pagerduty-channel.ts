import type { DeliveryOutcome } from '@tocsin/alert-model';
import { TocsinError } from '@tocsin/runtime';
import type { Channel, PagerDutyConfig, SendOptions } from '../channel.ts';
import { postOutcome, webPageOutcome } from '../http/answer-outcome.ts';
import type { AnswerReader } from '../http/answer-outcome.ts';
import { post } from '../http/post.ts';
import type { Answer, PostResult } from '../http/post.ts';
import { sendEach } from '../http/send-each.ts';
import { pagerDutyEvents } from './pagerduty-event.ts';
import type { PagerDutyEvent } from './pagerduty-event.ts';

const defaultBaseUrl = 'https://events.pagerduty.com/';
const errorsShownMax = 5;

/**
 * PagerDuty's Events API v2. One attempt makes one request per event of the message (see `pagerDutyEvents`), a few at a
 * time. Every event carries its `dedup_key`, so what arrived already does no harm when it comes again.
 *
 * A message that is no event for PagerDuty, such as a heartbeat, is accepted without a request.
 *
 * @throws TocsinError `CHANNEL_MISCONFIGURED` when the base URL is not one
 */
export const createPagerDutyChannel = (name: string, config: PagerDutyConfig): Channel => {
  const url = enqueueUrl(config.baseUrl ?? defaultBaseUrl);
  const reader = readerFor([config.routingKey]);
  const enqueue = async (event: PagerDutyEvent, { signal, timeoutMs }: SendOptions): Promise<DeliveryOutcome> => {
    const result = await post({
      url,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ routing_key: config.routingKey, ...event }),
      signal,
      timeoutMs,
    });
    return withRefusedKey(result, postOutcome(result, reader));
  };
  return {
    name,
    type: 'pagerduty',
    recipients: [new URL(url).host],
    send: ({ message }, options) =>
      sendEach(
        pagerDutyEvents(message).map((event) => (left: SendOptions) => enqueue(event, left)),
        options,
      ),
    warmUp: async () => {
      await import('axios');
    },
    close: async () => {},
  };
};

/** 202 with the key of the event (https://developer.pagerduty.com/docs/events-api-v2/overview/#response-codes--retry-logic). */
const readerFor = (secrets: readonly string[]): AnswerReader => {
  const reader: AnswerReader = {
    provider: 'PagerDuty',
    secrets,
    textOf: answerText,
    accept: (answer) =>
      webPageOutcome(answer, reader) ?? {
        outcome: 'accepted',
        providerMessageId: fieldsOf(answer).dedupKey,
        status: answer.status,
      },
  };
  return reader;
};

// A key that is none is answered with 400 like any other mistake, and is repaired by whoever keeps the keys.
const withRefusedKey = (result: PostResult, outcome: DeliveryOutcome): DeliveryOutcome =>
  result.kind === 'answer' &&
  outcome.outcome === 'rejected' &&
  outcome.reason === 'bad-request' &&
  fieldsOf(result).errors.some((error) => /routing[_ ]key/i.test(error))
    ? { ...outcome, reason: 'unauthorized' }
    : outcome;

const answerText = (answer: Answer): string => {
  const { message, errors } = fieldsOf(answer);
  return message === '' && errors.length === 0 ? answer.body : [message, ...errors].join('; ');
};

const fieldsOf = ({
  body,
}: Answer): { readonly message: string; readonly errors: readonly string[]; readonly dedupKey: string | null } => {
  let parsed: unknown = null;
  try {
    parsed = JSON.parse(body);
  } catch {
    // No JSON: the status says all that is known.
  }
  const fields = typeof parsed === 'object' && parsed !== null ? (parsed as Readonly<Record<string, unknown>>) : {};
  const { message, errors, dedup_key: dedupKey } = fields;
  return {
    message: typeof message === 'string' ? message : '',
    errors: Array.isArray(errors) ? errors.filter((error) => typeof error === 'string').slice(0, errorsShownMax) : [],
    dedupKey: typeof dedupKey === 'string' ? dedupKey.slice(0, 255) : null,
  };
};

const enqueueUrl = (baseUrl: string): string => {
  const base = URL.parse(baseUrl);
  if (base === null || (base.protocol !== 'https:' && base.protocol !== 'http:'))
    throw new TocsinError(
      'CHANNEL_MISCONFIGURED',
      'The base URL of PagerDuty is not one. Leave it out, or write https://events.pagerduty.com/.',
    );
  return new URL('v2/enqueue', base.href.endsWith('/') ? base : `${base.href}/`).href;
};

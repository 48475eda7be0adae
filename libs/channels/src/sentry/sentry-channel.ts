import { Buffer } from 'node:buffer';
import type { DeliveryOutcome } from '@tocsin/alert-model';
import { TocsinError } from '@tocsin/runtime';
import type { Channel, SendOptions, SentryConfig } from '../channel.ts';
import { postOutcome, webPageOutcome } from '../http/answer-outcome.ts';
import type { AnswerReader } from '../http/answer-outcome.ts';
import { post } from '../http/post.ts';
import type { Answer, PostResult } from '../http/post.ts';
import { sendEach } from '../http/send-each.ts';
import { safeDetail } from '../safe-detail.ts';
import { sentryEvents } from './sentry-event.ts';
import type { SentryEvent } from './sentry-event.ts';

/** Named to Sentry as the sender. */
const client = 'tocsin/1';
const idCharactersMax = 100;

type Library = typeof import('@sentry/core');

/**
 * Events in a Sentry project, one envelope each (Sentry takes one event per envelope), a few at a time. An event that
 * arrives twice has the same id and is kept once.
 *
 * A message that tells of no error, such as a recovery or a heartbeat, is accepted without a request.
 *
 * @throws TocsinError `CHANNEL_MISCONFIGURED` when the DSN is not one
 */
export const createSentryChannel = (name: string, config: SentryConfig): Channel => {
  const { host, secrets } = checkDsn(config.dsn);
  return {
    name,
    type: 'sentry',
    recipients: [host],
    send: async ({ message, deliveryId }, options) => {
      const events = sentryEvents(message, {
        deliveryId,
        environment: config.environment,
        fingerprints: config.fingerprints ?? [],
      });
      const library = await import('@sentry/core');
      return sendEach(
        events.map((event) => (left: SendOptions) => sendEvent(library, config.dsn, event, secrets, left)),
        options,
      );
    },
    warmUp: async () => {
      await Promise.all([import('axios'), import('@sentry/core')]);
    },
    close: async () => {},
  };
};

const sendEvent = async (
  library: Library,
  dsnText: string,
  event: SentryEvent,
  secrets: readonly string[],
  { signal, timeoutMs }: SendOptions,
): Promise<DeliveryOutcome> => {
  const dsn = library.makeDsn(dsnText);
  if (dsn === undefined)
    return { outcome: 'rejected', reason: 'misconfigured', status: null, detail: 'The DSN of Sentry is not one.' };
  const url = new URL(library.getEnvelopeEndpointWithUrlEncodedAuth(dsn));
  // In a header the key does not end up in the log of every proxy on the way.
  url.search = '';
  const envelope = library.createEventEnvelope({ ...event, fingerprint: [...event.fingerprint] }, dsn);
  const serialized = library.serializeEnvelope(envelope);
  const result = await post({
    url: url.href,
    headers: {
      'Content-Type': 'application/x-sentry-envelope',
      'X-Sentry-Auth': `Sentry sentry_version=${library.SENTRY_API_VERSION}, sentry_client=${client}, sentry_key=${dsn.publicKey ?? ''}`,
    },
    body: typeof serialized === 'string' ? serialized : Buffer.from(serialized),
    signal,
    timeoutMs,
  });
  return withRateLimit(library, result, postOutcome(result, readerFor(secrets)));
};

const readerFor = (secrets: readonly string[]): AnswerReader => {
  const reader: AnswerReader = {
    provider: 'Sentry',
    secrets,
    textOf: answerText,
    accept: (answer) =>
      webPageOutcome(answer, reader) ?? {
        outcome: 'accepted',
        providerMessageId: fieldOf(answer, 'id')?.slice(0, idCharactersMax) ?? null,
        status: answer.status,
      },
  };
  return reader;
};

/**
 * Sentry's own header says how long events of each category are unwelcome (https://develop.sentry.dev/sdk/expected-features/rate-limiting/);
 * it goes before Retry-After.
 */
const withRateLimit = (library: Library, result: PostResult, outcome: DeliveryOutcome): DeliveryOutcome => {
  if (result.kind === 'silence' || outcome.outcome !== 'retry' || outcome.reason !== 'rate-limited') return outcome;
  const header = result.headers['x-sentry-rate-limits'];
  if (typeof header !== 'string') return outcome;
  const now = Date.now();
  const limits = library.updateRateLimits(
    {},
    { statusCode: result.status, headers: { 'x-sentry-rate-limits': header, 'retry-after': null } },
    now,
  );
  const waitMs = library.disabledUntil(limits, 'error') - now;
  return waitMs > 0 ? { ...outcome, retryAfterMs: waitMs } : outcome;
};

// Relay puts the reason into a header, and into `detail` of its body.
const answerText = (answer: Answer): string => {
  const header = answer.headers['x-sentry-error'];
  return typeof header === 'string' && header !== '' ? header : (fieldOf(answer, 'detail') ?? answer.body);
};

const fieldOf = ({ body }: Answer, name: string): string | null => {
  try {
    const parsed: unknown = JSON.parse(body);
    const value =
      typeof parsed === 'object' && parsed !== null ? (parsed as Readonly<Record<string, unknown>>)[name] : null;
    return typeof value === 'string' && value !== '' ? safeDetail(value, []) : null;
  } catch {
    return null;
  }
};

// As Sentry's own parser has it, which would write a DSN it does not understand to the console, key and all.
const checkDsn = (dsn: string): { readonly host: string; readonly secrets: readonly string[] } => {
  const parts = /^(?:https?):\/\/(\w+)(?::(\w+))?@((?:\[[:.%\w]+\]|[\w.-]+)(?::\d{1,5})?)\/(?:[\w.~/-]*\/)?\d+$/.exec(
    dsn,
  );
  const host = parts?.[3];
  if (parts === null || host === undefined)
    throw new TocsinError(
      'CHANNEL_MISCONFIGURED',
      'The DSN of Sentry is not one. Copy it from the project: https://KEY@oORG.ingest.sentry.io/PROJECT.',
    );
  return { host, secrets: [parts[1], parts[2]].filter((secret) => secret !== undefined) };
};

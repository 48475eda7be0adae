import { checkSentryEnvelope } from './check-sentry-envelope.ts';
import { startHttpProviderDouble } from './http-provider-double.ts';
import type {
  HttpProviderDouble,
  HttpProviderDoubleOptions,
  ProviderAnswer,
  ProviderRequest,
} from './http-provider-double.ts';

/** An event that Sentry took. */
export interface SentryTaken {
  readonly id: string;
  readonly level: string;
  readonly fingerprint: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  /** The whole event. */
  readonly event: Readonly<Record<string, unknown>>;
}

export interface SentryDouble extends HttpProviderDouble<SentryTaken> {
  readonly dsn: string;
  readonly publicKey: string;
  /** Events as Sentry keeps them: one that came twice is there once. */
  kept(): readonly SentryTaken[];
}

const publicKey = '0123456789abcdef0123456789abcdef';
const projectId = '42';

/** Starts a double of Sentry's ingestion: path, key, form of the envelope, event id, level, tags, fingerprint. */
export const startSentryDouble = async (options: HttpProviderDoubleOptions = {}): Promise<SentryDouble> => {
  const double = await startHttpProviderDouble<SentryTaken>(
    {
      what: 'events at the Sentry double',
      complaint: (message) => ({ detail: message }),
      receive: (request) => {
        const refusal = refuse(request);
        if (refusal !== null) return { answer: refusal, taken: null };
        // Messages of tests are of a day of their own.
        const checked = checkSentryEnvelope(request.text, null);
        if (!checked.ok) return { answer: { status: 400, body: { detail: checked.problem } }, taken: null };
        const event = takenOf(checked.event);
        return { answer: { status: 200, body: { id: event.id } }, taken: event };
      },
    },
    options,
  );
  const url = new URL(double.baseUrl);
  url.username = publicKey;
  url.pathname = `/${projectId}`;
  return {
    ...double,
    dsn: url.href,
    publicKey,
    kept: () => [...new Map(double.taken().map((event) => [event.id, event])).values()],
  };
};

const refuse = ({ method, path, headers }: ProviderRequest): ProviderAnswer | null => {
  const { pathname, searchParams } = new URL(path, 'http://localhost');
  if (pathname !== `/api/${projectId}/envelope/`) return { status: 404, body: { detail: 'no such project' } };
  if (method !== 'POST') return { status: 405, body: { detail: 'method not allowed' } };
  const auth = headers['x-sentry-auth'];
  const key =
    searchParams.get('sentry_key') ??
    (typeof auth === 'string' ? (/\bsentry_key=([0-9a-z]+)/.exec(auth)?.[1] ?? null) : null);
  if (key === null) return { status: 401, body: { detail: 'missing authorization information' } };
  return key === publicKey
    ? null
    : { status: 403, body: { detail: 'event submission rejected with_reason: ProjectId' } };
};

// Called for checked events only.
const takenOf = (event: Readonly<Record<string, unknown>>): SentryTaken => {
  const checked = event as {
    readonly event_id: string;
    readonly level: string;
    readonly fingerprint: readonly string[];
    readonly tags: Readonly<Record<string, string>>;
  };
  return { id: checked.event_id, level: checked.level, fingerprint: checked.fingerprint, tags: checked.tags, event };
};

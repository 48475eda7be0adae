import { checkPagerDutyEvent } from './check-pagerduty-event.ts';
import { startHttpProviderDouble } from './http-provider-double.ts';
import type {
  HttpProviderDouble,
  HttpProviderDoubleOptions,
  ProviderAnswer,
  ProviderRequest,
} from './http-provider-double.ts';

/** An event that PagerDuty took. */
export interface PagerDutyTaken {
  readonly action: 'trigger' | 'acknowledge' | 'resolve';
  readonly dedupKey: string;
  readonly summary: string | null;
  readonly severity: string | null;
  /** The whole body. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface PagerDutyDouble extends HttpProviderDouble<PagerDutyTaken> {
  /** The one key it takes. */
  readonly routingKey: string;
  /** Keys of the incidents that are open now, oldest first: what somebody on call would see. */
  openIncidents(): readonly string[];
}

const routingKey = 'd0uble0routing0key0for0tests0only'.slice(0, 32);

/** Starts a double of PagerDuty's Events API v2: key, required fields, lengths, size, and incidents by `dedup_key`. */
export const startPagerDutyDouble = async (options: HttpProviderDoubleOptions = {}): Promise<PagerDutyDouble> => {
  const double = await startHttpProviderDouble<PagerDutyTaken>(
    {
      what: 'events at the PagerDuty double',
      complaint: (message) => invalid([message]).body,
      receive: (request) => {
        const refusal = refuse(request);
        if (refusal !== null) return { answer: refusal, taken: null };
        const event = takenOf(JSON.parse(request.text) as Readonly<Record<string, unknown>>);
        return {
          answer: {
            status: 202,
            body: { status: 'success', message: 'Event processed', dedup_key: event.dedupKey },
          },
          taken: event,
        };
      },
    },
    options,
  );
  return {
    ...double,
    routingKey,
    openIncidents: () => {
      const open = new Set<string>();
      for (const { action, dedupKey } of double.taken())
        if (action === 'trigger') open.add(dedupKey);
        else if (action === 'resolve') open.delete(dedupKey);
      return [...open];
    },
  };
};

const refuse = ({ method, path, headers, text }: ProviderRequest): ProviderAnswer | null => {
  if (path !== '/v2/enqueue') return { status: 404, body: { status: 'not found' } };
  if (method !== 'POST') return { status: 405, body: { status: 'method not allowed' } };
  if (!/^application\/json\b/.test(headers['content-type'] ?? '')) return invalid(['JSON expected']);
  const errors = checkPagerDutyEvent(text);
  if (errors.length > 0) return invalid(errors);
  return (JSON.parse(text) as { readonly routing_key: string }).routing_key === routingKey
    ? null
    : invalid(["'routing_key' is unknown"]);
};

const invalid = (errors: readonly string[]): ProviderAnswer => ({
  status: 400,
  body: { status: 'invalid event', message: 'Event object is invalid', errors },
});

// Called for checked events only.
const takenOf = (body: Readonly<Record<string, unknown>>): PagerDutyTaken => {
  const event = body as {
    readonly event_action: PagerDutyTaken['action'];
    readonly dedup_key: string;
    readonly payload?: { readonly summary: string; readonly severity: string };
  };
  return {
    action: event.event_action,
    dedupKey: event.dedup_key,
    summary: event.payload?.summary ?? null,
    severity: event.payload?.severity ?? null,
    body,
  };
};

import type { DigestEvent, DigestPurpose, EventNamed } from './event.ts';
import type { DeliveryId, DigestId, Instant } from './ids.ts';
import { InvariantError } from './invariant-error.ts';

/** The folded life of one digest: plain JSON, equal to `tocsin.digests.data`. */
export interface DigestState {
  readonly id: DigestId;
  readonly route: string;
  readonly purpose: DigestPurpose;
  readonly state: 'open' | 'sealed' | 'delivered' | 'failed' | 'empty';
  readonly version: number;
  readonly channels: readonly string[];
  readonly fallback: readonly string[];
  readonly openedAt: Instant;
  readonly dueAt: Instant;
  readonly sealedAt: Instant | null;
  /** When every delivery was accepted or given up. */
  readonly settledAt: Instant | null;
  readonly alerts: number;
  /** Deliveries still on their way. */
  readonly waiting: readonly DeliveryId[];
  readonly accepted: readonly DeliveryId[];
  readonly failed: readonly DeliveryId[];
  /** Why it is the message of a storm; null when it is none. */
  readonly storm: EventNamed<'DigestOpened'>['data']['storm'];
}

/**
 * Folds one event into a digest.
 *
 * @throws InvariantError when the event cannot follow: the log is damaged or a caller has a bug.
 */
export const evolveDigest = (state: DigestState | null, event: DigestEvent): DigestState => {
  if (event.type === 'DigestOpened') {
    if (state !== null) throw new InvariantError(`Digest ${state.id} was opened twice.`);
    const { digestId, route, purpose, channels, fallback, dueAt, storm } = event.data;
    return {
      id: digestId,
      route,
      purpose,
      state: 'open',
      version: 1,
      channels,
      fallback,
      openedAt: event.occurredAt,
      dueAt,
      sealedAt: null,
      settledAt: null,
      alerts: 0,
      waiting: [],
      accepted: [],
      failed: [],
      storm,
    };
  }
  if (state === null) throw new InvariantError(`${event.type} before DigestOpened.`);
  const version = state.version + 1;
  switch (event.type) {
    case 'DigestSealed': {
      if (state.state !== 'open') throw new InvariantError(`Digest ${state.id} was sealed twice.`);
      const waiting = event.data.deliveries.map((delivery) => delivery.deliveryId);
      const empty = waiting.length === 0;
      return {
        ...state,
        version,
        state: empty ? 'empty' : 'sealed',
        sealedAt: event.occurredAt,
        settledAt: empty ? event.occurredAt : null,
        alerts: event.data.alerts,
        waiting,
      };
    }
    case 'DigestDelivered':
      return settle(
        { ...state, version, accepted: [...state.accepted, event.data.deliveryId] },
        event.data.deliveryId,
        null,
        event.occurredAt,
      );
    case 'DigestFailed':
      return settle(
        { ...state, version, failed: [...state.failed, event.data.deliveryId] },
        event.data.deliveryId,
        event.data.fallback?.deliveryId ?? null,
        event.occurredAt,
      );
    case 'DigestBounced':
      return bounce({ ...state, version }, event);
    case 'DigestRedriven': {
      const { deliveryId, replacement } = event.data;
      if (!state.failed.includes(deliveryId))
        throw new InvariantError(`Digest ${state.id} has not given up delivery ${deliveryId}.`);
      return goOn({ ...state, version }, replacement.deliveryId);
    }
    default:
      return event satisfies never;
  }
};

/** What had been accepted counts as given up, whatever the digest still waits for. */
const bounce = (state: DigestState, { data, occurredAt }: EventNamed<'DigestBounced'>): DigestState => {
  const { deliveryId, fallback } = data;
  if (!state.accepted.includes(deliveryId))
    throw new InvariantError(`Digest ${state.id} has no accepted delivery ${deliveryId} that could come back.`);
  const bounced: DigestState = {
    ...state,
    accepted: state.accepted.filter((id) => id !== deliveryId),
    failed: [...state.failed, deliveryId],
  };
  if (fallback !== null) return goOn(bounced, fallback.deliveryId);
  if (bounced.accepted.length > 0) return bounced;
  return bounced.waiting.length > 0
    ? { ...bounced, state: 'sealed' }
    : { ...bounced, state: 'failed', settledAt: occurredAt };
};

/** One more delivery is on its way. */
const goOn = (state: DigestState, deliveryId: DeliveryId): DigestState => ({
  ...state,
  state: state.accepted.length > 0 ? 'delivered' : 'sealed',
  settledAt: null,
  waiting: [...state.waiting, deliveryId],
});

const settle = (state: DigestState, done: DeliveryId, replacement: DeliveryId | null, at: Instant): DigestState => {
  if (!state.waiting.includes(done)) throw new InvariantError(`Digest ${state.id} does not wait for delivery ${done}.`);
  const waiting = [...state.waiting.filter((id) => id !== done), ...(replacement === null ? [] : [replacement])];
  if (waiting.length > 0) return { ...state, waiting, state: state.accepted.length > 0 ? 'delivered' : 'sealed' };
  return { ...state, waiting, state: state.accepted.length > 0 ? 'delivered' : 'failed', settledAt: at };
};

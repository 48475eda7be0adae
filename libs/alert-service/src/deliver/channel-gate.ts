import { addMs, isAfter } from '@tocsin/alert-model';
import type { DeliveryOutcome, DeliveryReason, Instant } from '@tocsin/alert-model';
import type { ChannelState } from '@tocsin/event-store';
import type { ServiceSettings, Session } from '../service-context.ts';

/** Whether a message may be handed to its channel now. */
export type Gate =
  /** `probe`: the channel was closed until now; one message at a time tries whether it works again. */
  | { readonly open: true; readonly probe: 'parked' | 'circuit-open' | null }
  | {
      readonly open: false;
      /**
       * - `parked`, `circuit-open`: another channel takes over at once, where one is left.
       * - `throttled`: it waits; the channel is well and has had enough for now.
       */
      readonly reason: 'parked' | 'circuit-open' | 'throttled';
      readonly until: Instant;
      readonly detail: string;
    };

type GateSettings = Pick<
  ServiceSettings,
  'parkedMs' | 'circuit' | 'rateLimits' | 'attemptTimeoutMs' | 'abandonedAfterMs'
>;

/**
 * What is known of a channel, without asking for a turn. Pure.
 *
 * Where nothing is tried although fewer attempts have failed than open the circuit, the provider asked for patience (429):
 * messages wait for that, they do not go elsewhere.
 */
export const gateOf = (
  state: ChannelState | undefined,
  now: Instant,
  { parkedMs, circuit }: Pick<ServiceSettings, 'parkedMs' | 'circuit'>,
): Gate => {
  if (state === undefined) return { open: true, probe: null };
  const { parkedAt, parkedReason, openUntil, failures } = state;
  if (parkedAt !== null) {
    const until = addMs(parkedAt, parkedMs);
    if (isAfter(until, now)) return { open: false, reason: 'parked', until, detail: parkedReason ?? 'parked' };
  }
  const failing = failures >= circuit.failuresMax;
  if (openUntil !== null && isAfter(openUntil, now))
    return failing
      ? { open: false, reason: 'circuit-open', until: openUntil, detail: `${failures} attempts failed in a row` }
      : { open: false, reason: 'throttled', until: openUntil, detail: 'the provider asked for patience' };
  if (parkedAt !== null) return { open: true, probe: 'parked' };
  return { open: true, probe: openUntil !== null && failing ? 'circuit-open' : null };
};

/**
 * Asks for the right to send one message now: the channel must not be closed, must have a message left in what it may send,
 * and, where it was closed until now, nobody else may be trying it. The caller holds the lock of the log.
 *
 * @param byHand somebody asked for this very message: it tries a closed channel too
 */
export const enterChannel = async (
  session: Session,
  channel: string,
  byHand: boolean,
  now: Instant,
  settings: GateSettings,
): Promise<Gate> => {
  const known = gateOf((await session.channelStates([channel])).get(channel), now, settings);
  if (!known.open && !(byHand && known.reason !== 'throttled')) return known;
  const limit = settings.rateLimits[channel];
  const waitMs = limit === undefined ? 0 : await session.takeToken(channel, limit);
  if (waitMs > 0)
    return { open: false, reason: 'throttled', until: addMs(now, waitMs), detail: 'the channel has sent what it may' };
  if (!known.open) return { open: true, probe: known.reason === 'parked' ? 'parked' : 'circuit-open' };
  if (known.probe === null || byHand) return known;
  // A turn to try it, shared by all replicas like the right to send: so long, one that dies with it holds up the others.
  const everyMs = settings.attemptTimeoutMs + settings.abandonedAfterMs;
  const probeWaitMs = await session.takeToken(probeBucket(channel), { everyMs, burst: 1 });
  if (probeWaitMs === 0) return known;
  return {
    open: false,
    reason: known.probe,
    until: addMs(now, probeWaitMs),
    detail: 'another message is trying whether the channel works again',
  };
};

/** Names of channels have no blanks, so this is the name of none. */
const probeBucket = (channel: string): string => `probe ${channel}`;

/**
 * What the end of an attempt says about the channel, beyond the message:
 * - `broken`: the key, the account or the address is refused, and somebody has to repair it.
 * - `failure`: it did not answer, or not well. Counts for the circuit.
 * - `busy`: it is well and asks for patience.
 * - `nothing`: it is about this message alone, or about us.
 */
export type ChannelNews = 'fine' | 'failure' | 'busy' | 'broken' | 'nothing';

/** What the end of an attempt says about the channel. */
export const channelNewsOf = (outcome: DeliveryOutcome): ChannelNews =>
  outcome.outcome === 'accepted' ? 'fine' : newsOf[outcome.reason];

const newsOf: Readonly<Record<DeliveryReason, ChannelNews>> = {
  'rate-limited': 'busy',
  'server-error': 'failure',
  'connection-refused': 'failure',
  dns: 'failure',
  tls: 'failure',
  'timeout-before-send': 'failure',
  timeout: 'failure',
  'connection-lost': 'failure',
  storage: 'failure',
  unauthorized: 'broken',
  misconfigured: 'broken',
  // A webhook that is gone: 404 and 410 (Standard Webhooks).
  'not-found': 'broken',
  'forbidden-address': 'broken',
  'bad-address': 'nothing',
  'bad-request': 'nothing',
  'too-large': 'nothing',
  // Our process died, slept or stopped; of the channel that says nothing.
  crashed: 'nothing',
  parked: 'nothing',
  'circuit-open': 'nothing',
  throttled: 'nothing',
  bounced: 'nothing',
  dropped: 'nothing',
};

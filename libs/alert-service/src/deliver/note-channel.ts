import { addMs, isAfter, retryAfterMaxMs, retryFirstMs } from '@tocsin/alert-model';
import type { DeliveryOutcome, Instant } from '@tocsin/alert-model';
import type { ChannelState, Delivery } from '@tocsin/event-store';
import { endComponent, raiseComponent } from '../component-alerts.ts';
import type { Component } from '../component-alerts.ts';
import type { ServiceContext, Session, TocsinEnqueue } from '../service-context.ts';
import { channelNewsOf } from './channel-gate.ts';

/** From this opening of its circuit in a row on, people are told that a channel does not work … */
const openingsToTell = 3;
/** … if it has not taken a message for so long, in milliseconds. */
const silenceToTellMs = 180_000;
/** Most messages let go at once when a channel works again; what else waits comes by itself when its time is over. */
const releasedMax = 1_000;
/** So that the look comes after the moment, not at it. */
const lookAgainMarginMs = 100;
/** Reasons for which a message waits for its channel, and not for its provider's word about an attempt. */
const waitsForChannel: readonly string[] = [
  'parked',
  'circuit-open',
  'throttled',
  'unauthorized',
  'misconfigured',
  'server-error',
  'connection-refused',
  'dns',
  'tls',
  'timeout-before-send',
  'storage',
];

/** What it takes to open a channel again. */
type ChannelContext = Pick<ServiceContext, 'store' | 'queue' | 'log'> & {
  readonly settings: Pick<ServiceContext['settings'], 'circuit' | 'unknownRetryMs'>;
};

/**
 * Notes what the end of an attempt says about its channel, for all notifiers: closes or opens the circuit, parks and unparks,
 * tells people through the other channels that it is broken and that it works again, and lets go what waited for it. Part of the
 * transaction that records the attempt; the caller holds the lock of the log.
 *
 * @param probe why the channel was closed when this attempt tried it
 */
export const noteChannel = async (
  context: ServiceContext,
  session: Session,
  { channel }: Delivery,
  outcome: DeliveryOutcome,
  probe: 'parked' | 'circuit-open' | null,
): Promise<void> => {
  const { circuit } = context.settings;
  const component: Component = { jobType: 'channel', targetId: channel };
  switch (channelNewsOf(outcome)) {
    case 'fine':
      return noteAccepted(context, session, channel, probe !== null);
    case 'failure': {
      const state = await session.recordChannelResult(channel, false, circuit);
      await tellSilent(context, session, state, outcome);
      return;
    }
    case 'busy': {
      // The others wait as long as this one.
      await session.holdChannel(channel, pauseOf(outcome));
      return;
    }
    case 'broken': {
      const reason = wordsOf(outcome);
      // One that was tried in vain is left alone for as long again.
      const isNew = await session.parkChannel(channel, reason);
      const notes = ['Messages go to the fallback channels until somebody repairs it; it is tried again now and then.'];
      await raiseComponent(context, session, component, { error: `The provider refused: ${reason}`, notes });
      if (isNew) context.log.error({ decision: 'ChannelParked', channel, reason }, 'a channel is parked');
      return;
    }
    case 'nothing':
      return;
    default:
      throw new TypeError('There is no other news of a channel.');
  }
};

const tellSilent = async (
  context: ServiceContext,
  session: Session,
  state: ChannelState,
  outcome: DeliveryOutcome,
): Promise<void> => {
  const now = await session.now();
  const { channel, failures, opened, openUntil, lastAcceptedAt } = state;
  if (failures === context.settings.circuit.failuresMax)
    context.log.warn({ decision: 'CircuitOpened', channel, openUntil }, 'the circuit of a channel opened');
  if (opened < openingsToTell || !isSilent(lastAcceptedAt, now)) return;
  const since =
    lastAcceptedAt === null ? 'It has never taken a message' : `It has not taken a message since ${lastAcceptedAt}`;
  const error = `${since}; ${failures} attempts failed in a row, the last one with ${wordsOf(outcome)}`;
  await raiseComponent(context, session, { jobType: 'channel', targetId: channel }, { error });
};

const isSilent = (lastAcceptedAt: Instant | null, now: Instant): boolean =>
  lastAcceptedAt === null || !isAfter(addMs(lastAcceptedAt, silenceToTellMs), now);

/** As long as the provider wants, or as long as the first wait before another attempt. */
const pauseOf = (outcome: DeliveryOutcome): number =>
  Math.max(1, Math.min((outcome.outcome === 'retry' ? outcome.retryAfterMs : null) ?? retryFirstMs, retryAfterMaxMs));

const wordsOf = (outcome: DeliveryOutcome): string => {
  if (outcome.outcome === 'accepted') return 'accepted';
  const { reason, status, detail } = outcome;
  return `${reason}${status === null ? '' : ` (${status})`}: ${detail}`;
};

/** A channel has taken a message; `wasClosed` when that was tried although it was closed. */
const noteAccepted = async (
  context: ChannelContext,
  session: Session,
  channel: string,
  wasClosed: boolean,
): Promise<void> => {
  const state = await session.recordChannelResult(channel, true, context.settings.circuit);
  if (!wasClosed && state.parkedAt === null) return;
  await session.unparkChannel(channel);
  await endComponent(context, session, { jobType: 'channel', targetId: channel }, 'it has taken a message again');
  await releaseWaiting(context, session, channel);
  context.log.info({ decision: 'ChannelWorksAgain', channel }, 'a channel works again');
};

/**
 * Notes that a person has seen a channel take a message: it is open again for all notifiers, and what waited for it is due now.
 *
 * @param fingerprint of the settings it was tried with, kept for `config check`
 * @returns whether it was closed before: parked, or its circuit open
 */
export const noteTested = (context: ChannelContext, channel: string, fingerprint: string): Promise<boolean> =>
  context.store.transaction('command', async (session) => {
    await session.lockLog();
    await session.verifyChannel(channel, fingerprint);
    const now = await session.now();
    const before = (await session.channelStates([channel])).get(channel);
    const wasClosed =
      before !== undefined &&
      (before.parkedAt !== null || (before.openUntil !== null && isAfter(before.openUntil, now)));
    await noteAccepted(context, session, channel, wasClosed);
    return wasClosed;
  });

/**
 * What waited for the channel is due now. What may have been sent was to wait for the provider's word first, and for the
 * channel since: it waits for the word alone now, as long as that is given.
 */
const releaseWaiting = async (context: ChannelContext, session: Session, channel: string): Promise<void> => {
  const { unknownRetryMs } = context.settings;
  const now = await session.now();
  const released = await session.releaseDeliveries(channel, { reasons: waitsForChannel, unknownRetryMs }, releasedMax);
  await context.queue.enqueue(
    session.tx,
    released.map(({ id, state }): TocsinEnqueue =>
      state === 'retrying'
        ? { queue: 'deliveries', data: { task: 'deliver', deliveryId: id } }
        : {
            queue: 'timers',
            data: { timer: 'delivery', deliveryId: id },
            startAfter: addMs(now, unknownRetryMs + lookAgainMarginMs),
          },
    ),
  );
};

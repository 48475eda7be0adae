import type { AlertState, DigestState, DomainEvent } from '@tocsin/alert-model';
import { cameBack } from '../printing/delivery-text.ts';
import { eventFacts } from '../printing/event-facts.ts';
import { listed } from '../printing/lines.ts';
import { utcTime } from '../printing/moment.ts';
import { muteText } from '../printing/mute-text.ts';
import type { AlertExplanation, AlertFacts, ExplainedDigest } from './alert-explanation.ts';
import { channelTroubleOf } from './channel-trouble.ts';
import { holdingConditions } from './holding-conditions.ts';
import { mutingsOf } from './mutings.ts';
import { nextActions } from './next-actions.ts';
import { isKeptByQuietHours } from './quiet-hours.ts';
import { mutedWords, suppressorsOf } from './suppressors.ts';

const deciding: ReadonlySet<DomainEvent['type']> = new Set([
  'AlertAcknowledged',
  'AlertUnacknowledged',
  'AcknowledgementLapsed',
  'AlertEscalated',
  'SeverityRaised',
  'FailureRetracted',
  'JobRepaired',
  'AlertSilenced',
  'AlertUnsilenced',
  'ResolutionHeld',
  'FlappingEnded',
  'NotificationFailed',
  'NotificationBounced',
  'AlertResolved',
  'ResolutionNotified',
]);

/** Says why an alert was told or not, and what comes next. Pure. */
export const explainAlert = (facts: AlertFacts): AlertExplanation => {
  const { state } = facts;
  return {
    alertId: state.id,
    key: state.key,
    title: state.title,
    state: state.state,
    severity: state.severity,
    verdict: verdictOf(facts),
    rule: state.rule ?? 'none matched',
    routes: state.routes,
    digests: explainDigests(facts),
    suppressors: suppressorsOf(facts),
    channels: facts.channels.flatMap((channel) => channelTroubleOf(channel, facts.now) ?? []),
    conditions: holdingConditions(facts),
    decisions: facts.events
      .filter(({ event }) => deciding.has(event.type))
      .map(({ event }) => ({ at: event.occurredAt, type: event.type, facts: eventFacts(event) })),
    next: nextActions(facts),
    planned: state.next,
  };
};

const verdictOf = (facts: AlertFacts): string => {
  const { state, deliveries, digests } = facts;
  const told = state.told.map(({ channel, at }) => `${channel} accepted it at ${utcTime(at)} UTC`);
  if (told.length > 0) return `Told: ${listed(told)}.${untoldRest(state)}`;
  const waiting = deliveries.filter(({ delivery }) => delivery.nextAttemptAt !== null);
  if (waiting.length > 0) {
    const channels = [...new Set(waiting.map(({ delivery }) => delivery.channel))];
    return `Not told yet: the message is on its way to ${listed(channels)}.`;
  }
  const open = digests.find((digest) => digest.state === 'open' && digest.id in state.batches);
  if (open !== undefined) return gatheredIn(open, state);
  if (state.resolution === null && mutedWords(state) !== null) return `Not told: ${mutedWords(state)}.`;
  if (state.failedDeliveries > 0)
    return state.bounces > 0
      ? 'Not told: the message was accepted and came back, and no channel is left.'
      : 'Not told: every channel gave it up.';
  if (state.state === 'acknowledged')
    return `Not told: ${state.acknowledgement?.by ?? 'somebody'} took it before anybody was told.`;
  const muting = mutingsOf(facts.events).at(-1);
  if (state.resolution !== null && muting !== undefined && muting.to === null)
    return `Not told: ${muteText(muting.silenceId, muting)} muted it until it was resolved. It is on record.`;
  return 'Not told yet.';
};

const gatheredIn = ({ purpose, route: name, dueAt }: DigestState, state: AlertState): string => {
  if (purpose === 'storm')
    return 'Not told yet: many alerts opened at once, so it goes out with them in one message of the storm.';
  const route = state.routes.find((one) => one.name === name);
  if (route !== undefined && isKeptByQuietHours(route, dueAt))
    return `Not told yet: it is gathered with others and goes out when the quiet hours of route ${name} are over.`;
  return purpose === 'window'
    ? 'Not told yet: it is gathered with others and goes out when the window of its route ends.'
    : 'Not told yet: its message is about to be made.';
};

const untoldRest = (state: AlertState): string => {
  const waiting = Object.values(state.pending).reduce((sum, { failures }) => Math.max(sum, failures), 0);
  const batched = Object.values(state.batches).reduce((sum, { batch }) => Math.max(sum, batch.failures), 0);
  if (waiting + batched === 0) return '';
  if (state.state === 'acknowledged') return ' What came since is not told while it is acknowledged.';
  if (state.resolution === null && waiting > 0) {
    const muted = mutedWords(state);
    if (muted !== null) return ` What came since is not told: ${muted}.`;
    if (state.flapping !== null) return ' What came since is not told while it is flapping.';
  }
  return ' What came since is not told yet.';
};

const explainDigests = (facts: AlertFacts): readonly ExplainedDigest[] =>
  facts.digests.map(({ id, route, purpose, state, openedAt, dueAt, sealedAt, storm }) => ({
    id,
    route,
    purpose,
    state,
    openedAt,
    dueAt,
    sealedAt,
    storm,
    deliveries: facts.deliveries
      .filter(({ delivery }) => delivery.digestId === id)
      .map(({ delivery, attempts }) => ({
        id: delivery.id,
        channel: delivery.channel,
        state: delivery.state,
        fallback: delivery.fallbackOf !== null,
        acceptedAt: delivery.acceptedAt,
        confirmedAt: delivery.confirmedAt,
        cameBack: cameBack(delivery),
        lastReason: delivery.lastReason,
        nextAttemptAt: delivery.nextAttemptAt,
        attempts: attempts.map(({ number, outcome, reason, detail, status, startedAt, endedAt }) => ({
          number,
          outcome,
          reason,
          detail,
          status,
          startedAt,
          endedAt,
        })),
        providerEvents: facts.providerEvents
          .filter(({ deliveryId }) => deliveryId === delivery.id)
          .map(({ event, recipient, detail, at }) => ({ event, recipient, detail, at })),
      })),
  }));

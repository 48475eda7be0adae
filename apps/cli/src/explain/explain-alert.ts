import type { AlertState, DomainEvent } from '@tocsin/alert-model';
import { eventFacts } from '../printing/event-facts.ts';
import { listed } from '../printing/lines.ts';
import { utcTime } from '../printing/moment.ts';
import type { AlertExplanation, AlertFacts, ExplainedDigest } from './alert-explanation.ts';
import { holdingConditions } from './holding-conditions.ts';
import { nextActions } from './next-actions.ts';

const deciding: ReadonlySet<DomainEvent['type']> = new Set([
  'AlertAcknowledged',
  'AlertUnacknowledged',
  'AcknowledgementLapsed',
  'AlertEscalated',
  'SeverityRaised',
  'FailureRetracted',
  'JobRepaired',
  'NotificationFailed',
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
    conditions: holdingConditions(facts),
    decisions: facts.events
      .filter(({ event }) => deciding.has(event.type))
      .map(({ event }) => ({ at: event.occurredAt, type: event.type, facts: eventFacts(event) })),
    next: nextActions(facts),
  };
};

const verdictOf = ({ state, deliveries, digests }: AlertFacts): string => {
  const told = state.told.map(({ channel, at }) => `${channel} accepted it at ${utcTime(at)} UTC`);
  if (told.length > 0) return `Told: ${listed(told)}.${untoldRest(state)}`;
  if (deliveries.some(({ delivery }) => delivery.nextAttemptAt !== null)) {
    const waiting = deliveries
      .filter(({ delivery }) => delivery.nextAttemptAt !== null)
      .map(({ delivery }) => delivery.channel);
    return `Not told yet: the message is on its way to ${listed([...new Set(waiting)])}.`;
  }
  if (digests.some((digest) => digest.state === 'open' && digest.id in state.batches))
    return 'Not told yet: it is gathered with others and goes out when the window of its route ends.';
  if (state.failedDeliveries > 0) return 'Not told: every channel gave it up.';
  if (state.state === 'acknowledged')
    return `Not told: ${state.acknowledgement?.by ?? 'somebody'} took it before anybody was told.`;
  return 'Not told yet.';
};

const untoldRest = (state: AlertState): string => {
  const waiting = Object.values(state.pending).reduce((sum, { failures }) => Math.max(sum, failures), 0);
  const batched = Object.values(state.batches).reduce((sum, { batch }) => Math.max(sum, batch.failures), 0);
  if (waiting + batched === 0) return '';
  return state.state === 'acknowledged'
    ? ' What came since is not told while it is acknowledged.'
    : ' What came since is not told yet.';
};

const explainDigests = ({ digests, deliveries }: AlertFacts): readonly ExplainedDigest[] =>
  digests.map(({ id, route, purpose, state, openedAt, dueAt, sealedAt }) => ({
    id,
    route,
    purpose,
    state,
    openedAt,
    dueAt,
    sealedAt,
    deliveries: deliveries
      .filter(({ delivery }) => delivery.digestId === id)
      .map(({ delivery, attempts }) => ({
        id: delivery.id,
        channel: delivery.channel,
        state: delivery.state,
        fallback: delivery.fallbackOf !== null,
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
      })),
  }));

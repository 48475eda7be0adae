import type { OutcomeRecord } from '@tocsin/event-store';
import { formatDuration } from '@tocsin/runtime';
import { cameBack } from '../printing/delivery-text.ts';
import { listed } from '../printing/lines.ts';
import { utcTime } from '../printing/moment.ts';
import { muteText, untilText } from '../printing/mute-text.ts';
import type { AlertFacts, AlertMoment } from './alert-explanation.ts';
import { mutingsOf } from './mutings.ts';
import type { Muting } from './mutings.ts';
import { isKeptByQuietHours } from './quiet-hours.ts';

/** Which messages told of this very outcome, route by route, and what kept them from it. */
export const fateOf = (outcome: Pick<OutcomeRecord, 'id'>, facts: AlertFacts): string => {
  const { events, state } = facts;
  const detected = events.find(({ event }) => event.type === 'FailureDetected' && event.data.outcomeId === outcome.id);
  if (detected === undefined) return 'its event is not in the log';
  return state.routes.map(({ name }) => fateOnRoute(name, detected, facts)).join('; ');
};

const fateOnRoute = (name: string, detected: AlertMoment, facts: AlertFacts): string => {
  const { version, digestId } = carrierOf(name, detected.version, facts);
  const mutings = mutingsOf(facts.events).filter(
    ({ fromVersion, toVersion }) =>
      fromVersion < (version ?? Infinity) && (toVersion === null || toVersion > detected.version),
  );
  const after = mutings
    .filter(({ to }) => to !== null)
    .map(afterMuting)
    .join('');
  if (digestId === null) return `on route ${name} ${whyNowhere(mutings, facts)}`;
  const deliveries = facts.deliveries.filter(({ delivery }) => delivery.digestId === digestId);
  const accepted = deliveries.filter(({ delivery }) => delivery.acceptedAt !== null && !cameBack(delivery));
  if (accepted.length > 0)
    return `told on route ${name}${after}: ${listed(accepted.map(({ delivery }) => `${delivery.channel} accepted it at ${utcTime(delivery.acceptedAt ?? '')} UTC`))}`;
  const digest = facts.digests.find(({ id }) => id === digestId);
  if (digest?.state === 'open') {
    const route = facts.state.routes.find((one) => one.name === name);
    const why =
      digest.purpose === 'storm'
        ? ', with all the others of the storm'
        : route !== undefined && isKeptByQuietHours(route, digest.dueAt)
          ? ', when its quiet hours are over'
          : '';
    return `on route ${name} it goes out at ${utcTime(digest.dueAt)} UTC${why}${after}`;
  }
  const back = deliveries.filter(({ delivery }) => cameBack(delivery)).map(({ delivery }) => delivery.channel);
  const whatElse =
    back.length > 0
      ? `${listed(back)} had accepted it and it came back, and no other channel has accepted it`
      : 'no channel has accepted it';
  return `on route ${name} its digest is ${digest?.state ?? 'sealed'}, and ${whatElse}`;
};

/**
 * The digest that told of what is known from a version on, or is to: the first that was neither withdrawn by a silence nor
 * given up by every channel. Of such ones the last, when there is no other.
 */
const carrierOf = (
  route: string,
  from: number,
  { events }: AlertFacts,
): { readonly version: number | null; readonly digestId: string | null } => {
  let last: { version: number; digestId: string } | null = null;
  for (const { version, event } of events) {
    if (version <= from) continue;
    if (event.type === 'AlertBatched' && event.data.route === route && event.data.purpose !== 'escalation') {
      last ??= { version, digestId: event.data.digestId };
    } else if (last !== null && event.type === 'AlertSilenced') {
      const { withdrawn } = event.data;
      const { digestId } = last;
      if (withdrawn.some((id) => id === digestId)) last = null;
    } else if (last !== null && event.type === 'NotificationFailed') {
      const { digestId, final } = event.data;
      // Its news goes into the next digest.
      if (final && digestId === last.digestId && isBatchedAgain(route, version, events)) last = null;
    }
  }
  return last ?? { version: null, digestId: null };
};

const isBatchedAgain = (route: string, after: number, events: readonly AlertMoment[]): boolean =>
  events.some(
    ({ version, event }) =>
      version > after &&
      event.type === 'AlertBatched' &&
      event.data.route === route &&
      event.data.purpose !== 'escalation',
  );

const whyNowhere = (mutings: readonly Muting[], { state }: AlertFacts): string => {
  const muting = mutings.findLast(({ to }) => to === null);
  if (muting !== undefined) {
    const mute = muteText(muting.silenceId, muting);
    return state.resolution === null
      ? `it is not told: ${mute} mutes it ${untilText(muting.end)}`
      : `it was not told: ${mute} muted it until it was resolved`;
  }
  if (state.state === 'acknowledged') return 'it sits in no digest while the alert is acknowledged';
  if (state.flapping !== null && state.resolution === null)
    return `it is held while the alert is flapping, until it has been fine or failing for ${formatDuration(state.flapping.holdMs)}`;
  return 'it sits in no digest';
};

const afterMuting = (muting: Muting): string =>
  ` (${muteText(muting.silenceId, muting)} muted it from ${utcTime(muting.from)} to ${utcTime(muting.to ?? '')} UTC)`;

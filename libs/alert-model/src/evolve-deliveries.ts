import type { AlertState, Batch } from './alert-state.ts';
import { emptyBatch, mergeBatches } from './batch.ts';
import { without } from './burden.ts';
import { atFootOfLadder, escalationOf } from './climb-ladder.ts';
import type { DigestPurpose, EventNamed } from './event.ts';
import { InvariantError } from './invariant-error.ts';
import { isSilenced } from './may-tell.ts';
import { putBack } from './tell-routes.ts';

/**
 * News of a route sits in a digest now.
 *
 * @throws InvariantError when the route has no news: the log is damaged or a decision has a bug
 */
export const alertBatched = (state: AlertState, event: EventNamed<'AlertBatched'>): AlertState => {
  const { digestId, route, purpose, dueAt } = event.data;
  const known = state.batches[digestId]?.batch;
  if (purpose === 'escalation') {
    const batch = mergeBatches(known ?? emptyBatch, { ...emptyBatch, escalation: escalationOf(state, route) });
    return { ...state, batches: { ...state.batches, [digestId]: { route, purpose, dueAt, batch } } };
  }
  const news = state.pending[route];
  if (news === undefined)
    throw new InvariantError(`Alert ${state.id} has no news for route ${route} to put into a digest.`);
  return {
    ...state,
    pending: without(state.pending, route),
    batches: {
      ...state.batches,
      [digestId]: { route, purpose, dueAt, batch: known === undefined ? news : mergeBatches(known, news) },
    },
  };
};

/** A channel accepted a message: what its digest held is told, and the clock starts where it stands still. */
export const alertNotified = (state: AlertState, event: EventNamed<'AlertNotified'>): AlertState => {
  const { digestId, deliveryId, route, purpose, channel, threadId, acceptedAt, reportedResolved } = event.data;
  const told = [
    ...state.told.filter((entry) => entry.route !== route || entry.channel !== channel),
    { route, channel, purpose, digestId, deliveryId, threadId, at: acceptedAt },
  ];
  const notified: AlertState = {
    ...state,
    batches: without(state.batches, digestId),
    told,
    notifiedAt: state.notifiedAt ?? acceptedAt,
    unansweredSince:
      state.unansweredSince ??
      (state.acknowledgement !== null || state.resolution !== null || !startsClock(purpose) ? null : acceptedAt),
    resolutionToldTo: reportedResolved ? union(state.resolutionToldTo, `${route} ${channel}`) : state.resolutionToldTo,
  };
  // Composed before the recovery, accepted after it: this channel is owed the resolution.
  return state.resolution !== null && !reportedResolved ? tellResolution(notified) : withoutRepeats(notified);
};

/** Who is told of an escalation is told that the clock has run out; a list of what is open tells nothing new. */
const startsClock = (purpose: DigestPurpose): boolean => purpose !== 'escalation' && purpose !== 'heartbeat';

/** A channel gave a message up; when no other can tell it, its news waits again. */
export const notificationFailed = (state: AlertState, event: EventNamed<'NotificationFailed'>): AlertState => {
  const { digestId, final } = event.data;
  if (!final) return state;
  const failed = { ...state, failedDeliveries: state.failedDeliveries + 1 };
  const entry = state.batches[digestId];
  // Another channel has accepted it, or an escalation nobody can carry: there is no news to put back.
  if (entry === undefined || entry.purpose === 'escalation')
    return { ...failed, batches: without(failed.batches, digestId) };
  const rest = { ...failed, batches: without(failed.batches, digestId) };
  return isMutedForGood(rest, entry.route) ? rest : { ...rest, pending: putBack(rest.pending, entry) };
};

/**
 * Whoever the message was for has not read it. What it told is on its way to the next channel, or, where there is none,
 * counted as a delivery that no channel took; it is not put back, or it would come back for ever.
 */
export const notificationBounced = (state: AlertState, { data }: EventNamed<'NotificationBounced'>): AlertState => {
  const { route, channel, deliveryId, fallback } = data;
  const told = state.told.filter((entry) => entry.deliveryId !== deliveryId);
  if (told.length === state.told.length) return state;
  const bounced: AlertState = {
    ...state,
    told,
    bounces: state.bounces + 1,
    failedDeliveries: state.failedDeliveries + (fallback === null ? 1 : 0),
    resolutionToldTo: state.resolutionToldTo.filter((name) => name !== `${route} ${channel}`),
    ...(told.length > 0 ? {} : { ...atFootOfLadder, unansweredSince: null }),
  };
  return state.resolution === null ? bounced : withoutOrphans(withoutRepeats(bounced));
};

/**
 * The resolution is news for the routes that told of the failure and have not told of its end. A route whose digest is
 * still open needs no further news: the digest will say "failed and recovered". What a silence muted to the end stays on
 * record only, where nobody was told before.
 */
export const tellResolution = (state: AlertState): AlertState => {
  const pending: Record<string, Batch> = { ...state.pending };
  for (const { name } of state.routes) {
    const owed = state.told.some(
      (entry) => entry.route === name && !state.resolutionToldTo.includes(`${name} ${entry.channel}`),
    );
    const known = pending[name];
    if (isMutedForGood(state, name)) delete pending[name];
    else if (owed || known !== undefined)
      pending[name] = mergeBatches(known ?? emptyBatch, { ...emptyBatch, resolved: true });
  }
  return { ...state, pending };
};

/** It is over, and a silence muted it to the end: where nobody was told of the failure, nobody is told of the rest. */
const isMutedForGood = (state: AlertState, route: string): boolean =>
  state.resolution !== null && isSilenced(state) && !state.told.some((entry) => entry.route === route);

/**
 * Once all who were told on a route know that it is over, what its digests still hold is no news any more: the message that
 * said so counted every failure. That happens where several digests of a route were open or under way when it was resolved.
 */
export const withoutRepeats = (state: AlertState): AlertState => {
  const kept = Object.entries(state.batches).filter(([, { route }]) => !isKnownToBeOver(state, route));
  return kept.length === Object.keys(state.batches).length ? state : { ...state, batches: Object.fromEntries(kept) };
};

const isKnownToBeOver = (state: AlertState, route: string): boolean => {
  const told = state.told.filter((one) => one.route === route);
  return (
    state.resolution !== null &&
    told.length > 0 &&
    told.every(({ channel }) => state.resolutionToldTo.includes(`${route} ${channel}`))
  );
};

/** The resolution of what nobody knows of is no news, unless it comes with the failure. */
const withoutOrphans = (state: AlertState): AlertState => {
  const isOrphan = (route: string, { failures }: Batch): boolean =>
    failures === 0 && !state.told.some((one) => one.route === route);
  const pending = Object.entries(state.pending).filter(([route, batch]) => !isOrphan(route, batch));
  const batches = Object.entries(state.batches).filter(([, { route, batch }]) => !isOrphan(route, batch));
  return { ...state, pending: Object.fromEntries(pending), batches: Object.fromEntries(batches) };
};

/** The list with the item, once. */
export const union = (list: readonly string[], item: string): readonly string[] =>
  list.includes(item) ? list : [...list, item];

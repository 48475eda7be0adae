import type { JoinDigest } from './effects.ts';
import type { AlertEvent, DigestPurpose, EventNamed } from './event.ts';
import type { AlertId, DigestId, Instant } from './ids.ts';
import { addMs, compareInstants, isAfter, later } from './instant.ts';
import { stormGatherMs } from './policy.ts';
import type { Hours, StormPolicy } from './policy.ts';

/** How much later than asked for news may be told because there is a digest it can join, in milliseconds. */
const joinSlackMs = 60_000;

/** What joining digests comes to: an AlertBatched for each alert and route, and the digests that had to be opened. */
export interface Joined {
  readonly batched: readonly { readonly alertId: AlertId; readonly event: AlertEvent }[];
  readonly opened: readonly EventNamed<'DigestOpened'>[];
}

/** A digest that is not sealed. */
export interface OpenDigest {
  readonly id: DigestId;
  readonly route: string;
  readonly purpose: DigestPurpose;
  readonly dueAt: Instant;
  /** Who is told: each level of an escalation is for somebody else, and an alert keeps the channels it opened with. */
  readonly channels: readonly string[];
}

/** What is known of storms at the moment. */
export interface Storms {
  /** null: many alerts at once are never one incident. */
  readonly storm: StormPolicy | null;
  /** Whether an alert of a source that is opened now is part of a storm: of how many keys, and of which source alone. */
  readonly inStorm: (source: string) => { readonly keys: number; readonly source: string | null } | null;
  /** The latest message of a storm on each route that has had one lately, and the conversation it belongs to. */
  readonly lastStorm: ReadonlyMap<string, { readonly sealedAt: Instant; readonly threadId: DigestId }>;
}

/** What joining digests needs to know of the moment. */
export interface JoinContext {
  readonly hours: Hours;
  readonly storms: Storms;
}

/**
 * Puts news into the open digest of its route, purpose and channels, opening one where there is none. The window begins with
 * its first news, so a digest is never empty.
 *
 * In quiet hours news waits for their end; what breaks through is told at once, in a digest of its own. In a storm, what
 * opens and what was told as part of one goes into the storm's digest, unless the route is about to send another.
 *
 * @param joins JoinDigest effects of one transaction, repeats allowed
 * @param open the open digests there are
 * @param newId makes the identity of a digest that is opened
 */
export const joinDigests = (
  joins: readonly JoinDigest[],
  open: readonly OpenDigest[],
  newId: () => DigestId,
  now: Instant,
  context: JoinContext,
): Joined => {
  const digests = Map.groupBy(open.toSorted(byDueAt), slotOf);
  const opened: EventNamed<'DigestOpened'>[] = [];
  const batched = new Map<string, { alertId: AlertId; event: AlertEvent }>();
  for (const join of joins) {
    const wanted = wish(join, digests, now, context);
    const slot = slotOf(wanted);
    let digest = digests.get(slot)?.find((one) => mayJoin(one, wanted.dueAt, join.channels));
    if (digest === undefined) {
      const { route, purpose, dueAt } = wanted;
      digest = { id: newId(), route, purpose, dueAt, channels: join.channels };
      digests.set(slot, [...(digests.get(slot) ?? []), digest].toSorted(byDueAt));
      opened.push(opening(digest, join, wanted.storm, now));
    }
    const { id: digestId, route, purpose, dueAt } = digest;
    const event: AlertEvent = { type: 'AlertBatched', occurredAt: now, data: { digestId, route, purpose, dueAt } };
    // News is taken whole, so an alert that asked twice has no more of it for the second digest.
    batched.set(`${join.alertId} ${purpose === 'escalation' ? digestId : ''} ${route}`, {
      alertId: join.alertId,
      event,
    });
  }
  return { batched: [...batched.values()], opened };
};

/** Where news would go if there were no open digest. */
interface Wanted {
  readonly route: string;
  readonly purpose: DigestPurpose;
  readonly dueAt: Instant;
  readonly storm: EventNamed<'DigestOpened'>['data']['storm'];
}

const wish = (
  join: JoinDigest,
  digests: ReadonlyMap<string, readonly OpenDigest[]>,
  now: Instant,
  { hours, storms }: JoinContext,
): Wanted => {
  const { route, purpose, quietHours, breaksThrough } = join;
  if (purpose !== 'window' && purpose !== 'urgent')
    return { route, purpose, dueAt: addMs(now, join.windowMs), storm: null };
  const storm = stormOf(join, now, storms);
  if (storm !== null) {
    const dueAt = breaksThrough ? storm.dueAt : hours.firstOutside(quietHours, storm.dueAt);
    const window = digests.get(slotOf({ route, purpose: 'window' }))?.find((one) => mayJoin(one, dueAt, join.channels));
    if (window === undefined || isAfter(window.dueAt, dueAt)) return { ...storm, dueAt };
    return { route, purpose: 'window', dueAt: window.dueAt, storm: null };
  }
  if (hours.isWithin(quietHours, now))
    return breaksThrough
      ? { route, purpose: 'urgent', dueAt: now, storm: null }
      : { route, purpose: 'window', dueAt: hours.firstOutside(quietHours, addMs(now, join.windowMs)), storm: null };
  if (purpose === 'urgent') return { route, purpose, dueAt: now, storm: null };
  const dueAt = addMs(now, join.windowMs);
  // A window that ends in quiet hours began before them.
  return { route, purpose, dueAt: breaksThrough ? dueAt : hours.firstOutside(quietHours, dueAt), storm: null };
};

const stormOf = (join: JoinDigest, now: Instant, { storm, inStorm, lastStorm }: Storms): Wanted | null => {
  if (storm === null) return null;
  const { route } = join;
  const happening = join.opened ? inStorm(join.source) : null;
  const last = lastStorm.get(route);
  // What became of a storm's alerts long after it is told like that of any other.
  if (happening === null && (!join.ofStorm || last === undefined)) return null;
  const soon = addMs(now, stormGatherMs);
  return {
    route,
    purpose: 'storm',
    dueAt: last === undefined ? soon : later(soon, addMs(last.sealedAt, storm.updateMs)),
    storm: {
      keys: happening?.keys ?? 0,
      withinMs: storm.withinMs,
      source: happening?.source ?? null,
      threadId: last?.threadId ?? null,
    },
  };
};

/**
 * A digest is for the same people, and is not told much later than the news itself would be: it may wait for the end of
 * quiet hours, or have been opened when the window was longer. Small differences are none: transactions do not see the same
 * time.
 */
const mayJoin = (digest: OpenDigest, dueAt: Instant, channels: readonly string[]): boolean =>
  digest.channels.length === channels.length &&
  channels.every((name) => digest.channels.includes(name)) &&
  !isAfter(digest.dueAt, addMs(dueAt, joinSlackMs));

const opening = (
  { id: digestId, route, purpose, dueAt }: OpenDigest,
  { channels, fallback }: JoinDigest,
  storm: Wanted['storm'],
  now: Instant,
): EventNamed<'DigestOpened'> => ({
  type: 'DigestOpened',
  occurredAt: now,
  data: { digestId, route, purpose, channels: [...channels], fallback: [...fallback], dueAt, storm },
});

const byDueAt = (a: OpenDigest, b: OpenDigest): number => compareInstants(a.dueAt, b.dueAt);

const slotOf = ({ route, purpose }: Pick<OpenDigest, 'route' | 'purpose'>): string => `${purpose} ${route}`;

import { randomUUID } from 'node:crypto';
import { addMs, decideSilence, decideUnsilence, isAfter } from '@tocsin/alert-model';
import type { AlertId, AlertState, Instant, Match } from '@tocsin/alert-model';
import type { Silence } from '@tocsin/event-store';
import { v5 as uuidv5 } from 'uuid';
import { jobNamespace } from './job-namespace.ts';
import { logDecided } from './log-decided.ts';
import { isOver, mutes, termsOf } from './matching-silences.ts';
import type { ServiceContext, Session, TocsinEnqueue } from './service-context.ts';
import { beginWork } from './unit-of-work.ts';
import type { Decided, UnitOfWork } from './unit-of-work.ts';

/** Alerts muted or unmuted by one transaction. */
export const alertsPerSilencingMax = 500;
/** Pieces of one run; alerts beyond them are reached by the next. */
const piecesMax = 1_000;
/** Most alerts that a silence can be bound to: those are listed in it one by one. */
export const boundAlertsMax = 10_000;
/** Longest silence: a mute without an end is how alerts are lost. */
export const silenceMaxMs = 366 * 86_400_000;

type SilenceContext = Pick<ServiceContext, 'store' | 'queue' | 'log' | 'policy'>;

/** What a command about a silence came to. */
export type SilenceResult =
  | {
      readonly done: true;
      readonly silence: Silence;
      /** Open alerts it muted, or that are heard again, just now. */
      readonly alerts: number;
    }
  | { readonly done: false; readonly refused: string };

/** When a silence is to end; a span is counted from its start. */
export type SilenceEndRequest =
  | { readonly until: 'time'; readonly at: Instant }
  | { readonly until: 'span'; readonly ms: number }
  /** With the resolution of the open alerts that match now. */
  | { readonly until: 'resolved' };

/**
 * Mutes what matches until an end. Open alerts that match are muted at once, or at its start; what they have to say waits
 * on record. Refused without an end ahead, and until the resolution of alerts when none that matches is open.
 */
export const addSilence = async (
  context: SilenceContext,
  command: {
    readonly match: Match;
    readonly by: string;
    readonly reason: string | null;
    readonly end: SilenceEndRequest;
    /** null: now. */
    readonly startsAt: Instant | null;
  },
): Promise<SilenceResult> => {
  const id = randomUUID();
  const added = await context.store.transaction('command', async (session): Promise<string | null> => {
    await session.lockLog();
    const now = await session.now();
    const startsAt = command.startsAt !== null && isAfter(command.startsAt, now) ? command.startsAt : now;
    const end =
      command.end.until === 'span' ? ({ until: 'time', at: addMs(startsAt, command.end.ms) } as const) : command.end;
    if (end.until === 'time' && !isAfter(end.at, startsAt))
      return `the silence would be over before it begins, at ${end.at}`;
    if (end.until === 'time' && isAfter(end.at, addMs(startsAt, silenceMaxMs)))
      return `the silence would last longer than ${silenceMaxMs / 86_400_000} days; a mute without an end is how alerts are lost`;
    const alertIds = end.until === 'resolved' ? await openAlertsOf(session, command.match) : [];
    if (end.until === 'resolved' && alertIds.length === 0)
      return 'no open alert matches, so there is no resolution for the silence to end with; give it a time';
    if (alertIds.length > boundAlertsMax)
      return `more than ${boundAlertsMax.toLocaleString('en')} open alerts match; give the silence a time to end at`;
    const { match, by, reason } = command;
    const silence = { id, name: null, match, by, reason, startsAt, end, alertIds };
    await session.insertSilences([silence]);
    await context.queue.enqueue(session.tx, timersOf(silence));
    return null;
  });
  if (added !== null) return { done: false, refused: added };
  context.log.info(
    { decision: 'SilenceAdded', silenceId: id, by: command.by, reason: command.reason },
    'silence added',
  );
  // The timer would do it as well; whoever gives the command sees what it did.
  const alerts = await carryOutSilence(context, id);
  const silence = await findSilence(context, id);
  return silence === null ? { done: false, refused: `there is no silence ${id}` } : { done: true, silence, alerts };
};

/** Ends a silence before its time. What happened under it is told. Refused when it is over. */
export const endSilence = async (context: SilenceContext, id: string, by: string): Promise<SilenceResult> => {
  const ended = await context.store.transaction('command', async (session): Promise<string | null> => {
    await session.lockLog();
    const silence = (await session.loadSilences([id]))[0];
    if (silence === undefined) return `there is no silence ${id}`;
    if (silence.endedAt !== null || !(await session.endSilence(id, 'ended', by)))
      return `the silence is over since ${silence.endedAt ?? 'just now'}`;
    // Should this process not live to unmute the alerts, the timer does.
    await context.queue.enqueue(session.tx, [{ queue: 'timers', data: { timer: 'silence', silenceId: id } }]);
    return null;
  });
  if (ended !== null) return { done: false, refused: ended };
  context.log.info({ decision: 'SilenceEnded', silenceId: id, by }, 'silence ended');
  const alerts = await carryOutSilence(context, id);
  const silence = await findSilence(context, id);
  return silence === null ? { done: false, refused: `there is no silence ${id}` } : { done: true, silence, alerts };
};

/**
 * Does what a silence asks for at this moment: mutes the open alerts that match once it has begun, lets them be heard
 * again once it is over. Goes in pieces; may be called at any time and by several at once, and goes on where another
 * stopped. Answers how many alerts it muted or unmuted.
 */
export const carryOutSilence = async (context: SilenceContext, id: string): Promise<number> => {
  let changed = 0;
  let after: AlertId | null = null;
  for (let piece = 0; piece < piecesMax; piece += 1) {
    const from: AlertId | null = after;
    const { decided, next }: Piece = await context.store.transaction('notifier.silence', async (session) => {
      await session.lockLog();
      const now = await session.now();
      const work = beginWork(context, session, now);
      const silence = (await session.loadSilences([id]))[0];
      const reached: AlertId | null =
        silence === undefined ? null : await carryOutPiece(session, work, silence, from, now);
      await work.flush();
      return { decided: work.decided, next: reached };
    });
    logDecided(context, decided);
    changed += decided.filter(({ decision }) => decision === 'AlertSilenced' || decision === 'AlertUnsilenced').length;
    if (next === null) return changed;
    after = next;
  }
  return changed;
};

interface Piece {
  readonly decided: readonly Decided[];
  /** Where the next one begins; null when there is none. */
  readonly next: AlertId | null;
}

/** One piece of it. Answers the alert it came to, or null when there is nothing more to do. */
const carryOutPiece = async (
  session: Session,
  work: UnitOfWork,
  silence: Silence,
  after: AlertId | null,
  now: Instant,
): Promise<AlertId | null> => {
  if (isAfter(silence.startsAt, now)) {
    work.enqueue(timerAt(silence.id, silence.startsAt));
    return null;
  }
  if (silence.endedAt !== null) return unmute(session, work, silence, silence.endCause ?? 'expired', after, now);
  if (await isToEnd(session, silence, now)) {
    await session.endSilence(silence.id, 'expired', null);
    return unmute(session, work, silence, 'expired', after, now);
  }
  if (silence.appliedAt !== null) return null;
  return mute(session, work, silence, after, now);
};

/** Whether a silence that is still on has come to its end: its time, or the resolution of the last alert it was made for. */
const isToEnd = async (session: Session, silence: Silence, now: Instant): Promise<boolean> =>
  silence.end.until === 'time' ? isOver(silence, now) : (await session.countOpenOf(silence.alertIds)) === 0;

const mute = async (
  session: Session,
  work: UnitOfWork,
  silence: Silence,
  after: AlertId | null,
  now: Instant,
): Promise<AlertId | null> => {
  const states = await nextAlerts(session, silence, after);
  const openDigestIds = new Set((await session.loadOpenDigests()).map(({ id }) => id));
  const muted = states.filter((state) => state.state !== 'resolved' && mutes(silence, state));
  work.load(muted);
  for (const { id } of muted) {
    const state = work.stateOf(id);
    if (state !== undefined) work.apply(id, decideSilence(state, termsOf(silence), openDigestIds, now));
  }
  const last = states.at(-1)?.id ?? null;
  if (last !== null && states.length >= alertsPerSilencingMax) return last;
  await session.markSilenceApplied(silence.id);
  return null;
};

/** The next alerts that may have to be muted, in id order. */
const nextAlerts = async (
  session: Session,
  { end, alertIds }: Silence,
  after: AlertId | null,
): Promise<readonly AlertState[]> => {
  if (end.until === 'time') return session.openAlerts(after, alertsPerSilencingMax);
  const rest = alertIds.toSorted().filter((id) => after === null || id > after);
  return session.loadAlerts(rest.slice(0, alertsPerSilencingMax));
};

const unmute = async (
  session: Session,
  work: UnitOfWork,
  silence: Silence,
  cause: 'expired' | 'ended',
  after: AlertId | null,
  now: Instant,
): Promise<AlertId | null> => {
  const states = await session.alertsOfSilence(silence.id, after, alertsPerSilencingMax);
  work.load(states);
  for (const state of states) work.apply(state.id, decideUnsilence(state, silence.id, cause, silence.endedBy, now));
  return states.length < alertsPerSilencingMax ? null : (states.at(-1)?.id ?? null);
};

/** A silence of the configuration file. */
export interface ConfiguredSilence {
  /** Unique in the file. */
  readonly name: string;
  readonly match: Match;
  /** null: from when it is first seen on. */
  readonly from: Instant | null;
  readonly until: Instant;
  readonly reason: string | null;
}

/** Who makes and ends the silences of the configuration file. */
export const configuredBy = 'tocsin.yaml';
/** Most silences looked at for those that left the file. */
const listedMax = 1_000;

/**
 * Makes the silences of the configuration file those that are in force: new ones are added, those that left the file are
 * ended. A silence whose time or match was changed is a new one, and the old one is ended. Called at the start; several
 * processes may do so at once.
 */
export const syncConfigSilences = async (
  context: SilenceContext,
  configured: readonly ConfiguredSilence[],
): Promise<{ readonly added: number; readonly ended: number }> => {
  const { added, gone } = await context.store.transaction('notifier.silences', async (session) => {
    await session.lockLog();
    const now = await session.now();
    const wanted = await identify(session, configured);
    const fresh = [...wanted.values()]
      .filter(({ isKnown, silence }) => !isKnown && isAfter(silence.until, now))
      .map(({ id, silence: { name, match, from, until, reason } }) => ({
        id,
        name,
        match,
        by: configuredBy,
        reason,
        startsAt: from ?? now,
        end: { until: 'time', at: until } as const,
        alertIds: [],
      }));
    await session.insertSilences(fresh);
    const current = await session.listSilences({ ended: false, limit: listedMax });
    const left = current.filter(({ id, name }) => name !== null && !wanted.has(id)).map(({ id }) => id);
    await context.queue.enqueue(session.tx, fresh.flatMap(timersOf));
    return { added: fresh.map(({ id }) => id), gone: left };
  });
  for (const id of gone) await endSilence(context, id, configuredBy);
  for (const id of added) await carryOutSilence(context, id);
  return { added: added.length, ended: gone.length };
};

interface Identified {
  readonly id: string;
  readonly silence: ConfiguredSilence;
  readonly isKnown: boolean;
}

/** How often a silence can leave the file and come back. */
const returnsMax = 20;

/**
 * The identity of each: the same in every process and after every restart, and another one for a silence that had left
 * the file and is back in it. One that somebody has ended by hand stays ended.
 */
const identify = async (
  session: Session,
  configured: readonly ConfiguredSilence[],
): Promise<ReadonlyMap<string, Identified>> => {
  const found = new Map<string, Identified>();
  let open = configured.map((silence): Identified => ({ id: idOf(silence), silence, isKnown: false }));
  for (let turn = 0; turn < returnsMax && open.length > 0; turn += 1) {
    const known = new Map((await session.loadSilences(open.map(({ id }) => id))).map((stored) => [stored.id, stored]));
    const next: Identified[] = [];
    for (const one of open) {
      const stored = known.get(one.id);
      if (stored !== undefined && stored.endedBy === configuredBy)
        next.push({ ...one, id: uuidv5(`silence ${one.id} again`, jobNamespace) });
      else found.set(one.id, { ...one, isKnown: stored !== undefined });
    }
    open = next;
  }
  return found;
};

const idOf = ({ name, match, from, until }: ConfiguredSilence): string =>
  uuidv5(`silence ${JSON.stringify([name, match, from, until])}`, jobNamespace);

const openAlertsOf = async (session: Session, match: Match): Promise<readonly AlertId[]> => {
  const found: AlertId[] = [];
  const silence = { match, end: { until: 'time', at: '' }, alertIds: [] } as const;
  for (let after: AlertId | null = null, piece = 0; piece < piecesMax && found.length <= boundAlertsMax; piece += 1) {
    const states: readonly AlertState[] = await session.openAlerts(after, alertsPerSilencingMax);
    found.push(...states.filter((state) => mutes(silence, state)).map(({ id }) => id));
    after = states.at(-1)?.id ?? null;
    if (states.length < alertsPerSilencingMax) break;
  }
  return found;
};

const findSilence = (context: SilenceContext, id: string): Promise<Silence | null> =>
  context.store.read(async (session) => (await session.loadSilences([id]))[0] ?? null);

/** Wake-ups for the start and, where it has a time, the end. */
const timersOf = ({ id, startsAt, end }: Pick<Silence, 'id' | 'startsAt' | 'end'>): readonly TocsinEnqueue[] => [
  timerAt(id, startsAt),
  ...(end.until === 'time' ? [timerAt(id, end.at)] : []),
];

const timerAt = (silenceId: string, at: Instant): TocsinEnqueue => ({
  queue: 'timers',
  data: { timer: 'silence', silenceId },
  startAfter: at,
  id: uuidv5(`silence ${silenceId} ${at}`, jobNamespace),
});

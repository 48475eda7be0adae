import { decideLapse, decideSettle, decideUnsilence } from '@tocsin/alert-model';
import type { AlertState, Instant, NextAction } from '@tocsin/alert-model';
import { v5 as uuidv5 } from 'uuid';
import { escalateState } from './escalate.ts';
import { jobOf, outcomeOf } from './ingest/ingestion.ts';
import { jobNamespace } from './job-namespace.ts';
import { logDecided } from './log-decided.ts';
import { isOver } from './matching-silences.ts';
import type { ServiceContext, Session, TocsinEnqueue } from './service-context.ts';
import { carryOutSilence } from './silences.ts';
import type { DeliveryTask } from './tasks.ts';
import { beginWork } from './unit-of-work.ts';
import type { UnitOfWork } from './unit-of-work.ts';

/** Most overdue items picked up by one sweep; the next sweep goes on. */
export const sweepMax = 200;

/** How long a failure is held below its threshold, in milliseconds; then it is let go and never told. */
export const heldMaxMs = 14 * 86_400_000;

/** What a sweep found and set going again. */
export interface Swept {
  readonly digests: number;
  readonly deliveries: number;
  readonly unsettled: number;
  /** Failures held for too long, let go. */
  readonly letGo: number;
}

/**
 * The second net under the queue: looks in our own tables for what should have happened by now and enqueues it again.
 * Every handler looks at what is so before it acts, so a job too many does no harm. In the same transaction the process
 * gives its sign of life: a heartbeat means that this loop turns and the database takes its writes.
 *
 * @param instance name of this process in `tocsin.heartbeats`
 * @param progress what it says of itself there
 */
export const sweep = (
  context: ServiceContext,
  instance: string,
  progress: Readonly<Record<string, unknown>> = {},
): Promise<Swept> =>
  context.store.transaction('notifier.sweep', async (session) => {
    await session.beat('notifier', instance, progress);
    const letGo = await letGoStale(context, session);
    const digests = await session.dueDigests(sweepMax);
    const deliveries = await session.dueDeliveries(sweepMax);
    const unsettled = await session.unsettledDeliveries(sweepMax);
    const found = { digests: digests.length, deliveries: deliveries.length, unsettled: unsettled.length, letGo };
    if (found.digests + found.deliveries + found.unsettled === 0) return found;
    // One extra job per item and minute at most, however often it is seen waiting.
    const minute = (await session.now()).slice(0, 16);
    const again = (data: DeliveryTask, subject: string): TocsinEnqueue => ({
      queue: 'deliveries',
      data,
      id: uuidv5(`sweep ${data.task} ${subject} ${minute}`, jobNamespace),
    });
    await context.queue.enqueue(session.tx, [
      ...digests.map((digestId) => again({ task: 'seal', digestId }, digestId)),
      ...deliveries.map((deliveryId) => again({ task: 'deliver', deliveryId }, deliveryId)),
      ...unsettled.map((deliveryId) => again({ task: 'settle', deliveryId }, deliveryId)),
    ]);
    return found;
  });

/** Failures that waited too long for others to reach a threshold with are on record as ignored from now on. */
const letGoStale = async ({ log }: ServiceContext, session: Session): Promise<number> => {
  const stale = await session.staleHeld(heldMaxMs, sweepMax);
  if (stale.length === 0) return 0;
  // Recorded before released: an alert that takes one in at this moment keeps it.
  await session.recordOutcomes(stale.map(({ signal }) => outcomeOf(signal, null, 'ignored')));
  await session.releaseHeld(stale.map(({ signal }) => signal.outcomeId));
  for (const { rule, signal } of stale)
    log.info(
      { decision: 'FailureIgnored', reason: `${rule}: its threshold was not reached`, job: jobOf(signal) },
      'failure ignored by rule',
    );
  return stale.length;
};

/** So long a clock may be past its time before the second net looks at it, in milliseconds: its own timer goes first. */
export const overdueGraceMs = 60_000;

/** What the second net did itself, because the timers for it are gone. */
export interface CaughtUp {
  /** Alerts whose clock had run out and that something came of. */
  readonly alerts: number;
  /** Silences that began or ended. */
  readonly silences: number;
}

/**
 * The rest of the second net: clocks of alerts and silences that should have been carried out by now. In ordinary times
 * three statements that find nothing.
 */
export const catchUp = async (context: ServiceContext): Promise<CaughtUp> => ({
  alerts: await catchUpAlerts(context),
  silences: await catchUpSilences(context),
});

const catchUpAlerts = async (context: ServiceContext): Promise<number> => {
  const overdue = await context.store.read((session) => session.overdueAlerts(overdueGraceMs, sweepMax));
  const ids = overdue.filter(({ action }) => carriedOutHere.has(action)).map(({ id }) => id);
  if (ids.length === 0) return 0;
  const decided = await context.store.transaction('notifier.catch_up', async (session) => {
    await session.lockLog();
    const now = await session.now();
    const work = beginWork(context, session, now);
    const states = await session.loadAlerts(ids);
    work.load(states);
    for (const state of states) catchUpAlert(work, state, now);
    await work.flush();
    return work.decided;
  });
  logDecided(context, decided);
  return new Set(decided.filter(({ decision }) => decision !== 'Refused').map(({ alertId }) => alertId)).size;
};

/** Digests and their deliveries are looked for in tables of their own. */
const carriedOutHere: ReadonlySet<NextAction['action']> = new Set([
  'rejoin',
  'escalate',
  'lapse',
  'settle',
  'unsilence',
]);

/** Does what is next for an alert as it is now; every decision refuses what is not due. */
const catchUpAlert = (work: UnitOfWork, state: AlertState, now: Instant): void => {
  switch (state.next.action) {
    case 'escalate':
      escalateState(work, state, now);
      return;
    case 'lapse':
      work.apply(state.id, decideLapse(state, now));
      return;
    case 'settle':
      work.apply(state.id, decideSettle(state, now));
      return;
    case 'unsilence':
      for (const [silenceId, { end }] of Object.entries(state.silences)) {
        const current = work.stateOf(state.id);
        if (current !== undefined && isOver({ end }, now))
          work.apply(state.id, decideUnsilence(current, silenceId, 'expired', null, now));
      }
      return;
    case 'rejoin':
      // What no channel took is put back by `rejoinStrayNews`, far less often.
      if (state.failedDeliveries === 0) work.rejoin(state);
      return;
    case 'digest':
    case 'wait':
    case 'none':
      return;
    default:
      state.next.action satisfies never;
  }
};

const catchUpSilences = async (context: ServiceContext): Promise<number> => {
  const ids = await context.store.read(async (session) => {
    const found = (await session.dueSilences(sweepMax)).map(({ id }) => id);
    for (const { id, end, alertIds } of await session.activeSilences())
      if (end.until === 'resolved' && (await session.countOpenOf(alertIds)) === 0) found.push(id);
    return [...new Set(found)].slice(0, sweepMax);
  });
  for (const id of ids) await carryOutSilence(context, id);
  return ids.length;
};

/**
 * Puts news back on its way that no channel could carry, or that found no room in a digest. Called far less often than
 * `sweep`: a message that every channel refused is not to be composed again every few seconds.
 */
export const rejoinStrayNews = async (context: ServiceContext): Promise<number> => {
  const ids = await context.store.read((session) => session.alertsWithStrayNews(sweepMax));
  if (ids.length === 0) return 0;
  const decided = await context.store.transaction('notifier.rejoin', async (session) => {
    await session.lockLog();
    const work = beginWork(context, session, await session.now());
    for (const state of await session.loadAlerts(ids)) work.rejoin(state);
    await work.flush();
    return work.decided;
  });
  logDecided(context, decided);
  return ids.length;
};

import { decideEscalate, decideLapse, isAfter, nextEscalations } from '@tocsin/alert-model';
import type { AlertId, AlertState, DigestId, Instant } from '@tocsin/alert-model';
import { chunksOf } from './chunks-of.ts';
import { logDecided } from './log-decided.ts';
import type { ServiceContext } from './service-context.ts';
import { beginWork } from './unit-of-work.ts';
import type { UnitOfWork } from './unit-of-work.ts';

/** Alerts decided on at a time; all of them are one transaction, so that one escalation is one message. */
const alertsPerChunkMax = 500;

/**
 * The escalation clock of a digest has run out: whatever in it nobody has acknowledged is told to the next level, or to
 * everybody once more. The step after it is scheduled by the events.
 */
export const escalateDigest = async (
  context: ServiceContext,
  due: { readonly digestId: DigestId; readonly route: string; readonly level: number },
): Promise<number> => {
  const decided = await context.store.transaction('notifier.escalate', async (session) => {
    await session.lockLog();
    const now = await session.now();
    const work = beginWork(context, session, now);
    for (const ids of chunksOf(await session.alertsOfDigest(due.digestId), alertsPerChunkMax)) {
      const states = await session.loadAlerts(ids);
      work.load(states);
      for (const state of states) work.apply(state.id, decideEscalate(state, due, now));
      await work.flush();
    }
    return work.decided;
  });
  logDecided(context, decided);
  return decided.filter(({ decision }) => decision === 'AlertEscalated').length;
};

/** Climbs the steps of an alert that are due on any route; for the second net, when the timer of its digest is gone. */
export const escalateState = (work: UnitOfWork, state: AlertState, now: Instant): void => {
  for (const { route, step, at } of nextEscalations(state)) {
    const current = work.stateOf(state.id);
    if (current !== undefined && !isAfter(at, now))
      work.apply(state.id, decideEscalate(current, { route, level: step.step }, now));
  }
};

/** The time of an acknowledgement is over. */
export const lapseAcknowledgement = async (context: ServiceContext, alertId: AlertId): Promise<boolean> => {
  const decided = await context.store.transaction('notifier.lapse', async (session) => {
    await session.lockLog();
    const now = await session.now();
    const work = beginWork(context, session, now);
    const states = await session.loadAlerts([alertId]);
    work.load(states);
    for (const state of states) work.apply(state.id, decideLapse(state, now));
    await work.flush();
    return work.decided;
  });
  logDecided(context, decided);
  return decided.some(({ decision }) => decision === 'AcknowledgementLapsed');
};

import { addMs } from '@tocsin/alert-model';
import type { Instant } from '@tocsin/alert-model';
import { formatDuration } from '@tocsin/runtime';
import { endComponent, raiseComponent } from './component-alerts.ts';
import type { Component } from './component-alerts.ts';
import type { ServiceContext } from './service-context.ts';

type WatchContext = Pick<ServiceContext, 'store' | 'queue' | 'log' | 'settings'>;

/** What a look at a part of Tocsin came to. `new`: an alert is on its way; `known`: it was before; `back`: it is over. */
export type ComponentLook = 'fine' | 'new' | 'known' | 'back';

/** A part of Tocsin that does not work, and since when. */
export interface ComponentProblem {
  readonly error: string;
  readonly notes?: readonly string[];
  readonly since?: Instant;
}

const detector: Component = { jobType: 'detector', targetId: null };
const auditComponent: Component = { jobType: 'audit', targetId: null };
/** That canaries do not arrive; a canary itself is a failure like any other, on a route of its own. */
const canaryPath: Component = { jobType: 'canary', targetId: null };

/** A canary has arrived this late or it is told of, in milliseconds. */
export const canaryLateMs = 120_000;

/**
 * Looks whether a detector lives, by its newest sign of life on the database's clock. A silent one is told of once, over
 * all notifiers and restarts, until one beats again.
 *
 * @param upMs how long this process has been running: without any detector ever, twice the time is given from its start
 * @param isKnownFine a look shortly before found it alive with no alert left to end, so that a living one need not be asked for one
 */
export const watchDetector = (context: WatchContext, upMs: number, isKnownFine = false): Promise<ComponentLook> => {
  const { staleAfterMs } = context.settings;
  return context.store.transaction('notifier.watch_detector', async (session) => {
    const newest = (await session.newestBeats()).get('detector');
    if (newest === undefined && upMs < 2 * staleAfterMs) return 'fine';
    if (newest !== undefined && newest.ageMs <= staleAfterMs) {
      if (isKnownFine) return 'fine';
      const isBack = await endComponent(context, session, detector, 'it gives signs of life again');
      if (isBack) context.log.info({ decision: 'DetectorBack' }, 'a detector gives signs of life again');
      return isBack ? 'back' : 'fine';
    }
    const error =
      newest === undefined
        ? 'No detector has ever run against this database, so no failure is seen. Start one: npx tocsin detector'
        : `No detector has given a sign of life for ${age(newest.ageMs)} (the last was ${newest.instance}), so no failure is seen. Start one: npx tocsin detector`;
    const problem = {
      error,
      notes: ['What fails meanwhile is told with its true times as soon as a detector runs again.'],
      ...(newest === undefined ? {} : { since: addMs(await session.now(), -Math.round(newest.ageMs)) }),
    };
    const isNew = await raiseComponent(context, session, detector, problem);
    if (isNew) context.log.error({ decision: 'DetectorSilent' }, error);
    return isNew ? 'new' : 'known';
  });
};

/** Tells once that the audit finds something, and that it is clean again. */
export const tellAudit = (context: WatchContext, problem: ComponentProblem | null): Promise<ComponentLook> =>
  tell(context, auditComponent, problem, 'the audit is clean again');

/** Tells once that canaries do not arrive, and that they do again. */
export const tellCanary = (context: WatchContext, problem: ComponentProblem | null): Promise<ComponentLook> =>
  tell(context, canaryPath, problem, 'canaries arrive again');

/** A canary on its way, or arrived, newest first. */
export interface CanaryTime {
  /** How long ago it was written, in milliseconds by the database's clock. */
  readonly ageMs: number;
  /** How long it took from the table to the file; null: it has not arrived. */
  readonly tookMs: number | null;
}

/** What canaries say: the newest travel time, and what is wrong. Pure. */
export const judgeCanaries = (
  canaries: readonly CanaryTime[],
): { readonly tookMs: number | null; readonly problem: ComponentProblem | null } => {
  const newest = canaries[0];
  const arrived = canaries.find(({ tookMs }) => tookMs !== null) ?? null;
  // One that is still in its time says nothing yet; the one before it does.
  const judged = newest !== undefined && newest.tookMs === null && newest.ageMs < canaryLateMs ? canaries[1] : newest;
  const tookMs = arrived?.tookMs ?? null;
  if (judged === undefined || judged.tookMs !== null) return { tookMs, problem: null };
  const last =
    arrived === null ? 'None of the last ones has arrived.' : `The last one arrived ${age(arrived.ageMs)} ago.`;
  return {
    tookMs,
    problem: {
      error: `A failure that Tocsin made itself ${age(judged.ageMs)} ago has not come through from the table to a message. ${last}`,
      notes: ['Real failures may be on the same way. See npx tocsin doctor.'],
    },
  };
};

const tell = (
  context: WatchContext,
  component: Component,
  problem: ComponentProblem | null,
  note: string,
): Promise<ComponentLook> =>
  context.store.transaction('notifier.tell_component', async (session) =>
    problem === null
      ? (await endComponent(context, session, component, note))
        ? 'back'
        : 'fine'
      : (await raiseComponent(context, session, component, problem))
        ? 'new'
        : 'known',
  );

/** To the second, or to the minute from ten of them on. */
const age = (ms: number): string =>
  formatDuration(ms < 600_000 ? Math.round(ms / 1_000) * 1_000 : Math.round(ms / 60_000) * 60_000);

import { randomUUID } from 'node:crypto';
import { OutcomeId, errorCharsMax, nameCharsMax, shorten } from '@tocsin/alert-model';
import type { ConditionEndedSignal, FailureSignal, Instant } from '@tocsin/alert-model';
import type { ServiceContext, Session } from './service-context.ts';

/** Where conditions of Tocsin's own parts are announced: the `job_table` of no watched table. */
export const componentTable = 'tocsin';
/** Most conditions of own parts looked through: there are a handful of parts, and one per channel. */
const componentsMax = 1_000;

/** A part of Tocsin: a channel by its name, or a worker. */
export interface Component {
  /** `channel`, `detector`, `notifier`, `audit`, `canary`. */
  readonly jobType: string;
  /** Name of the channel; null for the others. */
  readonly targetId: string | null;
}

/** `channel/email`, `detector`: its identity in `tocsin.outcomes`. */
export const componentJobId = ({ jobType, targetId }: Component): string =>
  targetId === null ? jobType : `${jobType}/${targetId}`;

type ComponentContext = Pick<ServiceContext, 'queue'>;

/**
 * Tells that a part of Tocsin does not work, as an alert on the usual routes: the condition is announced and its signal
 * enqueued in the session's transaction, as the detector does it. Told once however often it is found, until it ends.
 *
 * @param problem what is wrong, without secrets; `since` defaults to now
 * @returns whether it was not known before
 */
export const raiseComponent = async (
  { queue }: ComponentContext,
  session: Session,
  component: Component,
  problem: { readonly error: string; readonly notes?: readonly string[]; readonly since?: Instant },
): Promise<boolean> => {
  const now = await session.now();
  const { jobType, targetId } = component;
  const signal: FailureSignal = {
    v: 1,
    signal: 'FailureDetected',
    outcomeId: OutcomeId.parse(randomUUID()),
    table: componentTable,
    jobId: componentJobId(component),
    kind: 'unhealthy',
    source: 'tocsin',
    jobType,
    targetId,
    attempts: null,
    maxAttempts: null,
    error: shorten(problem.error, errorCharsMax),
    failedAt: problem.since ?? now,
    run: null,
    runContext: null,
    counts: null,
    history: null,
    sourceSuccesses: null,
    details: null,
    notes: (problem.notes ?? []).map((note) => shorten(note, nameCharsMax)),
    observedAt: now,
  };
  const { outcomeId: id, table, jobId, kind, failedAt } = signal;
  const subject = { source: signal.source, jobType, targetId, run: null, facts: {} };
  const fresh = await session.announceOutcomes([{ id, table, jobId, kind, failedAt, subject }]);
  if (!fresh.has(id)) return false;
  await queue.enqueue(session.tx, [{ queue: 'signals', data: { signals: [signal] } }]);
  return true;
};

/**
 * Tells that a part of Tocsin works again, to those who were told that it did not.
 *
 * @param note in plain words, how that was seen
 * @returns whether it was known not to work
 */
export const endComponent = async (
  { queue }: ComponentContext,
  session: Session,
  component: Component,
  note: string,
): Promise<boolean> => {
  const jobId = componentJobId(component);
  const open = (await session.openConditions(componentTable, componentsMax)).filter(
    (condition) => condition.jobId === jobId,
  );
  if (open.length === 0) return false;
  const now = await session.now();
  const words = shorten(note, nameCharsMax);
  const over = await session.endConditions(open.map(({ id }) => ({ id, cause: 'alive', note: words, endedAt: now })));
  const signals = open
    .filter(({ id }) => over.has(id))
    .map(({ id }): ConditionEndedSignal => ({
      v: 1,
      signal: 'ConditionEnded',
      outcomeId: id,
      table: componentTable,
      jobId,
      kind: 'unhealthy',
      cause: 'alive',
      note: words,
      endedAt: now,
      observedAt: now,
    }));
  if (signals.length === 0) return false;
  await queue.enqueue(session.tx, [{ queue: 'signals', data: { signals } }]);
  return true;
};

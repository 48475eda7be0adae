import { randomUUID } from 'node:crypto';
import { limitsFor, nameCharsMax } from '@tocsin/alert-model';
import type { Instant, JobRepairedSignal, OutcomeId, StuckAction } from '@tocsin/alert-model';
import type { IntendedRepair } from '@tocsin/event-store';
import { markDead, readCheckpoint, readJobs, requeue } from '@tocsin/job-sources';
import type { JobSnapshot, JobSource } from '@tocsin/job-sources';
import { crashPoint, isConnectionError } from '@tocsin/runtime';
import type { Pool } from '@tocsin/runtime';
import { z } from 'zod';
import type { DetectorContext } from '../detector-ports.ts';
import { enqueueSignals } from '../send-failures.ts';
import type { TableState } from '../table-state.ts';
import type { StuckJob } from './judge-stuck.ts';

/** Repairs tried in one look. */
const repairsPerLookMax = 100;

/** What stands in the error column of a job that was marked dead begins so. */
export const markedDeadBy = 'Marked dead by Tocsin:';

interface StuckLook {
  readonly stuck: readonly StuckJob[];
  /** Conditions that are open after this look. */
  readonly open: readonly { readonly id: OutcomeId; readonly kind: string; readonly jobId: string }[];
  readonly readAt: Instant;
}

/** What a repair came to. */
interface Repaired {
  readonly result: 'done' | 'skipped';
  readonly reason: string | null;
}

/**
 * The janitor: does what the rules say about stuck jobs, once for each time a job is stuck. What is meant to be done is
 * recorded first; then the row is changed, if it still is as it was when it was judged; then the end is recorded and sent.
 * A process that dies in between leaves a record, and the next look finds out what became of it.
 *
 * Does nothing without a connection of its own for the table.
 */
export const repairStuck = async (
  context: DetectorContext,
  state: TableState,
  source: JobSource,
  { stuck, open, readAt }: StuckLook,
): Promise<void> => {
  const pool = state.table.janitorPool;
  if (pool === undefined) return;
  const wanted = stuck
    .flatMap(({ job, condition }): Wanted[] => {
      const { onStuck } = limitsFor(context.policy.rules, job);
      const outcome = open.find(({ kind, jobId }) => kind === 'stuck' && jobId === job.id);
      return onStuck.action === 'alert' || outcome === undefined
        ? []
        : [{ job, words: condition.words, outcomeId: outcome.id, action: onStuck }];
    })
    .slice(0, repairsPerLookMax);
  const { left, intended } = await intend(context, source, wanted);
  if (intended.length > 0) crashPoint('janitor.after_intent');
  for (const { job, words, action, repair } of intended) {
    const repaired = await refused(() => tryRepair(pool, source, job, action, repair.restart, words));
    crashPoint('janitor.after_change');
    const isFirst = await settle(context, repair, repaired, readAt);
    if (isFirst && repaired.result === 'done' && repair.action === 'requeue')
      context.metrics.jobEvent('retried', job.jobType);
  }
  await finishInterrupted(context, pool, source, left, readAt);
};

/** A stuck job that a rule says should be repaired. */
interface Wanted {
  readonly job: JobSnapshot;
  readonly words: string;
  readonly outcomeId: OutcomeId;
  readonly action: Exclude<StuckAction, { action: 'alert' }>;
}

/** Writes down what is meant to be done; leaves out what was tried before, by this detector or another. */
const intend = (
  { store, interruptedAfterMs }: DetectorContext,
  source: JobSource,
  wanted: readonly Wanted[],
): Promise<{
  readonly left: readonly IntendedRepair[];
  readonly intended: readonly (Wanted & { readonly repair: IntendedRepair })[];
}> =>
  store.transaction('detector.intend_repairs', async (session) => {
    const left = await session.intendedRepairs(source.name, interruptedAfterMs, repairsPerLookMax);
    const intended: (Wanted & { readonly repair: IntendedRepair })[] = [];
    if (wanted.length === 0) return { left, intended };
    const restarts = await session.restartsOf(
      source.name,
      wanted.map(({ job }) => job.id),
    );
    for (const entry of wanted) {
      const repair: IntendedRepair = {
        id: randomUUID(),
        outcomeId: entry.outcomeId,
        table: source.name,
        jobId: entry.job.id,
        action: entry.action.action,
        restart: entry.action.action === 'requeue' ? (restarts.get(entry.job.id)?.restarts ?? 0) + 1 : null,
      };
      if (await session.intendRepair(repair)) intended.push({ ...entry, repair });
    }
    return { left, intended };
  });

/** A table that cannot be repaired, or a role that may not, is a reason to leave the job alone; a lost connection is not. */
const refused = async (attempt: () => Promise<Repaired>): Promise<Repaired> => {
  try {
    return await attempt();
  } catch (error) {
    // Nobody knows whether the row was changed: the intention stays, and the next look finds out.
    if (isConnectionError(error)) throw error;
    return { result: 'skipped', reason: error instanceof Error ? error.message : String(error) };
  }
};

const tryRepair = async (
  pool: Pool,
  source: JobSource,
  job: JobSnapshot,
  action: Exclude<StuckAction, { action: 'alert' }>,
  restart: number | null,
  words: string,
): Promise<Repaired> => {
  const wokeUp: Repaired = { result: 'skipped', reason: 'the job has changed since it was judged: it is left alone' };
  if (action.action === 'mark_dead')
    return (await markDead(pool, source, { id: job.id, seen: job, error: `${markedDeadBy} ${words}` }))
      ? { result: 'done', reason: null }
      : wokeUp;
  if (restart !== null && restart > action.restartsMax)
    return { result: 'skipped', reason: `it was restarted ${action.restartsMax} times already` };
  const problem = checkpointProblem(await readCheckpoint(pool, source, job.id), action.checkpointSchema);
  if (problem !== null) return { result: 'skipped', reason: problem };
  const delayMs = action.backoffMs * 2 ** Math.min(20, (restart ?? 1) - 1);
  return (await requeue(pool, source, { id: job.id, seen: job, delayMs }))
    ? { result: 'done', reason: `restart ${restart} of ${action.restartsMax}` }
    : wokeUp;
};

/** Null when a job can go on from its checkpoint. */
const checkpointProblem = (checkpoint: unknown, schema: Readonly<Record<string, unknown>> | null): string | null => {
  if (checkpoint === undefined || checkpoint === null) return 'it has no checkpoint to go on from';
  if (schema === null) return null;
  const parsed = z.fromJSONSchema(schema).safeParse(checkpoint);
  if (parsed.success) return null;
  const problems = parsed.error.issues.slice(0, problemsShownMax).map(issueWords);
  return `its checkpoint does not fit the rule's schema: ${problems.join('; ')}`;
};
/** Problems of one checkpoint that are told. */
const problemsShownMax = 3;

/** One line, `stage: must be one of pdf_loaded, text_extracted`. */
const issueWords = (issue: z.core.$ZodIssue): string => {
  const words = issue.code === 'invalid_value' ? `must be one of ${issue.values.join(', ')}` : issue.message;
  return `${issue.path.length === 0 ? 'as a whole' : issue.path.join('.')}: ${words}`;
};

/** Repairs whose process died before their end was recorded: the row says what became of them. */
const finishInterrupted = async (
  context: DetectorContext,
  pool: Pool,
  source: JobSource,
  left: readonly IntendedRepair[],
  readAt: Instant,
): Promise<void> => {
  if (left.length === 0) return;
  const { jobs } = await readJobs(
    pool,
    source,
    left.map(({ jobId }) => jobId),
  );
  for (const repair of left) {
    const state = jobs.get(repair.jobId)?.state;
    const done = repair.action === 'mark_dead' ? state === 'dead' : state === 'waiting';
    await settle(
      context,
      repair,
      done
        ? { result: 'done', reason: 'found done after a restart of the detector' }
        : { result: 'skipped', reason: 'the detector was interrupted; the job is as it was, or has gone on by itself' },
      readAt,
    );
  }
};

/** Writes down how a repair ended. Answers false when another process did it before. */
const settle = async (
  context: DetectorContext,
  repair: IntendedRepair,
  { result, reason }: Repaired,
  readAt: Instant,
): Promise<boolean> => {
  const signal: JobRepairedSignal = {
    v: 1,
    signal: 'JobRepaired',
    outcomeId: repair.outcomeId,
    repairId: repair.id,
    table: repair.table,
    jobId: repair.jobId,
    action: repair.action,
    result,
    reason: reason?.slice(0, nameCharsMax).toWellFormed() ?? null,
    restart: repair.restart,
    actedAt: readAt,
    observedAt: readAt,
  };
  const settled = await context.store.transaction('detector.repaired', async (session) => {
    const isFirst = await session.settleRepair(repair.id, result, signal.reason);
    if (isFirst) await enqueueSignals(context, session, [signal]);
    return isFirst;
  });
  if (!settled) return false;
  context.log.warn(
    {
      decision: 'JobRepaired',
      table: repair.table,
      job: repair.jobId,
      action: repair.action,
      result,
      reason,
      restart: repair.restart,
    },
    result === 'done'
      ? `the janitor ${repair.action === 'requeue' ? 'requeued' : 'marked dead'} a stuck job`
      : 'the janitor left a stuck job alone',
  );
  return true;
};

import { addMs, compareInstants, limitsFor } from '@tocsin/alert-model';
import type { Instant } from '@tocsin/alert-model';
import type { OpenCondition } from '@tocsin/event-store';
import { readJobs, readLatestEnds, readRunning, readRuns, readWaiting } from '@tocsin/job-sources';
import type { JobSnapshot, JobSource } from '@tocsin/job-sources';
import type { Pool } from '@tocsin/runtime';
import type { DetectorContext } from '../detector-ports.ts';
import { withRunContexts } from '../send-failures.ts';
import type { TableState } from '../table-state.ts';
import { conditionKey, toConditionSignal, typeKey } from './condition.ts';
import type { SeenCondition } from './condition.ts';
import { countActivity } from './count-activity.ts';
import { endOf, isAboutRow } from './judge-ends.ts';
import { judgeClocks, judgeHeartbeats } from './judge-feed.ts';
import { judgeRuns } from './judge-runs.ts';
import type { JudgedRun } from './judge-runs.ts';
import { judgeStalled, stalledPerTypeMax } from './judge-stalled.ts';
import { judgeStuck } from './judge-stuck.ts';
import type { StuckJob } from './judge-stuck.ts';
import { judgeThroughput, typesWithThroughput } from './judge-throughput.ts';
import { learnDurations } from './learn-durations.ts';
import { repairStuck } from './repair-stuck.ts';
import { sendConditions } from './send-conditions.ts';
import { watchSchedules } from './watch-schedules.ts';

/** Every how many polls conditions are looked for: they last, and looking costs statements. */
const pollsPerLook = 5;
/** Open conditions of a table followed at once; further ones take their turn when these have ended. */
const openMax = 1_000;
/** For how long it is believed that no condition is open, in milliseconds. */
const believedMs = 60_000;
/** Running and waiting jobs judged in one look. */
const runningMax = 5_000;
const waitingMax = 2_000;
/** Readings of waiting jobs in one look, each without the types whose queues are known to be long. */
const waitingRoundsMax = 5;
/** Runs of a chain looked at, newest first, and for how many deadlines back. */
const runsMax = 20;
const deadlinesBack = 10;
/** New conditions sent by one look; the others follow with the next one. */
const begunMax = 500;

/** What one look came to. */
export interface ConditionReport {
  readonly begun: number;
  readonly ended: number;
}

/**
 * Looks for what leaves no failed row: jobs that are silent, that nobody picks up, work that is expected and did not
 * succeed, runs that take too long, a table that cannot be judged. Compares with the conditions that are open and sends
 * what has begun and what has ended. Every `pollsPerLook` polls, or at once with `full`.
 */
export const watchConditions = async (
  context: DetectorContext,
  state: TableState,
  source: JobSource,
  full: boolean,
): Promise<ConditionReport> => {
  const { conditions, table } = state;
  const nowMs = context.monotonicMs();
  if (!full && nowMs < conditions.dueMs) return { begun: 0, ended: 0 };
  conditions.ranAtMs = nowMs;
  conditions.dueMs = nowMs + table.pollMs * pollsPerLook;

  const open = await openConditions(context, state, source, full);
  const running = await readRunning(table.pool, source, { limit: runningMax });
  const { readAt } = running;
  const clocks = conditions.sights.see(running.jobs, readAt, nowMs);
  const stuck = await stuckAmong(context, state, source, running.jobs, readAt, full);
  const stalled = await stalledAmong(context, state, source, { running: running.jobs, stuck, open, readAt });
  const throughput = await throughputOf(context, state, source, running.jobs, readAt);
  const runs = await runsOf(context, state, source, readAt);
  const schedules = await watchSchedules(context, state, source, running.jobs, open, readAt);
  const volume = await countActivity(context, state, source, readAt);

  const beating = running.jobs.filter((job) => isJudgedByBeat(context, job)).length;
  const silence = judgeHeartbeats(source.name, beating, stuck);
  const clock = judgeClocks(source.name, clocks, readAt);
  const confirmed = stuck.filter((entry) => entry.confirmed || full);
  const seen: readonly SeenCondition[] = [
    // A feed that is silent as a whole is told as one; its jobs when it beats again and they still do not.
    ...(silence === null ? confirmed : confirmed.filter(({ byHeartbeat }) => !byHeartbeat)).map(
      ({ condition }) => condition,
    ),
    ...stalled,
    ...throughput,
    ...runs.flatMap(({ late }) => late ?? []),
    ...schedules.overdue,
    ...(silence !== null && confirmed.length > 0 ? [silence] : []),
    ...(clock === null ? [] : [clock]),
    ...(volume.condition === null ? [] : [volume.condition]),
  ];
  const holding = new Set([...seen, ...stuck.map(({ condition }) => condition)].map(conditionKey));
  const known = new Set(open.map(conditionKey));
  const begun = seen.filter((condition) => !known.has(conditionKey(condition))).slice(0, begunMax);
  const rows = await rowsOf(table.pool, source, open, holding);
  const ended = open.flatMap((condition) => {
    const end = endOf(condition, {
      holding,
      rows,
      runs,
      schedules: schedules.ends,
      clocks,
      volumeJudged: volume.judged,
      readAt,
      deletesSuccesses: source.deletesSuccesses,
    });
    return end === null ? [] : [{ condition, end }];
  });
  // What an alert opens with, its chain run is part of, whatever is wrong with the job.
  const signals = await withRunContexts(
    context,
    state,
    source,
    begun.map((seen) => toConditionSignal(seen, source.name, readAt)),
  );
  const sent = await sendConditions(
    context,
    source.name,
    begun.flatMap((seen, n) => {
      const signal = signals[n];
      return signal === undefined ? [] : [{ seen, signal }];
    }),
    ended,
    readAt,
  );
  conditions.unreadableTold = false;
  if (sent.begun.length > 0) conditions.noneOpenSinceMs = null;
  await repairStuck(context, state, source, {
    stuck: confirmed,
    open: [
      ...open.filter(({ id }) => !ended.some(({ condition }) => condition.id === id)),
      ...sent.begun.map(({ outcomeId, kind, jobId }) => ({ id: outcomeId, kind, jobId })),
    ],
    readAt,
  });
  return { begun: sent.begun.length, ended: sent.ended };
};

/**
 * What is open. Where nothing was, that is believed for a while: nobody but another detector can have opened something,
 * and it will end it, too; should it die, this one finds out.
 */
const openConditions = async (
  { store, monotonicMs }: DetectorContext,
  { conditions }: TableState,
  source: JobSource,
  full: boolean,
): Promise<readonly OpenCondition[]> => {
  const { noneOpenSinceMs } = conditions;
  if (!full && noneOpenSinceMs !== null && monotonicMs() - noneOpenSinceMs < believedMs) return [];
  const open = await store.transaction('detector.open_conditions', (session) =>
    session.openConditions(source.name, openMax),
  );
  conditions.noneOpenSinceMs = open.length === 0 ? monotonicMs() : null;
  return open;
};

const stuckAmong = async (
  { policy, monotonicMs, secrets }: DetectorContext,
  { conditions, table }: TableState,
  source: JobSource,
  running: readonly JobSnapshot[],
  readAt: Instant,
  full: boolean,
): Promise<readonly StuckJob[]> => {
  const nowMs = monotonicMs();
  return judgeStuck({
    jobs: running,
    readAt,
    rules: policy.rules,
    learned: await learnDurations(conditions.learned, table.pool, source, running, policy.rules, nowMs),
    unchangedMs: (jobId) => (full ? 0 : conditions.sights.unchangedMs(jobId, nowMs)),
    behindMs: conditions.sights.behindMs(nowMs),
    secrets,
  });
};

const stalledAmong = async (
  { policy }: DetectorContext,
  { table }: TableState,
  source: JobSource,
  {
    running,
    stuck,
    open,
    readAt,
  }: {
    readonly running: readonly JobSnapshot[];
    readonly stuck: readonly StuckJob[];
    readonly open: readonly OpenCondition[];
    readonly readAt: Instant;
  },
): Promise<readonly SeenCondition[]> => {
  const limits = policy.rules.flatMap(({ stalledAfterMs }) => stalledAfterMs ?? []);
  const anyJob = limitsFor(policy.rules, { source: '', jobType: '', targetId: null }).stalledAfterMs;
  const shortestMs = Math.min(...limits, anyJob ?? Number.POSITIVE_INFINITY);
  if (!Number.isFinite(shortestMs)) return [];
  const waiting = await waitingOf(table.pool, source, shortestMs);
  if (waiting.jobs.length === 0) return [];
  const silent = new Set(stuck.map(({ job }) => job.id));
  const busy = new Set(running.filter(({ id }) => !silent.has(id)).map(typeKey));
  const types = [...new Map(waiting.jobs.map((job) => [typeKey(job), job])).values()].filter(
    (job) => !busy.has(typeKey(job)),
  );
  const ends = await readLatestEnds(table.pool, source, types);
  for (const job of types) {
    const endedAt = ends.get(typeKey(job));
    const { stalledAfterMs } = limitsFor(policy.rules, job);
    if (
      endedAt !== undefined &&
      stalledAfterMs !== null &&
      compareInstants(endedAt, addMs(readAt, -stalledAfterMs)) > 0
    )
      busy.add(typeKey(job));
  }
  const backlogs = new Set(
    open
      .filter(({ kind, jobId }) => kind === 'stalled' && jobId.startsWith('type:'))
      .map(({ subject }) => typeKey(subject)),
  );
  return judgeStalled({ jobs: waiting.jobs, unread: waiting.unread, readAt, rules: policy.rules, busy, backlogs });
};

/** Waiting jobs. A type with a long queue is left out once it is known to be long, so that it hides no other. */
const waitingOf = async (
  pool: Pool,
  source: JobSource,
  waitedMs: number,
): Promise<{ readonly jobs: readonly JobSnapshot[]; readonly unread: ReadonlySet<string> }> => {
  const jobs = new Map<string, JobSnapshot>();
  const long = new Map<string, JobSnapshot>();
  for (let round = 0; round < waitingRoundsMax; round += 1) {
    const page = await readWaiting(pool, source, { waitedMs, limit: waitingMax, without: [...long.values()] });
    for (const job of page.jobs) jobs.set(job.id, job);
    if (!page.more) break;
    for (const [key, ofType] of Map.groupBy(page.jobs, typeKey))
      if (ofType.length > stalledPerTypeMax && ofType[0] !== undefined) long.set(key, ofType[0]);
  }
  return { jobs: [...jobs.values()], unread: new Set(long.keys()) };
};

const throughputOf = async (
  { policy }: DetectorContext,
  { table }: TableState,
  source: JobSource,
  running: readonly JobSnapshot[],
  readAt: Instant,
): Promise<readonly SeenCondition[]> => {
  const types = typesWithThroughput(running, policy.rules);
  if (types.length === 0) return [];
  const latestEnds = await readLatestEnds(table.pool, source, types);
  return judgeThroughput({ running, readAt, rules: policy.rules, latestEnds });
};

const runsOf = async (
  { policy }: DetectorContext,
  { table }: TableState,
  source: JobSource,
  readAt: Instant,
): Promise<readonly JudgedRun[]> => {
  const judged: JudgedRun[] = [];
  if (!source.readsRuns) return judged;
  for (const chain of policy.chains) {
    if (chain.deadlineMs === null) continue;
    const runs = await readRuns(table.pool, source, {
      source: chain.source,
      jobTypes: chain.steps.map(({ jobType }) => jobType),
      startedAfter: addMs(readAt, -Math.min(table.lookBackMs, chain.deadlineMs * deadlinesBack)),
      limit: runsMax,
    });
    judged.push(...judgeRuns(chain, runs, readAt));
  }
  return judged;
};

const isJudgedByBeat = ({ policy }: DetectorContext, job: JobSnapshot): boolean => {
  if (job.heartbeatAt === null) return false;
  const { stuckAfter } = limitsFor(policy.rules, job);
  return stuckAfter.mode === 'auto' || (stuckAfter.mode === 'fixed' && stuckAfter.heartbeatMs !== null);
};

/** The rows that open conditions are about and that were not judged in this look. */
const rowsOf = async (
  pool: Pool,
  source: JobSource,
  open: readonly OpenCondition[],
  holding: ReadonlySet<string>,
): Promise<ReadonlyMap<string, JobSnapshot>> => {
  const ids = open
    .filter((condition) => isAboutRow(condition) && !holding.has(conditionKey(condition)))
    .map(({ jobId }) => jobId);
  return ids.length === 0 ? new Map() : (await readJobs(pool, source, ids)).jobs;
};

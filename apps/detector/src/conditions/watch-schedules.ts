import { compareInstants } from '@tocsin/alert-model';
import type { Instant, SchedulePolicy } from '@tocsin/alert-model';
import type { OpenCondition } from '@tocsin/event-store';
import { readHistory } from '@tocsin/job-sources';
import type { JobSnapshot, JobSource } from '@tocsin/job-sources';
import type { DetectorContext } from '../detector-ports.ts';
import type { TableState } from '../table-state.ts';
import type { SeenCondition, SeenEnd } from './condition.ts';
import { judgeSchedule, workOf } from './judge-schedule.ts';
import type { ScheduledWork } from './judge-schedule.ts';

/** Pieces of work looked up for one schedule. */
const worksMax = 500;

export interface ScheduleReport {
  readonly overdue: readonly SeenCondition[];
  /** By `schedule:<name>`: open conditions whose work has succeeded since. */
  readonly ends: ReadonlyMap<string, SeenEnd>;
}

/**
 * Judges the schedules of a table. A schedule that is on time costs nothing until it can be late again; one that is late
 * is looked at each time, so that its success is seen.
 */
export const watchSchedules = async (
  context: DetectorContext,
  state: TableState,
  source: JobSource,
  running: readonly JobSnapshot[],
  open: readonly OpenCondition[],
  readAt: Instant,
): Promise<ScheduleReport> => {
  const { policy } = context;
  const mine = policy.schedules.filter(({ table }) => table === source.name);
  const overdue: SeenCondition[] = [];
  const ends = new Map<string, SeenEnd>();
  for (const schedule of mine) {
    const jobId = `schedule:${schedule.name}`;
    const isOpen = open.some((condition) => condition.jobId === jobId);
    const remembered = state.conditions.schedules.get(schedule.name);
    if (remembered !== undefined && !isOpen && compareInstants(readAt, remembered.nextLookAt) <= 0) continue;
    const knownSince = remembered?.knownSince ?? (await firstKnown(context, source.name, schedule.name, readAt));
    const works = workOf(schedule, policy.chains).slice(0, worksMax);
    if (works.length === 0) continue;
    const history = await readHistory(
      state.table.pool,
      source,
      works.map(({ jobType, target }) => ({ source: schedule.source, jobType, target, since: null, before: readAt })),
      { successesMax: 1 },
    );
    const verdict = judgeSchedule(schedule, works, {
      readAt,
      knownSince,
      lastSuccesses: history.map(({ lastSuccessAt }) => lastSuccessAt),
      running: running.some((job) => isOf(job, schedule, works)),
    });
    state.conditions.schedules.set(schedule.name, { knownSince, nextLookAt: verdict.nextLookAt });
    if (verdict.overdue !== null) overdue.push(verdict.overdue);
    else if (isOpen)
      ends.set(jobId, {
        cause: 'succeeded',
        note: 'it succeeded after all',
        endedAt: verdict.succeededAt ?? readAt,
      });
  }
  for (const { kind, jobId } of open)
    if (kind === 'overdue' && !mine.some(({ name }) => jobId === `schedule:${name}`))
      ends.set(jobId, { cause: 'canceled', note: 'its schedule is no longer configured', endedAt: readAt });
  return { overdue, ends };
};

/** When a schedule was first looked at; remembered in the database, so that a restart does not forget what it waits for. */
const firstKnown = async (
  { store }: DetectorContext,
  table: string,
  schedule: string,
  readAt: Instant,
): Promise<Instant> => {
  const name = `schedule/${table}/${schedule}`;
  return store.transaction('detector.schedule', async (session) => {
    const known = await session.loadCursor(name);
    if (known !== null) return known.changedAt;
    await session.saveCursor(name, readAt, {});
    return readAt;
  });
};

const isOf = (job: JobSnapshot, { source }: SchedulePolicy, works: readonly ScheduledWork[]): boolean =>
  job.source === source &&
  works.some(({ jobType, target }) => jobType === job.jobType && (target === 'any' || target.id === job.targetId));

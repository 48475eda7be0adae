import { addMs, compareInstants, msBetween, stepIn, stepName } from '@tocsin/alert-model';
import type { ChainPolicy, Instant, Step } from '@tocsin/alert-model';
import type { ChainRun, JobSnapshot } from '@tocsin/job-sources';
import { formatDuration } from '@tocsin/runtime';
import type { SeenCondition, SeenEnd } from './condition.ts';

/** How a chain run stands. */
export type RunStanding = 'under way' | 'late' | 'whole' | 'failed';

export interface JudgedRun {
  /** `runsPrefix` and the run. */
  readonly jobId: string;
  readonly run: string;
  readonly standing: RunStanding;
  /** Set when it is late. */
  readonly late: SeenCondition | null;
  /** When its last step succeeded; set when it is whole. */
  readonly wholeAt: Instant | null;
}

/** What the conditions about the runs of a chain begin with. */
export const runsPrefix = ({ source, name }: { readonly source: string; readonly name: string }): string =>
  `run:${source}/${name}:`;

/**
 * How the runs of a chain with a deadline stand. A run of which a job has failed for good is told as failed already; an
 * older run than the latest whole one is history. Pure.
 */
export const judgeRuns = (chain: ChainPolicy, runs: readonly ChainRun[], readAt: Instant): readonly JudgedRun[] => {
  const steps = stepsOf(chain);
  const judged = runs.map((run): JudgedRun => {
    const jobId = runsPrefix(chain) + run.run;
    const finished = new Map(
      run.jobs
        .filter(({ state }) => state === 'succeeded')
        .map((job) => [stepName(stepIn(steps, job)), job.finishedAt ?? readAt]),
    );
    const missing = steps.filter((step) => !finished.has(stepName(step)));
    if (missing.length === 0)
      return {
        jobId,
        run: run.run,
        standing: 'whole',
        late: null,
        wholeAt: [...finished.values()].toSorted(compareInstants).at(-1) ?? readAt,
      };
    if (run.jobs.some(isOver)) return { jobId, run: run.run, standing: 'failed', late: null, wholeAt: null };
    const late = lateRun(chain, run, jobId, missing, readAt);
    return { jobId, run: run.run, standing: late === null ? 'under way' : 'late', late, wholeAt: null };
  });
  const latestWhole = runs.findIndex((_, n) => judged[n]?.standing === 'whole');
  // Newest first: what comes after the latest whole run is older than it.
  return judged.map((run, n) =>
    latestWhole !== -1 && n > latestWhole && run.standing === 'late'
      ? { ...run, standing: 'under way', late: null }
      : run,
  );
};

/** How the lateness of a run ended, null while it lasts or when the run is not among those looked at. */
export const endOfLateness = (
  run: JudgedRun | undefined,
  runs: readonly JudgedRun[],
  readAt: Instant,
): SeenEnd | null => {
  if (run?.standing === 'whole')
    return { cause: 'succeeded', note: 'the run finished after all', endedAt: run.wholeAt ?? readAt };
  if (run?.standing === 'failed') return { cause: 'ended', note: 'a job of the run failed for good', endedAt: readAt };
  const later = runs.find(({ standing }) => standing === 'whole');
  if (run?.standing !== 'late' && later !== undefined)
    return { cause: 'succeeded', note: `the later run ${later.run} is whole`, endedAt: later.wholeAt ?? readAt };
  return null;
};

const isOver = ({ forGood }: JobSnapshot): boolean => forGood;

const lateRun = (
  chain: ChainPolicy,
  run: ChainRun,
  jobId: string,
  missing: readonly Step[],
  readAt: Instant,
): SeenCondition | null => {
  const { deadlineMs } = chain;
  const [first] = missing;
  if (deadlineMs === null || first === undefined) return null;
  const tookMs = msBetween(run.startedAt, readAt);
  if (tookMs <= deadlineMs) return null;
  const running = run.jobs.filter(({ state }) => state === 'running').map((job) => stepName(job));
  return {
    kind: 'deadline',
    jobId,
    at: run.run,
    source: chain.source,
    jobType: first.jobType,
    targetId: first.targetId,
    run: run.run,
    attempts: null,
    maxAttempts: null,
    failedAt: addMs(run.startedAt, deadlineMs),
    words:
      `The run has taken ${formatDuration(tookMs)}; ${formatDuration(deadlineMs)} are allowed. ` +
      `Not finished: ${missing.map(stepName).join(', ')}.`,
    notes: [running.length === 0 ? 'None of its jobs is running.' : `Running: ${running.join(', ')}.`],
    facts: { chain: chain.name, startedAt: run.startedAt, limitMs: deadlineMs },
  };
};

const stepsOf = (chain: ChainPolicy): readonly Step[] =>
  chain.steps.flatMap(({ jobType, targets }): Step[] =>
    targets === null ? [{ jobType, targetId: null }] : targets.map((targetId) => ({ jobType, targetId })),
  );

import type { FailureSignal, Instant, RunContext, Step } from '@tocsin/alert-model';
import { compareInstants, runStepsMax, stepName } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { toName, toNameOrNull } from './job-name.ts';
import type { JobSource } from './job-source.ts';

/** Most runs looked up at once; failures of further runs in the same page are told without their siblings. */
export const runsPerReadMax = 500;
/** How many runs back the last green one is looked for. Runs of all chains of a source count. */
const runsBackMax = 100;

interface StepRow {
  readonly n: number;
  readonly job_type: string | null;
  readonly target_id: string | null;
}

/**
 * For each failure that belongs to a chain run: the jobs of that run as they stand, and what a green run before it
 * looked like. Two statements, however many failures. Answers a map by outcome id; failures without a run are not in it.
 * Empty when the table's payload cannot be searched by run.
 */
export const readRunContexts = async (
  queryable: Queryable,
  source: JobSource,
  failures: readonly FailureSignal[],
): Promise<ReadonlyMap<string, RunContext>> => {
  const { runJobs, greenRuns } = source.statements;
  const keyed = failures.filter(({ run }) => run !== null);
  if (runJobs === null || greenRuns === null || keyed.length === 0) return new Map();

  const wanted = [...new Map(keyed.map((failure) => [keyOf(failure), failure])).values()].slice(0, runsPerReadMax);
  const sources = wanted.map((failure) => failure.source);
  const runs = wanted.map((failure) => failure.run);
  const jobTypes = wanted.map((failure) => failure.jobType);
  const siblings = await queryable.query<StepRow & { readonly status: string | null }>(runJobs, [
    sources,
    runs,
    runStepsMax,
  ]);
  const green = await queryable.query<StepRow & { readonly finished_at: Instant | null }>(greenRuns, [
    sources,
    runs,
    jobTypes,
    runsBackMax,
    runStepsMax,
  ]);

  const siblingsByN = Map.groupBy(siblings.rows, ({ n }) => n);
  const greenByN = Map.groupBy(green.rows, ({ n }) => n);
  const contexts = new Map(
    wanted.map((failure, index): [string, RunContext] => {
      const n = index + 1;
      const learned = greenByN.get(n) ?? [];
      return [
        keyOf(failure),
        {
          steps: byName((siblingsByN.get(n) ?? []).map((row) => ({ ...toStep(row), status: toName(row.status) }))),
          learned: byName(distinct(learned.map(toStep))),
          lastGreenAt: learned.reduce<Instant | null>(
            (latest, { finished_at: at }) =>
              at === null || (latest !== null && compareInstants(at, latest) <= 0) ? latest : at,
            null,
          ),
        },
      ];
    }),
  );
  return new Map(
    keyed.flatMap((failure) => {
      const context = contexts.get(keyOf(failure));
      return context === undefined ? [] : [[failure.outcomeId, context] as const];
    }),
  );
};

const keyOf = ({ source, run, jobType }: FailureSignal): string => JSON.stringify([source, run, jobType]);

const toStep = (row: StepRow): Step => ({ jobType: toName(row.job_type), targetId: toNameOrNull(row.target_id) });

const distinct = (steps: readonly Step[]): readonly Step[] => [
  ...new Map(steps.map((step) => [stepName(step), step])).values(),
];

/** A fixed order, so that reading the same run twice gives the same signal. */
const byName = <S extends Step>(steps: readonly S[]): S[] =>
  steps.toSorted((a, b) => (stepName(a) < stepName(b) ? -1 : stepName(a) > stepName(b) ? 1 : 0));

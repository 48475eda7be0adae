import { addMs, compareInstants, limitsFor, msBetween } from '@tocsin/alert-model';
import type { Instant, Rule } from '@tocsin/alert-model';
import type { JobSnapshot } from '@tocsin/job-sources';
import { formatDuration } from '@tocsin/runtime';
import { typeKey } from './condition.ts';
import type { SeenCondition } from './condition.ts';

export interface ThroughputLook {
  readonly running: readonly JobSnapshot[];
  readonly readAt: Instant;
  readonly rules: readonly Rule[];
  /** When a job of each type last ended, well or badly. */
  readonly latestEnds: ReadonlyMap<string, Instant>;
}

/** Types whose throughput a rule watches, among those that run. */
export const typesWithThroughput = (
  running: readonly JobSnapshot[],
  rules: readonly Rule[],
): readonly { readonly source: string; readonly jobType: string }[] => [
  ...new Map(
    running
      .filter((job) => limitsFor(rules, job).noCompletionAfterMs !== null)
      .map(({ source, jobType }) => [typeKey({ source, jobType }), { source, jobType }]),
  ).values(),
];

/** The types of which jobs run although none has ended for longer than its rule allows. Pure. */
export const judgeThroughput = (look: ThroughputLook): readonly SeenCondition[] =>
  [...Map.groupBy(look.running, typeKey)].flatMap(([key, jobs]): SeenCondition[] => {
    const [first] = jobs;
    const limitMs =
      first === undefined ? null : limitsFor(look.rules, { ...first, targetId: null }).noCompletionAfterMs;
    const begun = jobs.flatMap(({ startedAt }) => startedAt ?? []).toSorted(compareInstants)[0];
    if (first === undefined || limitMs === null || begun === undefined) return [];
    const ended = look.latestEnds.get(key) ?? null;
    const since = ended !== null && compareInstants(ended, begun) > 0 ? ended : begun;
    const sinceMs = msBetween(since, look.readAt);
    if (sinceMs <= limitMs) return [];
    const lately =
      ended === null ? 'None has ended yet that is still in the table.' : `The last one ended at ${ended}.`;
    return [
      {
        kind: 'zero_throughput',
        jobId: `type:${first.source}/${first.jobType}`,
        at: since,
        source: first.source,
        jobType: first.jobType,
        targetId: null,
        run: null,
        attempts: null,
        maxAttempts: null,
        failedAt: addMs(since, limitMs),
        words:
          `${jobs.length} ${jobs.length === 1 ? 'job runs' : 'jobs run'} and none has ended for ${formatDuration(sinceMs)}; ` +
          `${formatDuration(limitMs)} are allowed.`,
        notes: [lately],
        facts: { since, limitMs },
      },
    ];
  });

import { classifyFailure } from '@tocsin/alert-model';
import type { Policy } from '@tocsin/alert-model';
import type { AdapterMapping } from '@tocsin/job-sources';
import { formatDuration } from '@tocsin/runtime';
import type { JobTableConfig } from '@tocsin/runtime';
import type { JobRow } from './read-job-row.ts';

/** What is known of the detector. */
export interface DetectorFacts {
  /** Milliseconds since its last sign of life; null when there never was one. */
  readonly silentMs: number | null;
  readonly staleMs: number;
}

/** Why a job that stands in a watched table was not told. Pure. */
export const explainMissingJob = (
  job: JobTableConfig,
  mapping: AdapterMapping,
  row: JobRow,
  detector: DetectorFacts,
  policy: Policy,
): string => {
  const { status, attempts, maxAttempts } = row;
  const { states } = mapping;
  const counters = `attempt ${attempts ?? '?'} of ${maxAttempts ?? '?'}`;
  const where = `in ${job.table} it is ${status ?? 'without a status'}`;
  if (row.failure !== null)
    return `${where} (${counters}), for good, but no outcome is recorded: ${whyNotSeen(job, row, row.failure, detector, policy)}`;
  if (status !== null && states.failed.includes(status))
    return `${where} with ${counters}: it has attempts left and will be tried again; only the last failure is told`;
  if (status !== null && states.succeeded.includes(status)) return `${where}: there is nothing to tell`;
  if (status === 'canceled') return `${where}: canceled jobs are never told`;
  if (status !== null && states.quiet.includes(status)) return `${where}: it has not ended yet`;
  return `${where}, a status that adapter ${mapping.adapter} does not know: such rows are never told. Known are ${[...states.failed, ...states.dead, ...states.succeeded, ...states.quiet].join(', ')}`;
};

const whyNotSeen = (
  job: JobTableConfig,
  { changedAgoMs }: JobRow,
  failure: NonNullable<JobRow['failure']>,
  { silentMs, staleMs }: DetectorFacts,
  policy: Policy,
): string => {
  if (changedAgoMs !== null && changedAgoMs > job.lookBackMs)
    return `it was changed ${formatDuration(changedAgoMs)} ago, longer than table ${job.name} looks back (${formatDuration(job.lookBackMs)}; jobs[].look_back)`;
  const classified = classifyFailure(failure, policy);
  const fate =
    'ignoredBy' in classified ? `it will be ignored by ${classified.ignoredBy}` : `it will belong to ${classified.key}`;
  if (silentMs === null) return `no detector has ever run here. Start one: npx tocsin detector. Then ${fate}`;
  if (silentMs > staleMs)
    return `the detector has been silent for ${formatDuration(silentMs)}. Start it: npx tocsin detector. Then ${fate}`;
  return `the detector has not read it yet. It looks every ${formatDuration(job.pollMs)}, and compares everything every ${formatDuration(job.reconcileMs)}; ${fate}`;
};

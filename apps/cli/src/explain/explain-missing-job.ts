import { addMs, limitsFor } from '@tocsin/alert-model';
import type { AdapterMapping } from '@tocsin/job-sources';
import { formatDuration } from '@tocsin/runtime';
import type { JobTableConfig } from '@tocsin/runtime';
import { moment, relativeTime } from '../printing/moment.ts';
import { classifiedWords } from './classified-words.ts';
import type { PolicyFacts } from './classified-words.ts';
import { stalledWords, stuckAt, stuckWords } from './limit-words.ts';
import type { JobRow } from './read-job-row.ts';

/** What is known of the detector. */
export interface DetectorFacts {
  /** Milliseconds since its last sign of life; null when there never was one. */
  readonly silentMs: number | null;
  readonly staleMs: number;
}

/** Why a job that stands in a watched table was not told. Pure. */
export const explainMissingJob = (
  table: JobTableConfig,
  mapping: AdapterMapping,
  row: JobRow,
  detector: DetectorFacts,
  facts: PolicyFacts,
): string => {
  const { policy } = facts;
  const { job, readAt, outcome } = row;
  const counters = `attempt ${job.attempts ?? '?'} of ${job.maxAttempts ?? '?'}`;
  const where = `in ${table.table} it is ${job.status}`;
  if (outcome !== null) {
    const how = outcome.kind === 'partial' ? 'with parts that failed' : `(${counters}), for good`;
    return `${where} ${how}, but no outcome is recorded: ${whyNotSeen(table, row, outcome, detector, facts)}`;
  }
  const limits = limitsFor(policy.rules, job);
  const ago = (instant: string | null): string =>
    instant === null ? 'at an unknown time' : relativeTime(instant, readAt);
  switch (job.state) {
    case 'failed':
    case 'dead':
      return `${where} with ${counters}: it has attempts left and will be tried again; only the last failure is told`;
    case 'succeeded':
      return `${where}: there is nothing to tell`;
    case 'canceled':
      return `${where}: canceled jobs are never told`;
    case 'running': {
      const beats = job.heartbeatAt !== null;
      const sign = beats
        ? `last heartbeat ${ago(job.heartbeatAt)}`
        : `last change ${ago(job.changedAt ?? job.startedAt)}`;
      const at = stuckAt(limits, { heartbeatAt: job.heartbeatAt, changedAt: job.changedAt ?? job.startedAt });
      return `${where}, ${sign}: ${stuckWords(limits, beats)}${at === null ? '' : `: ${moment(at, readAt)}`}`;
    }
    case 'waiting':
      return `${where}, due ${ago(job.dueAt)}: ${stalledWords(limits)}${job.dueAt === null || limits.stalledAfterMs === null ? '' : `: ${moment(addMs(job.dueAt, limits.stalledAfterMs), readAt)}`}`;
    case 'unknown':
      return `${where}, a status that adapter ${mapping.adapter} does not know: such rows are never told. Known are ${knownStatuses(mapping)}; jobs[].states can say what it means`;
    default:
      return job.state satisfies never;
  }
};

const knownStatuses = ({ states }: AdapterMapping): string => {
  const values = Object.values(states).flatMap((state) => ('sql' in state ? [] : state));
  return values.length === 0 ? 'those that its own columns tell' : values.join(', ');
};

const whyNotSeen = (
  table: JobTableConfig,
  { job, readAt }: JobRow,
  outcome: NonNullable<JobRow['outcome']>,
  { silentMs, staleMs }: DetectorFacts,
  facts: PolicyFacts,
): string => {
  const changedAgoMs = job.changedAt === null ? null : Date.parse(readAt) - Date.parse(job.changedAt);
  if (changedAgoMs !== null && changedAgoMs > table.lookBackMs)
    return `it was changed ${formatDuration(changedAgoMs)} ago, longer than table ${table.name} looks back (${formatDuration(table.lookBackMs)}; jobs[].look_back)`;
  const fate = classifiedWords(outcome, facts);
  if (silentMs === null) return `no detector has ever run here. Start one: npx tocsin detector. Then ${fate}`;
  if (silentMs > staleMs)
    return `the detector has been silent for ${formatDuration(silentMs)}. Start it: npx tocsin detector. Then ${fate}`;
  return `the detector has not read it yet. It looks every ${formatDuration(table.pollMs)}, and compares everything every ${formatDuration(table.reconcileMs)}; ${fate}`;
};

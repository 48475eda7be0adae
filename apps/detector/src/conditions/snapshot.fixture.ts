import type { OpenCondition } from '@tocsin/event-store';
import type { OutcomeId } from '@tocsin/alert-model';
import type { JobSnapshot } from '@tocsin/job-sources';

/** The database's clock in the tests of the judges. */
export const readAt = '2026-11-23T03:00:00.000000Z';

/** So many minutes before `readAt`. */
export const minutesAgo = (minutes: number): string => new Date(Date.parse(readAt) - minutes * 60_000).toISOString();

/** A running job that was started ten minutes ago. */
export const snapshot = (changes: Partial<JobSnapshot> = {}): JobSnapshot => ({
  id: 'job-1',
  state: 'running',
  forGood: false,
  status: 'running',
  source: 'apple',
  jobType: 'import',
  targetId: 'songs',
  run: null,
  attempts: 1,
  maxAttempts: 3,
  dueAt: minutesAgo(11),
  startedAt: minutesAgo(10),
  heartbeatAt: null,
  finishedAt: null,
  createdAt: minutesAgo(12),
  changedAt: minutesAgo(10),
  stage: null,
  progress: null,
  ...changes,
});

export const openCondition = (changes: Partial<OpenCondition> = {}): OpenCondition => ({
  id: '7b0ce1a5-5f3e-5c52-9d5a-0f6f5a3f7c11' as OutcomeId,
  kind: 'stuck',
  jobId: 'job-1',
  failedAt: minutesAgo(5),
  subject: { source: 'apple', jobType: 'import', targetId: 'songs', run: null, facts: { sign: minutesAgo(20) } },
  ...changes,
});

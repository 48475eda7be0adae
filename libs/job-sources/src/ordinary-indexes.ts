import type { IndexNeed } from './adapter-mapping.ts';

/**
 * Final when the attempts are used up, or when the counters say nothing usable (no value, or negative): a failure told
 * too early is a nuisance, a failure nobody hears of is what this product exists to prevent.
 */
export const ordinaryFailedForGood =
  '({attempts} >= {maxAttempts} or {attempts} is null or {attempts} < 0 or {maxAttempts} is null or {maxAttempts} < 0)';

/** The indexes for a table that has everything in columns of its own, with a status column. */
export const ordinaryIndexes: readonly IndexNeed[] = [
  {
    purpose: 'finding new failures',
    nameSuffix: 'failures',
    fields: ['changedAt', 'id', 'status'],
    key: '{changedAt}, {id}',
    where: '{status} in ({failures})',
    leading: 1,
  },
  {
    purpose: 'finding the success of failed work',
    nameSuffix: 'successes',
    fields: ['finishedAt', 'status'],
    key: '{source}, {jobType}, {targetId}, {finishedAt}',
    where: '{status} in ({successes})',
    leading: 2,
  },
  {
    purpose: 'reading the other jobs of a chain run',
    nameSuffix: 'chain_runs',
    fields: [],
    key: '{source}, {runId}',
    where: '{runId} is not null',
    leading: 2,
  },
  {
    purpose: 'looking after running jobs',
    nameSuffix: 'running',
    fields: ['status'],
    // Not by a time of theirs: an index that holds heartbeats would make each heartbeat dearer.
    key: '{status}',
    where: '{status} in ({running})',
    leading: 1,
  },
  {
    purpose: 'looking after waiting jobs',
    nameSuffix: 'due',
    fields: ['dueAt', 'status'],
    key: '{dueAt}',
    where: '{status} in ({waiting})',
    leading: 1,
  },
  {
    purpose: 'looking after jobs that wait for their next attempt',
    nameSuffix: 'retries',
    fields: ['dueAt', 'status'],
    key: '{dueAt}',
    where: '{status} in ({failed}) and ({forGood}) is not true',
    leading: 1,
  },
  {
    purpose: 'learning how long jobs take and when they ended last',
    nameSuffix: 'ends',
    fields: ['finishedAt', 'status'],
    key: '{source}, {jobType}, {finishedAt}',
    where: '{status} in ({ended})',
    leading: 3,
  },
  {
    purpose: 'finding jobs that succeeded with parts that failed',
    nameSuffix: 'partials',
    fields: ['changedAt', 'id', 'status', 'failedCount'],
    key: '{changedAt}, {id}',
    where: '{status} in ({successes}) and {failedCount} > 0',
    leading: 1,
  },
];

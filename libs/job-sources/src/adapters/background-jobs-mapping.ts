import type { AdapterMapping } from '../adapter-mapping.ts';
import { ordinaryIndexes } from '../ordinary-indexes.ts';

/**
 * `background_jobs` of a web backend with its own queue: PENDING → RUNNING → SUCCESS, FAILED (a retry follows) or
 * DEAD_LETTER. Column names are those such tables commonly have; `jobs[].columns` and `jobs[].states` say others.
 */
export const backgroundJobsMapping: AdapterMapping = {
  adapter: 'background_jobs',
  title: 'background_jobs with a dead letter status',
  defaultTable: 'public.background_jobs',
  relations: [],
  fields: {
    id: { column: 'id', use: 'key', required: true },
    source: { value: 'background_jobs' },
    jobType: { column: 'job_type', use: 'text', required: true },
    status: { column: 'status', use: 'state', required: true },
    attempts: { column: 'attempts', use: 'count', required: true },
    maxAttempts: { column: 'max_retries', use: 'count', required: true },
    payload: { column: 'payload', use: 'document', required: false },
    error: { column: 'last_error', use: 'anything', required: false },
    dueAt: { column: 'next_run_at', use: 'instant', required: true },
    startedAt: { column: 'started_at', use: 'instant', required: false },
    finishedAt: { column: 'finished_at', use: 'instant', required: false },
    createdAt: { column: 'created_at', use: 'instant', required: true },
    changedAt: { column: 'updated_at', use: 'instant', required: true },
  },
  states: {
    waiting: ['PENDING'],
    running: ['RUNNING'],
    failed: ['FAILED'],
    dead: ['DEAD_LETTER'],
    succeeded: ['SUCCESS'],
    canceled: [],
  },
  // Whether max_retries counts the first try is up to the application, so the counters alone decide only beyond it. A
  // FAILED row with a time for its next try waits for it: when nobody comes, it is told as stalled.
  failedForGood: '({dueAt} is null or {attempts} > {maxAttempts} or {attempts} < 0 or {attempts} is null)',
  runKey: 'chain_started_at',
  identityTimes: ['finishedAt', 'startedAt', 'dueAt', 'createdAt'],
  indexes: [
    // One on the kind of job and its end serves the look for successes as well; one on the status and the due time, which
    // such applications have for themselves, serves whatever looks after waiting and running jobs.
    ...ordinaryIndexes.filter(({ nameSuffix }) => !['successes', 'running', 'due', 'retries'].includes(nameSuffix)),
    {
      purpose: 'looking after waiting and running jobs',
      nameSuffix: 'due',
      fields: ['status', 'dueAt'],
      key: '{status}, {dueAt}',
      where: '',
      leading: 2,
    },
  ],
  version: null,
  retention: { failuresMs: null, words: 'Rows stay until the application deletes them.' },
  deletesSuccesses: false,
  reads: [],
  traps: [
    'FAILED is not terminal while next_run_at says when the next try is due; DEAD_LETTER is.',
    'A FAILED row whose next_run_at passes and that nobody picks up looks innocent for ever: it is told as stalled.',
    'A dead letter that somebody retries by hand goes back to PENDING in the same row; when it dies again, that is a new failure, told by its new times.',
    'Values are upper case. SQLAlchemy writes the names of an Enum, not its values: look at the table, and correct jobs[].states where they differ.',
    'Times without time zone are taken as UTC (datetime.utcnow); local times would shift every limit.',
  ],
};

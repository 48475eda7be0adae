import type { AdapterMapping } from '../adapter-mapping.ts';
import { ordinaryIndexes } from '../ordinary-indexes.ts';

/**
 * `background_jobs` of a document platform: long jobs that write a heartbeat every 30 s, their progress and stage, and
 * a checkpoint to go on from. It counts no tries: `failed` is for good.
 */
export const documentJobsMapping: AdapterMapping = {
  adapter: 'document_jobs',
  title: 'background_jobs of a document platform',
  defaultTable: 'public.background_jobs',
  relations: [],
  fields: {
    id: { column: 'id', use: 'key', required: true },
    source: { value: 'document_jobs' },
    jobType: { column: 'job_type', use: 'text', required: true },
    targetId: { column: 'document_id', use: 'text', required: false },
    status: { column: 'status', use: 'state', required: true },
    payload: { column: 'metadata', use: 'document', required: false },
    error: { column: 'error', use: 'anything', required: false },
    startedAt: { column: 'started_at', use: 'instant', required: false },
    heartbeatAt: { column: 'last_heartbeat', use: 'instant', required: true },
    finishedAt: { column: 'completed_at', use: 'instant', required: false },
    createdAt: { column: 'created_at', use: 'instant', required: true },
    changedAt: { column: 'updated_at', use: 'instant', required: true },
    stage: { column: 'current_stage', use: 'text', required: false },
    progress: { column: 'progress', use: 'anything', required: false },
    checkpoint: { column: 'checkpoint', use: 'document', required: false },
  },
  details: { document_id: { column: 'document_id', use: 'anything', required: false } },
  states: {
    waiting: ['pending'],
    running: ['processing'],
    failed: ['failed'],
    dead: [],
    succeeded: ['completed'],
    canceled: [],
  },
  failedForGood: 'true',
  runKey: 'chain_started_at',
  // A job that failed writes no heartbeat any more, so the last one tells two failures of a row apart where no end is
  // written down.
  identityTimes: ['finishedAt', 'heartbeatAt', 'startedAt', 'createdAt'],
  indexes: [
    // One on the kind of job and its end serves the look for successes as well.
    ...ordinaryIndexes.filter(({ nameSuffix }) => nameSuffix !== 'successes'),
    {
      purpose: 'looking after waiting jobs',
      nameSuffix: 'waiting',
      fields: ['status', 'changedAt'],
      key: '{changedAt}',
      where: '{status} in ({waiting})',
      leading: 1,
    },
  ],
  version: null,
  retention: { failuresMs: null, words: 'Rows stay until the application deletes them.' },
  deletesSuccesses: false,
  reads: [],
  traps: [
    'Two silences differ: no heartbeat means the worker is gone, a heartbeat without any other change of the row means it hangs. A rule sets a limit for each: stuck_after: { heartbeat: 15m, update: 5m }.',
    'Where the heartbeat also writes updated_at, only the heartbeat limit can find anything.',
    'A monitor of the platform may restart a job in its row: a failure that was told is resolved by the success of the restart.',
    'Where neither completed_at nor started_at is written, failures of one row are told apart by last_heartbeat alone.',
  ],
};

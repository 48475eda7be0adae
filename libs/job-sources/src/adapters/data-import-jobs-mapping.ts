import type { AdapterMapping } from '../adapter-mapping.ts';
import { ordinaryIndexes } from '../ordinary-indexes.ts';

/** `data_import_jobs`: one row per import, products counted; no heartbeat, every batch changes the row. */
export const dataImportJobsMapping: AdapterMapping = {
  adapter: 'data_import_jobs',
  title: 'data_import_jobs of a document platform',
  defaultTable: 'public.data_import_jobs',
  relations: [],
  fields: {
    id: { column: 'id', use: 'key', required: true },
    source: { value: 'data_import_jobs' },
    jobType: { value: 'data_import' },
    targetId: { column: 'source_name', use: 'text', required: true },
    status: { column: 'status', use: 'state', required: true },
    error: { column: 'error_message', use: 'anything', required: false },
    startedAt: { column: 'started_at', use: 'instant', required: false },
    finishedAt: { column: 'completed_at', use: 'instant', required: false },
    createdAt: { column: 'created_at', use: 'instant', required: true },
    changedAt: { column: 'updated_at', use: 'instant', required: true },
    failedCount: { column: 'failed_products', use: 'count', required: false },
    totalCount: { column: 'total_products', use: 'count', required: false },
    progress: {
      sql: `case when {total_products} > 0 then {processed_products} || ' of ' || {total_products} || ' products' end`,
      use: 'anything',
      required: false,
    },
  },
  details: {
    import_job_id: { column: 'id', use: 'anything', required: false },
    source_name: { column: 'source_name', use: 'anything', required: false },
    background_job_id: { column: 'background_job_id', use: 'anything', required: false },
  },
  states: {
    waiting: ['pending'],
    running: ['processing'],
    failed: ['failed'],
    dead: [],
    succeeded: ['completed'],
    canceled: [],
  },
  failedForGood: 'true',
  runKey: null,
  identityTimes: ['finishedAt', 'startedAt', 'createdAt'],
  indexes: [
    ...ordinaryIndexes,
    {
      purpose: 'looking after waiting imports',
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
    'An import that completed may have lost products: failed_products of total_products is judged by the rule (partial).',
    'Whether processed_products counts the failed ones is up to the application; Tocsin judges failed_products alone.',
  ],
};

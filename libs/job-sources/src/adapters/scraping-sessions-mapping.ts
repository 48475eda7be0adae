import type { AdapterMapping } from '../adapter-mapping.ts';
import { ordinaryIndexes } from '../ordinary-indexes.ts';

/** `scraping_sessions`: one row per session, pages counted; no heartbeat, every page changes the row. */
export const scrapingSessionsMapping: AdapterMapping = {
  adapter: 'scraping_sessions',
  title: 'scraping_sessions of a document platform',
  defaultTable: 'public.scraping_sessions',
  relations: [],
  fields: {
    id: { column: 'id', use: 'key', required: true },
    source: { value: 'scraping_sessions' },
    jobType: { value: 'scraping_session' },
    targetId: { column: 'source_url', use: 'text', required: true },
    status: { column: 'status', use: 'state', required: true },
    error: { column: 'error_message', use: 'anything', required: false },
    startedAt: { column: 'started_at', use: 'instant', required: false },
    finishedAt: { column: 'completed_at', use: 'instant', required: false },
    createdAt: { column: 'created_at', use: 'instant', required: true },
    changedAt: { column: 'updated_at', use: 'instant', required: true },
    failedCount: { column: 'failed_pages', use: 'count', required: false },
    totalCount: { column: 'total_pages', use: 'count', required: false },
    progress: {
      sql: `case when {total_pages} > 0 then {completed_pages} || ' of ' || {total_pages} || ' pages' end`,
      use: 'anything',
      required: false,
    },
  },
  details: {
    session_id: { column: 'id', use: 'anything', required: false },
    source_url: { column: 'source_url', use: 'anything', required: false },
    background_job_id: { column: 'background_job_id', use: 'anything', required: false },
  },
  states: {
    waiting: ['pending'],
    running: ['processing', 'scraping'],
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
      purpose: 'looking after waiting sessions',
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
    'A session that completed may have lost half of its pages: failed_pages of total_pages is judged by the rule (partial).',
    'Both processing and scraping mean that it runs.',
    'The same source_url with and without a trailing slash are two targets.',
  ],
};

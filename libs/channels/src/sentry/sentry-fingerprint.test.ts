import type { MessageItem } from '@tocsin/alert-model';
import { describe, expect, test } from 'vitest';
import type { SentryFingerprint } from '../channel.ts';
import { sampleItem } from '../sample-outgoing.contract.ts';
import { fingerprintOf } from './sentry-fingerprint.ts';

/** The six that a document platform groups its issues by. */
const templates: readonly SentryFingerprint[] = [
  { match: { source: ['document_jobs'], kind: ['stuck'] }, fingerprint: ['stuck-job', '{reason}'] },
  { match: { source: ['document_jobs'] }, fingerprint: ['pdf-processing-failed', '{stage}'] },
  {
    match: { source: ['scraping_sessions'], kind: ['stuck'] },
    fingerprint: ['stuck-scraping-session', '{source_url}'],
  },
  { match: { jobType: ['scraping_*'] }, fingerprint: ['scraping-session-failed', '{source_url}'] },
  { match: { source: ['data_import_jobs'], kind: ['stuck'] }, fingerprint: ['stuck-import-job', '{source_name}'] },
  { match: { source: ['data_import_jobs'] }, fingerprint: ['xml-import-job-failed', '{source_name}'] },
];

const item = (
  source: string,
  kind: string,
  error: string,
  details: { readonly stage?: string; readonly fields?: Readonly<Record<string, string>> } = {},
): MessageItem =>
  sampleItem({
    source,
    jobType: source === 'scraping_sessions' ? 'scraping_session' : 'job',
    causes: [
      {
        signature: 's1:x',
        error,
        count: 1,
        jobs: [
          {
            table: 't',
            jobId: '1',
            source,
            jobType: 'job',
            targetId: null,
            kind,
            attempts: null,
            maxAttempts: null,
            failedAt: '2026-11-16T03:02:41Z',
            notes: [],
            adminUrl: null,
          },
        ],
        moreJobs: 0,
      },
    ],
    details: {
      stage: details.stage ?? null,
      progress: null,
      counts: null,
      startedAt: null,
      heartbeatAt: null,
      fields: { ...details.fields },
    },
  });

describe('the fingerprint of an issue', () => {
  const url = 'https://shop.example/catalog';
  test.each<[string, MessageItem, readonly string[]]>([
    [
      'a document job that failed, by its stage',
      item('document_jobs', 'failed', 'OCRError: no text', { stage: 'text_extracted' }),
      ['pdf-processing-failed', 'text_extracted'],
    ],
    [
      'a document job whose worker is gone, by that',
      item('document_jobs', 'stuck', 'No heartbeat for 16 min; …'),
      ['stuck-job', 'no-heartbeat'],
    ],
    [
      'a document job that hangs, by that',
      item('document_jobs', 'stuck', 'It beats, but nothing about it has changed for 6 min; …'),
      ['stuck-job', 'no-progress'],
    ],
    [
      'a scraping session that is stuck, by its address',
      item('scraping_sessions', 'stuck', 'No sign of life for 31 min; …', { fields: { source_url: url } }),
      ['stuck-scraping-session', url],
    ],
    [
      'a scraping session that failed, by its address',
      item('scraping_sessions', 'failed', 'HTTPError: 403', { fields: { source_url: url } }),
      ['scraping-session-failed', url],
    ],
    [
      'an import that is stuck, by the name of its source',
      item('data_import_jobs', 'stuck', 'No sign of life for 21 min; …', { fields: { source_name: 'acme.xml' } }),
      ['stuck-import-job', 'acme.xml'],
    ],
    [
      'an import that failed, by the name of its source',
      item('data_import_jobs', 'failed', 'ParseError: line 3', { fields: { source_name: 'acme.xml' } }),
      ['xml-import-job-failed', 'acme.xml'],
    ],
    [
      'a row without what is asked for, all together',
      item('data_import_jobs', 'failed', 'ParseError'),
      ['xml-import-job-failed', 'unknown'],
    ],
    ['anything else, by its cause', item('apple', 'failed', 'X'), ['tocsin', 'apple', 'job', 's1:x']],
  ])('groups %s', (_caption, failed, expected) => {
    expect(fingerprintOf(failed, templates)).toEqual(expected);
  });

  test('fills in source, job type, target and kind, and leaves the word for the usual grouping alone', () => {
    const fingerprint = ['{{ default }}', '{source}/{job_type}/{target_id}', '{kind}', '{constructor}'];
    expect(fingerprintOf(sampleItem(), [{ match: {}, fingerprint }])).toEqual([
      '{{ default }}',
      'apple/refresh_catalog/songs',
      'failed',
      'unknown',
    ]);
  });
});

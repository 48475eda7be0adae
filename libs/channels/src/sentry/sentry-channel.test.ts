import { startSentryDouble } from '@tocsin/testing';
import type { HttpBehaviour, SentryDouble } from '@tocsin/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { channelContract } from '../channel.contract.ts';
import type { Harness } from '../channel.contract.ts';
import type { SentryConfig } from '../channel.ts';
import { createChannel } from '../create-channel.ts';
import { httpFailures } from '../http-failures.contract.ts';
import { recordingLog, sampleItem, sampleOutgoing } from '../sample-outgoing.contract.ts';

const harnessFor = (double: SentryDouble, change: Partial<SentryConfig> = {}): Harness => {
  const log = recordingLog();
  return {
    channel: createChannel('primary', { type: 'sentry', dsn: double.dsn, ...change }, { log }),
    secrets: [double.publicKey, double.dsn],
    log,
    received: async () => null,
    bodies: () => double.taken().map(({ id, event }) => ({ identity: id, body: event })),
    requests: () => double.requests().length,
    stop: double.stop,
  };
};

const behaving = async (...behaviours: readonly HttpBehaviour[]): Promise<Harness> => {
  const double = await startSentryDouble();
  double.next(...behaviours);
  return harnessFor(double);
};

const limited = (title: string, header: string, retryAfterMs: number) =>
  ({
    title: `429 with limits of ${title}`,
    start: () =>
      behaving({
        kind: 'status',
        status: 429,
        headers: { 'X-Sentry-Rate-Limits': header, 'Retry-After': '7' },
      }),
    outcome: 'retry',
    reason: 'rate-limited',
    status: 429,
    retryAfterMs,
  }) as const;

channelContract('Sentry', {
  start: behaving,
  domain: null,
  failures: [
    ...httpFailures({
      behaving,
      at: async (change) => {
        const double = await startSentryDouble();
        return harnessFor(double, { dsn: change(new URL(double.dsn)) });
      },
      untrusted: async () => harnessFor(await startSentryDouble({ tls: true })),
    }),
    limited('errors', '60:transaction:key, 2700:default;error;security:organization', 2_700_000),
    limited('everything', '90::organization', 90_000),
    limited('other things only, by Retry-After', '60:transaction:key', 7_000),
    {
      title: 'a key of another project as unauthorized',
      start: async () => {
        const double = await startSentryDouble();
        return harnessFor(double, { dsn: double.dsn.replace(double.publicKey, 'abcdefabcdef') });
      },
      outcome: 'rejected',
      reason: 'unauthorized',
      status: 403,
    },
  ],
});

describe('the Sentry channel', () => {
  const doubles: SentryDouble[] = [];
  const started = async (): Promise<SentryDouble> => {
    const double = await startSentryDouble();
    doubles.push(double);
    return double;
  };
  afterEach(async () => {
    for (const double of doubles.splice(0)) await double.stop();
  });
  const options = { signal: new AbortController().signal, timeoutMs: 10_000 };

  test('sends an event with level, tags, context, exception and environment', async () => {
    const double = await started();
    const { channel } = harnessFor(double, { environment: 'production' });
    const outgoing = sampleOutgoing({
      composedAt: '2026-11-16T03:20:00Z',
      items: [
        sampleItem({
          severity: 'critical',
          source: 'document_jobs',
          jobType: 'pdf_processing',
          targetId: 'doc-7',
          causes: [
            {
              signature: 's1:x',
              error: 'No heartbeat for 16 min; jobs of this type may be silent for 15 min (rule pdf).',
              count: 1,
              jobs: [
                {
                  table: 'public.background_jobs',
                  jobId: 'job-1',
                  source: 'document_jobs',
                  jobType: 'pdf_processing',
                  targetId: 'doc-7',
                  kind: 'stuck',
                  attempts: null,
                  maxAttempts: null,
                  failedAt: '2026-11-16T03:17:00Z',
                  notes: [],
                  adminUrl: null,
                },
              ],
              moreJobs: 0,
            },
          ],
          details: {
            stage: 'text_extracted',
            progress: 40,
            counts: { failed: 3, total: 100 },
            startedAt: '2026-11-16T02:50:00Z',
            heartbeatAt: '2026-11-16T03:04:00Z',
            fields: { document_id: 'doc-7', import_job_id: 'import-9' },
          },
        }),
      ],
    });
    const outcome = await channel.send(outgoing, options);
    const [taken] = double.taken();
    expect(outcome).toEqual({ outcome: 'accepted', providerMessageId: taken?.id, status: 200 });
    expect(taken?.event).toMatchObject({
      level: 'fatal',
      environment: 'production',
      platform: 'other',
      logger: 'tocsin',
      timestamp: Date.parse('2026-11-16T03:02:41Z') / 1_000,
      transaction: 'document_jobs/pdf_processing',
      message: 'apple/refresh_catalog/songs failed',
      exception: { values: [{ type: 'stuck', value: expect.stringContaining('No heartbeat for 16 min') as string }] },
      tags: {
        job_id: 'job-1',
        document_id: 'doc-7',
        import_job_id: 'import-9',
        job_type: 'pdf_processing',
        error_type: 'stuck',
        stage: 'text_extracted',
        failure_reason: 'no-heartbeat',
        source: 'document_jobs',
        kind: 'stuck',
        target_id: 'doc-7',
      },
      contexts: {
        job: {
          progress: 40,
          stage: 'text_extracted',
          failed: 3,
          total: 100,
          started_at: '2026-11-16T02:50:00Z',
          last_heartbeat_at: '2026-11-16T03:04:00Z',
          stuck_seconds: 16 * 60,
        },
      },
    });
    expect(taken?.tags).not.toHaveProperty('session_id');
  });

  test.each([
    ['info', 'info'],
    ['warning', 'warning'],
    ['error', 'error'],
    ['critical', 'fatal'],
  ] as const)('says %s as %s', async (severity, level) => {
    const double = await started();
    await harnessFor(double).channel.send(sampleOutgoing({ items: [sampleItem({ severity })] }), options);
    expect(double.taken().map((event) => event.level)).toEqual([level]);
  });

  test('names the class of an error', async () => {
    const double = await started();
    await harnessFor(double).channel.send(sampleOutgoing(), options);
    expect(double.taken()[0]?.tags).toMatchObject({ error_type: 'HTTPError', failure_reason: 'HTTPError' });
  });

  test('gives a repeated event the id that Sentry has already', async () => {
    const double = await started();
    const { channel } = harnessFor(double);
    const items = Array.from({ length: 8 }, (_, n) => sampleItem({ alertId: `alert-${n}` }));
    const outgoing = sampleOutgoing({ items });
    double.next(...Array.from({ length: 6 }, () => ({ kind: 'accept' }) as const), { kind: 'accept-then-reset' });
    expect(await channel.send(outgoing, options)).toMatchObject({ outcome: 'retry', reason: 'connection-lost' });
    expect(await channel.send({ ...outgoing, attemptId: 'another' }, options)).toMatchObject({ outcome: 'accepted' });
    expect(double.taken().length).toBeGreaterThan(8);
    expect(double.kept()).toHaveLength(8);
  });

  test('sends no more than twenty events, the last of which counts the rest', async () => {
    const double = await started();
    const items = Array.from({ length: 25 }, (_, n) => sampleItem({ alertId: `alert-${n}`, alerts: 2 }));
    await harnessFor(double).channel.send(sampleOutgoing({ items, omittedAlerts: 3 }), options);
    expect(double.taken()).toHaveLength(20);
    expect(double.taken().map(({ event }) => event['message'])).toContainEqual(
      expect.stringMatching(/^15 more alerts not shown: /),
    );
  });

  test('sends nothing for a recovery or a heartbeat', async () => {
    const double = await started();
    const { channel } = harnessFor(double);
    const quiet = [
      sampleOutgoing({ items: [sampleItem({ kind: 'resolved', failures: 0, causes: [] })] }),
      sampleOutgoing({ items: [sampleItem({ kind: 'update', failures: 0, causes: [] })] }),
      sampleOutgoing({ purpose: 'heartbeat', items: [sampleItem({ kind: 'open' })] }),
    ];
    for (const outgoing of quiet)
      expect(await channel.send(outgoing, options)).toEqual({
        outcome: 'accepted',
        providerMessageId: null,
        status: null,
      });
    expect(double.requests()).toHaveLength(0);
  });

  test.each([
    'https://sentry.io/1',
    'https://key@sentry.io/',
    'https://key@sentry.io/project',
    'ftp://key@sentry.io/1',
    'hunter2',
  ])('is not made with %s, and does not repeat it', (dsn) => {
    const make = (): unknown => createChannel('sentry', { type: 'sentry', dsn }, { log: recordingLog() });
    expect(make).toThrow(expect.objectContaining({ code: 'CHANNEL_MISCONFIGURED' }));
    expect(make).not.toThrow(/hunter2|key@sentry/);
  });
});

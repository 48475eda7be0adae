/** Messages for tests and for looking at: the mails a team meets in its first bad week. Not part of the library. */
import type { DigestMessage, MessageCause, MessageItem, MessageJob } from '@tocsin/alert-model';

const composedAt = '2026-11-16T03:07:12.345678Z';
const admin = 'https://admin.example.com/jobs?source=apple&type=refresh_catalog&target=';
const alertId = (n: number): string =>
  `${(0x3f2a9c1e + n * 7919).toString(16).padStart(8, '0')}-7c1d-5e2f-9a3b-0242ac120002`;
const consoleUrl = (n: number): string => `https://tocsin.example.com/alerts/${alertId(n)}`;

/** A job that failed after three attempts. */
export const sampleJob = (change: Partial<MessageJob> = {}): MessageJob => ({
  table: 'public.research_jobs',
  jobId: '4711',
  source: 'apple',
  jobType: 'refresh_catalog',
  targetId: 'songs',
  kind: 'failed',
  attempts: 3,
  maxAttempts: 3,
  failedAt: '2026-11-16T03:02:41.120000Z',
  notes: [],
  adminUrl: `${admin}songs`,
  ...change,
});

const traceback = `Traceback (most recent call last):
  File "/srv/worker/catalog.py", line 218, in refresh
    page = client.get(f"/v1/catalog/songs?offset={offset}")
requests.exceptions.HTTPError: 502 Server Error: Bad Gateway for url: https://api.example.com/v1/catalog/songs?offset=41500&limit=500&include=albums,artists`;

/** One cause with one job. */
export const sampleCause = (change: Partial<MessageCause> = {}): MessageCause => ({
  signature: 'v1:httperror-502',
  error: traceback,
  count: 1,
  jobs: [sampleJob()],
  moreJobs: 0,
  ...change,
});

/** A new alert about one failed job outside a chain. */
export const sampleItem = (change: Partial<MessageItem> = {}): MessageItem => ({
  kind: 'new',
  alertId: alertId(0),
  alerts: 1,
  title: 'apple/refresh_catalog/songs failed',
  severity: 'error',
  source: 'apple',
  jobType: 'refresh_catalog',
  targetId: 'songs',
  chain: null,
  failures: 1,
  occurrences: 1,
  causes: [sampleCause()],
  moreCauses: 0,
  since: '2026-11-16T03:02:41.120000Z',
  lastFailedAt: '2026-11-16T03:02:41.120000Z',
  acknowledgedBy: null,
  resolution: null,
  lapse: null,
  escalation: null,
  predecessor: null,
  adminUrl: `${admin}songs`,
  tocsinUrl: consoleUrl(0),
  ...change,
});

/** A message with the given items. */
export const sampleMessage = (change: Partial<DigestMessage> = {}): DigestMessage => ({
  v: 1,
  digestId: '8d7f3c52-11aa-5b6e-8f00-5a1b2c3d4e5f',
  threadId: '8d7f3c52-11aa-5b6e-8f00-5a1b2c3d4e5f',
  route: 'catalog-team',
  purpose: 'window',
  subject: '[Tocsin] apple/refresh_catalog/songs failed',
  headline: 'apple/refresh_catalog/songs failed after 3 attempts: 502 Bad Gateway',
  followUp: false,
  severity: 'error',
  items: [sampleItem()],
  omittedAlerts: 0,
  totals: { failures: 1, alerts: 1, resolved: 0, stillOpen: 0 },
  notices: [],
  composedAt,
  ...change,
});

const chain = {
  name: 'weekly_catalog',
  run: '2026-11-16T02:00:00Z',
  missing: ['rebuild_index'],
  lastGreenAt: '2026-11-09T03:04:09.000000Z',
  failedRuns: 2,
} as const;

const chainFailure = sampleMessage({
  subject: '[Tocsin] apple/weekly_catalog: songs failed',
  headline: 'songs failed; rebuild_index did not run; the index is from last Monday',
  severity: 'critical',
  items: [sampleItem({ title: 'apple/weekly_catalog: songs failed', severity: 'critical', chain })],
  totals: { failures: 1, alerts: 1, resolved: 0, stillOpen: 1 },
});

const manyJobs = (jobType: string, targets: number, listed: number): readonly MessageJob[] =>
  Array.from({ length: Math.min(targets, listed) }, (_, n) =>
    sampleJob({ jobId: String(9000 + n), jobType, targetId: `shard-${n + 1}`, adminUrl: `${admin}shard-${n + 1}` }),
  );

const fortyJobs = sampleMessage({
  subject: '[Tocsin] 40 jobs of 3 types failed',
  headline: '40 jobs failed, most of them because db-7.internal refuses connections',
  items: [
    sampleItem({
      title: 'apple/refresh_catalog: 24 jobs failed',
      targetId: null,
      failures: 24,
      occurrences: 24,
      causes: [
        sampleCause({
          error:
            'psycopg.OperationalError: connection to server at "db-7.internal", port 5432 failed: Connection refused',
          count: 22,
          jobs: manyJobs('refresh_catalog', 22, 10),
          moreJobs: 12,
        }),
        sampleCause({
          error: 'TimeoutError: read timed out after 30 s',
          count: 2,
          jobs: manyJobs('refresh_catalog', 2, 2),
        }),
      ],
    }),
    sampleItem({
      alertId: alertId(1),
      title: 'apple/sync_prices: 12 jobs failed',
      severity: 'warning',
      jobType: 'sync_prices',
      targetId: null,
      failures: 12,
      occurrences: 12,
      causes: [
        sampleCause({
          error:
            'psycopg.OperationalError: connection to server at "db-7.internal", port 5432 failed: Connection refused',
          count: 12,
          jobs: manyJobs('sync_prices', 12, 10),
          moreJobs: 2,
        }),
      ],
      tocsinUrl: consoleUrl(1),
    }),
    sampleItem({
      kind: 'again',
      alertId: alertId(2),
      title: 'apple/export_report: 4 jobs failed',
      severity: 'info',
      jobType: 'export_report',
      targetId: null,
      failures: 4,
      occurrences: 9,
      since: '2026-11-16T01:02:00.000000Z',
      causes: [
        sampleCause({
          error: null,
          count: 4,
          jobs: manyJobs('export_report', 4, 4).map((job) => ({ ...job, kind: 'dead', attempts: 1, maxAttempts: 5 })),
        }),
      ],
      predecessor: { alertId: alertId(77), resolvedAt: '2026-11-14T04:10:00.000000Z', recentCount: 2 },
      tocsinUrl: consoleUrl(2),
    }),
  ],
  totals: { failures: 40, alerts: 3, resolved: 0, stillOpen: 3 },
  notices: [
    'The channel slack-ops refused its message (unauthorized), so this mail also stands in for it. Check its webhook address.',
  ],
});

const hundredFailures = sampleMessage({
  subject: '[Tocsin] 100 jobs failed',
  headline: '100 jobs of apple/refresh_catalog failed since 01:02 UTC, with 100 different causes',
  items: Array.from({ length: 100 }, (_, n) =>
    sampleItem({
      alertId: alertId(n),
      title: `apple/refresh_catalog/artist-${10_000 + n * 37} failed`,
      targetId: `artist-${10_000 + n * 37}`,
      severity: n < 3 ? 'critical' : n % 5 === 0 ? 'warning' : 'error',
      causes: [
        sampleCause({
          error: `${['KeyError', 'ValueError', 'TypeError', 'IntegrityError'][n % 4] ?? ''}: artist ${10_000 + n * 37} has no field "${'abcdefghij'.charAt(n % 10)}_${n}" in the answer of the catalogue; the row was skipped and the checkpoint kept at offset ${n * 500}`,
          jobs: [sampleJob({ jobId: String(5000 + n), targetId: `artist-${10_000 + n * 37}` })],
        }),
      ],
      adminUrl: `${admin}artist-${10_000 + n * 37}`,
      tocsinUrl: consoleUrl(n),
      since: '2026-11-16T01:02:00.000000Z',
      lastFailedAt: '2026-11-16T03:02:41.120000Z',
    }),
  ),
  totals: { failures: 100, alerts: 100, resolved: 0, stillOpen: 100 },
});

const resolved = sampleMessage({
  subject: '[Tocsin] apple/weekly_catalog: songs failed',
  headline: 'apple/weekly_catalog works again after 14 d 1 h: a whole later run succeeded',
  followUp: true,
  digestId: '11111111-1111-5111-8111-111111111111',
  items: [
    sampleItem({
      kind: 'resolved',
      title: 'apple/weekly_catalog: songs failed',
      severity: 'critical',
      chain: { ...chain, run: '2026-11-16T02:00:00Z', missing: [] },
      failures: 0,
      occurrences: 2,
      causes: [],
      since: '2026-11-02T02:41:00.000000Z',
      lastFailedAt: '2026-11-09T03:04:00.000000Z',
      acknowledgedBy: 'ada@example.com',
      resolution: {
        resolvedAt: '2026-11-16T03:05:00.000000Z',
        reason: 'chain-run-green',
        by: null,
        downtimeMs: 14 * 86_400_000 + 24 * 60_000,
      },
    }),
  ],
  totals: { failures: 0, alerts: 1, resolved: 1, stillOpen: 0 },
});

const recovered = sampleMessage({
  subject: '[Tocsin] apple/refresh_catalog/songs failed and recovered',
  headline: 'apple/refresh_catalog/songs failed at 03:02 and recovered at 03:07',
  severity: 'info',
  items: [
    sampleItem({
      kind: 'recovered',
      causes: [sampleCause({ error: 'TimeoutError: read timed out after 30 s' })],
      resolution: { resolvedAt: '2026-11-16T03:07:02.000000Z', reason: 'succeeded', by: null, downtimeMs: 261_000 },
    }),
  ],
  totals: { failures: 1, alerts: 1, resolved: 1, stillOpen: 0 },
});

const escalated = sampleMessage({
  subject: '[Tocsin] apple/weekly_catalog: songs failed',
  headline: 'Nobody acknowledged for 30 min: songs failed, rebuild_index did not run',
  purpose: 'escalation',
  severity: 'critical',
  items: [
    sampleItem({
      kind: 'escalated',
      title: 'apple/weekly_catalog: songs failed',
      severity: 'critical',
      chain,
      since: '2026-11-16T02:35:00.000000Z',
      escalation: {
        level: 2,
        name: 'on-call',
        afterMs: 1_800_000,
        toldBefore: [
          { channel: 'email', at: '2026-11-16T02:37:04.000000Z' },
          { channel: 'slack-ops', at: '2026-11-16T02:37:05.000000Z' },
        ],
      },
    }),
  ],
  totals: { failures: 1, alerts: 1, resolved: 0, stillOpen: 1 },
});

const lapsed = sampleMessage({
  subject: '[Tocsin] apple/refresh_catalog/songs failed',
  headline: 'Still failing: the acknowledgement by ada@example.com ended at 03:07',
  purpose: 'lapse',
  followUp: true,
  items: [
    sampleItem({
      kind: 'lapsed',
      occurrences: 4,
      since: '2026-11-14T22:10:00.000000Z',
      lapse: { by: 'ada@example.com', acknowledgedAt: '2026-11-15T08:30:00.000000Z', reason: 'time' },
    }),
  ],
});

const mixed = sampleMessage({
  subject: '[Tocsin] 3 problems, 1 working again',
  headline:
    'songs failed: requests.exceptions.HTTPError: 502 Server Error: Bad Gateway for url https://api.example.com/v1/catalog. rebuild_index did not run; last good run Mon 9 Nov 03:04 UTC. Also in this message: 1 more problem, 2 recovered.',
  severity: 'critical',
  items: [
    ...resolved.items,
    ...recovered.items,
    ...chainFailure.items,
    ...(fortyJobs.items[2] === undefined ? [] : [fortyJobs.items[2]]),
  ],
  omittedAlerts: 12,
  totals: { failures: 6, alerts: 4, resolved: 2, stillOpen: 2 },
});

const documents = { source: 'documents', jobType: 'process_pdf', table: 'public.background_jobs' } as const;

/** A condition, as the detector words it. */
const suspected = (kind: string, error: string, job: Partial<MessageJob> = {}): Partial<MessageItem> => ({
  title: 'documents/process_pdf',
  source: 'documents',
  jobType: 'process_pdf',
  targetId: null,
  adminUrl: null,
  causes: [
    sampleCause({
      error,
      jobs: [
        sampleJob({ ...documents, kind, targetId: null, attempts: null, maxAttempts: null, adminUrl: null, ...job }),
      ],
    }),
  ],
});

const conditions = sampleMessage({
  subject: '[Tocsin] 5 problems: documents/process_pdf/invoice-7, apple/weekly_catalog, google/import and 2 more',
  headline:
    'documents/process_pdf/invoice-7 is stuck: no heartbeat for 22 min; jobs of this type may be silent for 15 min (rules[0]). Also in this message: 4 more problems, 1 update, 1 over.',
  items: [
    sampleItem({
      ...suspected('stuck', 'No heartbeat for 22 min; jobs of this type may be silent for 15 min (rules[0]).', {
        targetId: 'invoice-7',
        attempts: 1,
        maxAttempts: 3,
        notes: ['It was at tiles_generated, 62 %.'],
      }),
      title: 'documents/process_pdf/invoice-7',
      targetId: 'invoice-7',
      adminUrl: 'https://admin.example.com/documents/invoice-7',
      since: '2026-11-16T03:00:12.000000Z',
      lastFailedAt: '2026-11-16T03:00:12.000000Z',
    }),
    sampleItem({
      ...suspected(
        'overdue',
        'Expected by Mon, 16 Nov 2026, 03:00 Europe/Berlin, with 30 min of grace; it is 37 min late. The last success was at 2026-11-09 02:41:07 UTC.',
        {
          jobId: 'schedule:weekly',
          source: 'apple',
          jobType: 'refresh_catalog',
          targetId: 'albums',
          notes: ['No job of it is running.'],
        },
      ),
      alertId: alertId(3),
      title: 'apple/weekly_catalog',
      source: 'apple',
      jobType: 'refresh_catalog',
      targetId: 'albums',
      chain: { ...chain, run: null, missing: [] },
      severity: 'critical',
      since: '2026-11-16T02:30:00.000000Z',
      lastFailedAt: '2026-11-16T02:30:00.000000Z',
      tocsinUrl: consoleUrl(3),
    }),
    sampleItem({
      ...suspected(
        'stalled',
        'More than 2000 google/import jobs wait and no worker picks them up; the oldest has been due for 1 h 10 min. Is its worker running?',
        { jobId: 'type:google/import', source: 'google', jobType: 'import' },
      ),
      alertId: alertId(4),
      title: 'google/import',
      source: 'google',
      jobType: 'import',
      severity: 'warning',
      since: '2026-11-16T02:57:00.000000Z',
      lastFailedAt: '2026-11-16T02:57:00.000000Z',
      tocsinUrl: consoleUrl(4),
    }),
    sampleItem({
      alertId: alertId(5),
      title: 'shop/import_products/acme',
      source: 'shop',
      jobType: 'import_products',
      targetId: 'acme',
      severity: 'warning',
      causes: [
        sampleCause({
          error: '50 of 1,000 parts failed.\nValueError: row 812 has no price',
          jobs: [
            sampleJob({ source: 'shop', jobType: 'import_products', targetId: 'acme', kind: 'partial', attempts: 1 }),
          ],
        }),
      ],
      adminUrl: null,
      tocsinUrl: consoleUrl(5),
    }),
    sampleItem({
      ...suspected(
        'unhealthy',
        'All 14 running jobs that send heartbeats have fallen silent; the last heartbeat was at 2026-11-16 02:51:00 UTC. Look at the workers and their host before you look at single jobs.',
        {
          jobId: 'table:heartbeats',
          source: 'tocsin',
          jobType: 'watch_table',
          targetId: 'scraping_sessions',
          notes: ['As long as this lasts, the jobs are not told one by one.'],
        },
      ),
      kind: 'again',
      alertId: alertId(6),
      title: 'Watched table scraping_sessions',
      source: 'tocsin',
      jobType: 'watch_table',
      targetId: 'scraping_sessions',
      occurrences: 2,
      since: '2026-11-16T01:20:00.000000Z',
      lastFailedAt: '2026-11-16T02:51:00.000000Z',
      tocsinUrl: consoleUrl(6),
    }),
    sampleItem({
      ...suspected('stuck', 'No heartbeat for 31 min; jobs of this type may be silent for 15 min (rules[0]).', {
        jobId: '812',
        targetId: 'contract-3',
      }),
      kind: 'update',
      alertId: alertId(7),
      failures: 0,
      occurrences: 3,
      developments: [
        {
          what: 'retracted',
          jobId: '812',
          kind: 'stuck',
          at: '2026-11-16T02:58:00.000000Z',
          detail: 'a sign of life at 2026-11-16 02:58:00 UTC',
        },
        {
          what: 'requeued',
          jobId: '815',
          kind: 'stuck',
          at: '2026-11-16T03:01:00.000000Z',
          detail: 'restart 1 of 3, in 1 min',
        },
        {
          what: 'repair-skipped',
          jobId: '811',
          kind: 'stuck',
          at: '2026-11-16T03:01:02.000000Z',
          detail: 'its checkpoint does not fit the schema of rules[0]',
        },
      ],
      since: '2026-11-16T02:12:00.000000Z',
      lastFailedAt: '2026-11-16T02:40:00.000000Z',
      tocsinUrl: consoleUrl(7),
    }),
    sampleItem({
      ...suspected('stuck', 'No sign of life for 41 min; jobs of this type may be silent for 30 min (rules[1]).', {
        source: 'scraper',
        jobType: 'scrape_site',
        targetId: 'example.com',
      }),
      kind: 'resolved',
      alertId: alertId(8),
      title: 'scraper/scrape_site/example.com',
      source: 'scraper',
      jobType: 'scrape_site',
      targetId: 'example.com',
      failures: 0,
      since: '2026-11-16T02:40:00.000000Z',
      lastFailedAt: '2026-11-16T02:40:00.000000Z',
      resolution: {
        resolvedAt: '2026-11-16T03:01:30.000000Z',
        reason: 'retracted',
        by: null,
        note: 'a sign of life at 2026-11-16 03:01:30 UTC',
        downtimeMs: 1_290_000,
      },
      tocsinUrl: consoleUrl(8),
    }),
  ],
  severity: 'critical',
  totals: { failures: 5, alerts: 7, resolved: 1, stillOpen: 6 },
});

/** By name. */
export const sampleMessages = {
  chainFailure,
  fortyJobs,
  hundredFailures,
  resolved,
  recovered,
  escalated,
  lapsed,
  mixed,
  conditions,
} as const;

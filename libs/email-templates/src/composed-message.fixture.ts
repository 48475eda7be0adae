/** Messages as the model composes them of failures: the way from signals to a digest, without a database. */
import {
  AlertId,
  DigestId,
  OutcomeId,
  classifyFailure,
  composeMessage,
  decideFailure,
  evolveAlert,
  fragmentOf,
  planMessages,
  sampleKey,
} from '@tocsin/alert-model';
import type { AlertState, DigestMessage, FailureSignal, Fragment, Policy, Sample } from '@tocsin/alert-model';

const uuid = (kind: string, number: number): string =>
  `${kind}${number.toString(16).padStart(7, '0')}-7c1d-4e2f-9a3b-0242ac120002`;
const digestId = DigestId.parse(uuid('d', 1));
const policy: Policy = {
  rules: [],
  chains: [],
  routes: [
    {
      name: 'default',
      match: {},
      channels: ['email'],
      fallback: [],
      windowMs: 900_000,
      firstAtOnce: false,
      quietHours: [],
      breakThrough: ['critical'],
      escalation: null,
      allQuiet: null,
      itemsMax: 100,
    },
  ],
  schedules: [],
  storm: null,
  flapping: null,
  hours: { isWithin: () => false, firstOutside: (_, at) => at },
  adapters: {},
  channels: ['email'],
};

/** What is different about one failure. */
export type FailureChange = Partial<FailureSignal>;

const signalOf = (number: number, change: FailureChange): FailureSignal => ({
  v: 1,
  signal: 'FailureDetected',
  outcomeId: OutcomeId.parse(uuid('c', number)),
  table: 'public.research_jobs',
  jobId: `${4_711 + number}`,
  kind: 'failed',
  source: 'apple',
  jobType: 'refresh_catalog',
  targetId: 'songs',
  attempts: 3,
  maxAttempts: 3,
  error: 'HTTPError: 502 Server Error: Bad Gateway',
  failedAt: '2026-11-16T03:02:41.120000Z',
  run: null,
  runContext: null,
  counts: null,
  history: null,
  sourceSuccesses: null,
  details: null,
  notes: [],
  observedAt: '2026-11-16T03:02:43.000000Z',
  ...change,
});

/**
 * The e-mail of these failures, each an alert of its own.
 *
 * @param purpose of the digest that tells of them. Default: `window`
 */
export const composedOf = (
  failures: readonly FailureChange[],
  purpose: 'window' | 'storm' = 'window',
): DigestMessage => {
  const samples = new Map<string, Sample>();
  const fragments = failures.flatMap((change, number): Fragment[] => {
    const signal = signalOf(number, change);
    const alertId = AlertId.parse(uuid('a', number));
    const classified = classifyFailure(signal, policy, signal.observedAt);
    if ('ignoredBy' in classified) return [];
    const context = { now: signal.observedAt, alertId, predecessor: null, silences: [], flapping: null };
    let state: AlertState | null = null;
    for (const event of decideFailure(null, signal, classified, context).events) {
      state = evolveAlert(state, event);
      if (event.type === 'FailureDetected') samples.set(sampleKey({ alertId, version: state.version }), event.data);
    }
    if (state === null) return [];
    const batched = evolveAlert(state, {
      type: 'AlertBatched',
      occurredAt: signal.observedAt,
      data: { digestId, route: 'default', purpose, dueAt: '2026-11-16T03:17:43.000000Z' },
    });
    return [fragmentOf(batched, digestId) ?? []].flat();
  });
  const digest = { id: digestId, route: 'default', purpose, channels: ['email'] };
  const [planned] = planMessages(digest, fragments);
  if (planned === undefined) throw new Error('There is nothing to tell.');
  return composeMessage(digest, planned, {
    samples,
    threadSubject: null,
    adminUrl: 'https://admin.example.com/jobs?source={source}&type={job_type}&target={target_id}',
    publicUrl: 'https://tocsin.example.com',
    stillOpen: 4,
    now: '2026-11-16T03:17:43.345678Z',
  });
};

const databaseDown =
  'psycopg.OperationalError: connection to server at "db-7.internal" (10.0.3.7), port 5432 failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?';
const traceback = (target: string): string => `Traceback (most recent call last):
  File "/srv/worker/catalog.py", line 218, in refresh
    page = client.get(f"/v1/catalog/{target}?offset={offset}")
requests.exceptions.HTTPError: 502 Server Error: Bad Gateway for url: https://api.example.com/v1/catalog/${target}?offset=41500&limit=500&include=albums,artists`;
const atSecond = (second: number): string => new Date(Date.UTC(2026, 10, 16, 2, 57) + second * 1_000).toISOString();

/** One failure. */
export const one: readonly FailureChange[] = [{ error: traceback('songs') }];

/** Thirty failures of a night, as they come: three causes of many jobs, and a few of their own. */
export const thirty: readonly FailureChange[] = Array.from({ length: 30 }, (_, n) => ({
  failedAt: atSecond(n * 11),
  observedAt: atSecond(n * 11 + 2),
  ...(n < 14
    ? { jobType: 'sync_prices', targetId: `shop-${n + 1}`, error: databaseDown }
    : n < 22
      ? { targetId: `artist-${10_000 + n * 37}`, error: traceback(`artist-${10_000 + n * 37}`) }
      : n < 26
        ? {
            source: 'documents',
            jobType: 'process_pdf',
            targetId: null,
            kind: 'dead',
            error: null,
            attempts: 1,
            maxAttempts: 5,
          }
        : {
            source: 'google',
            jobType: `import_${'abcd'.charAt(n - 26)}`,
            targetId: `feed-${n}`,
            error: `KeyError: 'price_${'wxyz'.charAt(n - 26)}'`,
          }),
}));

/** Five thousand failures in eight minutes: the database they need is down. */
export const fiveThousand: readonly FailureChange[] = Array.from({ length: 5_000 }, (_, n) => ({
  failedAt: atSecond(n * 0.1),
  observedAt: atSecond(n * 0.1 + 2),
  source: n % 7 === 0 ? 'google' : 'apple',
  jobType: ['refresh_catalog', 'sync_prices', 'export_report', 'import_feed', 'rebuild_index'][n % 5] ?? '',
  targetId: `shard-${n}`,
  error: n % 10 < 7 ? databaseDown : n % 10 < 9 ? 'TimeoutError: read timed out after 30 s' : traceback(`shard-${n}`),
}));

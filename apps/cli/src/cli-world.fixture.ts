import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FailureSignal, SuccessSignal, alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import type { DeliveryOutcome, Policy, RoutePolicy } from '@tocsin/alert-model';
import { defaultSettings, parseTask } from '@tocsin/alert-service';
import type { ServiceContext, ServiceSettings, TocsinPayloads } from '@tocsin/alert-service';
import { createPostgresStore } from '@tocsin/event-store';
import { createNotifier } from '@tocsin/notifier';
import { createQueue } from '@tocsin/queue';
import { createLogger, hours } from '@tocsin/runtime';
import type { Pool } from '@tocsin/runtime';
import { afterAll } from 'vitest';
import { runCli } from './run-cli.ts';
import type { Terminal } from './terminal.ts';

/** What one run of the command came to. */
export interface CliRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command without a process of its own. For tests only. */
export const runForTest = async (
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    readonly signal?: AbortSignal;
    /** As in a terminal of that width. Default: no terminal. */
    readonly columns?: number;
  } = {},
): Promise<CliRun> => {
  let out = '';
  let err = '';
  const terminal: Terminal = {
    write: (text) => {
      out += text;
    },
    drained: async () => {},
    complain: (text) => {
      err += text;
    },
    columns: options.columns ?? 100,
    textColumns: options.columns ?? Infinity,
    coloured: false,
    watched: false,
    env: options.env ?? {},
    cwd: options.cwd ?? emptyFolder(),
    interruption: () => options.signal ?? AbortSignal.abort(),
  };
  const code = await runCli(args, terminal);
  return { code, out, err };
};

// One folder per test file, which is gone with it. The server of an embedded database runs as another user and must get in.
const root = mkdtempSync(join(tmpdir(), 'tocsin-cli-'));
chmodSync(root, 0o755);
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A new folder without a configuration. */
export const emptyFolder = (): string => mkdtempSync(join(root, 'cwd-'));

/** A notifier on a test's database whose messages go nowhere, and the command on the same database. For tests only. */
export interface CliWorld {
  readonly tocsin: (...args: readonly string[]) => Promise<CliRun>;
  /** Enqueues signals as a detector would, and does all that is due. */
  readonly signal: (...signals: readonly unknown[]) => Promise<void>;
  readonly run: () => Promise<void>;
  /** What the provider answers next, first in first out; when empty, what the script of the channel says. */
  readonly answers: DeliveryOutcome[];
  /** How each channel answers, by its name; one without a script accepts. */
  readonly script: Map<string, DeliveryOutcome>;
  readonly service: ServiceContext;
  readonly close: () => Promise<void>;
}

/** Forgets everything that a test before has left, the queue included. */
export const emptyTables = async ({ pool }: { readonly pool: Pool }): Promise<void> => {
  await pool.query(
    `alter table tocsin.events disable trigger all;
     truncate tocsin.events, tocsin.alerts, tocsin.digests, tocsin.deliveries, tocsin.delivery_attempts, tocsin.outcomes,
       tocsin.recent_successes, tocsin.quarantine, tocsin.channel_states, tocsin.provider_events, tocsin.silences,
       tocsin.heartbeats, tocsin.cursors, tocsin.canary_jobs;
     alter table tocsin.events enable trigger all;
     delete from pgboss.job`,
  );
};

/** A route without a window. */
export const immediate = (over: Partial<RoutePolicy> = {}): RoutePolicy => ({
  name: 'default',
  match: {},
  channels: ['email'],
  fallback: [],
  windowMs: 0,
  firstAtOnce: false,
  quietHours: [],
  breakThrough: ['critical'],
  allQuiet: null,
  itemsMax: 100,
  escalation: null,
  ...over,
});

/** A ladder of levels at these minutes, each told on one channel. */
export const ladder = (name: string, ...levels: readonly (readonly [minute: number, channel: string])[]) => ({
  name,
  levels: levels.map(([minute, channel]) => ({ afterMs: minute * 60_000, channels: [channel], severities: null })),
  repeat: null,
});

/** Without storms and flapping, which tests ask for by name. */
const calmPolicy: Policy = {
  rules: [],
  chains: [],
  schedules: [],
  routes: [immediate()],
  storm: null,
  flapping: null,
  hours,
  adapters: { research_jobs: 'research_jobs' },
  channels: ['email'],
};

export const openCliWorld = async (
  database: { readonly connectionString: string; readonly pool: Pool },
  policy: Partial<Policy> = {},
  settings: Partial<ServiceSettings> = {},
): Promise<CliWorld> => {
  const queue = createQueue<TocsinPayloads>({
    connectionString: database.connectionString,
    parse: parseTask,
    onUnreadable: () => {},
    onError: (error) => {
      throw error;
    },
  });
  await queue.start();
  const answers: DeliveryOutcome[] = [];
  const script = new Map<string, DeliveryOutcome>();
  const service: ServiceContext = {
    store: createPostgresStore({ pool: database.pool, foldAlert: evolveAlert, modelVersion: alertModelVersion }),
    queue,
    sender: {
      send: async (channel) =>
        answers.shift() ?? script.get(channel) ?? { outcome: 'accepted', providerMessageId: null, status: 202 },
    },
    policy: { ...calmPolicy, ...policy },
    log: createLogger({ level: 'silent', name: 'cli-world' }),
    settings: { ...defaultSettings, ...settings },
  };
  const notifier = createNotifier({ service, queue, instance: `test-${randomUUID()}`, forget: async () => {} });
  const run = async (): Promise<void> => {
    await notifier.runOnce();
  };
  // What a test before has left of channels would keep the messages of this one.
  await database.pool.query('delete from tocsin.channel_states');
  const cwd = emptyFolder();
  const env = { DATABASE_URL: database.connectionString };
  return {
    tocsin: (...args) => runForTest(args, { env, cwd }),
    signal: async (...signals) => {
      await service.store.transaction('test.signal', (session) =>
        queue.enqueue(session.tx, [{ queue: 'signals', data: { signals: [...signals] } }]),
      );
      await run();
    },
    run,
    answers,
    script,
    service,
    close: notifier.stop,
  };
};

/** A failure of `apple/refresh_catalog/songs`, unless said otherwise. */
export const failure = (over: Partial<Record<keyof FailureSignal, unknown>> = {}): FailureSignal => {
  const failedAt = (over.failedAt as string | undefined) ?? new Date().toISOString();
  return FailureSignal.parse({
    v: 1,
    signal: 'FailureDetected',
    outcomeId: randomUUID(),
    table: 'research_jobs',
    jobId: randomUUID(),
    kind: 'failed',
    source: 'apple',
    jobType: 'refresh_catalog',
    targetId: 'songs',
    attempts: 3,
    maxAttempts: 3,
    error: 'HTTP 503 from http://127.0.0.1:4010/songs',
    run: null,
    runContext: null,
    notes: [],
    observedAt: failedAt,
    ...over,
    failedAt,
  });
};

/** A success of the same job. */
export const success = (over: Partial<Record<keyof SuccessSignal, unknown>> = {}): SuccessSignal => {
  const finishedAt = (over.finishedAt as string | undefined) ?? new Date().toISOString();
  return SuccessSignal.parse({
    v: 1,
    signal: 'SuccessDetected',
    outcomeId: randomUUID(),
    table: 'research_jobs',
    jobId: randomUUID(),
    source: 'apple',
    jobType: 'refresh_catalog',
    targetId: 'songs',
    run: null,
    observedAt: finishedAt,
    ...over,
    finishedAt,
  });
};

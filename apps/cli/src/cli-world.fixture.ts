import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FailureSignal, SuccessSignal, alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import type { DeliveryOutcome, Policy, RoutePolicy } from '@tocsin/alert-model';
import { defaultSettings, parseTask } from '@tocsin/alert-service';
import type { ServiceContext, TocsinPayloads } from '@tocsin/alert-service';
import { createPostgresStore } from '@tocsin/event-store';
import { createNotifier } from '@tocsin/notifier';
import { createQueue } from '@tocsin/queue';
import { createLogger } from '@tocsin/runtime';
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
    columns: 100,
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
  /** What the provider answers next, first in first out; accepted when empty. */
  readonly answers: DeliveryOutcome[];
  readonly close: () => Promise<void>;
}

/** A route without a window. */
export const immediate = (over: Partial<RoutePolicy> = {}): RoutePolicy => ({
  name: 'default',
  match: {},
  channels: ['email'],
  fallback: [],
  windowMs: 0,
  escalation: null,
  ...over,
});

export const openCliWorld = async (
  database: { readonly connectionString: string; readonly pool: Pool },
  policy: Partial<Policy> = {},
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
  const service: ServiceContext = {
    store: createPostgresStore({ pool: database.pool, foldAlert: evolveAlert, modelVersion: alertModelVersion }),
    queue,
    sender: { send: async () => answers.shift() ?? { outcome: 'accepted', providerMessageId: null, status: 202 } },
    policy: { rules: [], chains: [], schedules: [], routes: [immediate()], ...policy },
    log: createLogger({ level: 'silent', name: 'cli-world' }),
    settings: defaultSettings,
  };
  const notifier = createNotifier({ service, queue, instance: `test-${randomUUID()}`, forget: async () => {} });
  const run = async (): Promise<void> => {
    await notifier.runOnce();
  };
  const cwd = emptyFolder();
  return {
    tocsin: (...args) => runForTest(args, { env: { DATABASE_URL: database.connectionString }, cwd }),
    signal: async (...signals) => {
      await service.store.transaction('test.signal', (session) =>
        queue.enqueue(session.tx, [{ queue: 'signals', data: { signals: [...signals] } }]),
      );
      await run();
    },
    run,
    answers,
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

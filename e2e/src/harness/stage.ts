import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from '@tocsin/runtime';
import { startSmtpDouble } from '@tocsin/testing';
import type { SmtpDouble, SmtpMail } from '@tocsin/testing';
import { createJobs } from './jobs.ts';
import type { Jobs } from './jobs.ts';
import { isFinished, unfinished } from './quiet.ts';
import { waitDefaultMs, waitUntil } from './wait-until.ts';
import { startWorker, tail } from './worker.ts';
import type { App, LogEntry, Worker } from './worker.ts';

/** What a test runs on. */
export interface StageOptions {
  readonly database: { readonly connectionString: string; readonly pool: Pool };
  /** Added to tocsin.yaml, replacing what the stage would write under the same key. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The text of tocsin.yaml, instead of what the stage would write. */
  readonly yaml?: string;
  /** Added to the environment of every process. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** The crash point to die at, `name` or `name:hit`. */
  readonly crashAt?: string;
  readonly args?: readonly string[];
}

/** Detector, notifier, a mail server and somebody who changes jobs. */
export interface Stage {
  readonly pool: Pool;
  readonly jobs: Jobs;
  readonly smtp: SmtpDouble;
  /** The working directory of every process, where tocsin.yaml lies. */
  readonly directory: string;
  readonly start: (app: App, options?: StartOptions) => Worker;
  /** Writes tocsin.yaml anew, for processes that start from now on: as before, with this under its keys. */
  readonly configure: (config: Readonly<Record<string, unknown>>) => Promise<void>;
  /** Starts detector and notifier. */
  readonly startBoth: () => { readonly detector: Worker; readonly notifier: Worker };
  /** One run of an app with `--once`; fails when it does not end with code 0. */
  readonly runOnce: (app: 'detector' | 'notifier', options?: StartOptions) => Promise<Worker>;
  /** Starts an app and waits until it has died at that crash point. `meanwhile` does what leads there, once it has started. */
  readonly crash: (
    app: App,
    crashAt: string,
    options?: StartOptions,
    meanwhile?: (worker: Worker) => Promise<unknown>,
  ) => Promise<void>;
  /** The next mail nobody has taken yet. */
  readonly nextMail: (timeoutMs?: number) => Promise<SmtpMail>;
  /** Takes all mails there are. */
  readonly takeMails: () => readonly SmtpMail[];
  /**
   * Waits until everything in the table has been looked at and everything due is done: every running detector has
   * compared the whole table since, and nothing waits in the queue.
   */
  readonly quiet: (timeoutMs?: number) => Promise<void>;
  /** Log entries of level error or worse, and lines on standard error, that belong to the story. */
  readonly expectErrors: (matches: (text: string, entry: LogEntry | null) => boolean) => void;
  /** Every process started, in order. */
  readonly workers: () => readonly Worker[];
}

/** Longest time a story may take, in milliseconds: several times what it takes on a busy machine. */
export const storyTimeoutMs = 180_000;

export const recipient = 'oncall@example.com';
export const sender = 'tocsin@example.com';

/** Workers whose last words are shown when a story fails. */
const workersShownMax = 6;

/** The watched table, looked at five times a second: many stages play side by side. */
export const quickTable = { name: 'research_jobs', table: 'public.research_jobs', poll: '200ms', reconcile: '1s' };

/**
 * No failures of Tocsin's own making among those of a story, which counts what is told: no canaries, and nobody is missed
 * because a story is about one process alone.
 */
const calmSelf = { self_watch: { canary: 'off', stale_after: '1h' } };

/** For stories about many failures of many kinds that are to be told one by one, and not as one incident. */
export const withoutStorms = { storm: 'off' } as const;

/** Short times, so that what takes minutes in earnest takes seconds here. */
const quickConfig = {
  version: 1,
  jobs: [quickTable],
  // Long enough for the first mail of a process, which loads the mail libraries, on a machine that runs many processes.
  delivery: { attempt_timeout: '10s', unknown_retry: '1s' },
  workers: { claim: '2s' },
  ...calmSelf,
};

/**
 * Sets the stage, plays the story and clears up. A story that ends well must have taken every mail and declared every
 * error: a mail too many and an error nobody expected fail the test, whatever else it looked at.
 */
export const withStage = async (options: StageOptions, story: (stage: Stage) => Promise<void>): Promise<void> => {
  const { connectionString, pool } = options.database;
  const cwd = await mkdtemp(join(tmpdir(), 'tocsin-e2e-'));
  const smtp = await startSmtpDouble();
  const workers: Worker[] = [];
  const expected: ((text: string, entry: LogEntry | null) => boolean)[] = [];
  let taken = 0;
  const configure = (config: Readonly<Record<string, unknown>>): Promise<void> =>
    // JSON is YAML.
    writeFile(join(cwd, 'tocsin.yaml'), JSON.stringify({ ...quickConfig, ...options.config, ...config }));
  if (options.yaml === undefined) await configure({});
  else await writeFile(join(cwd, 'tocsin.yaml'), calmed(options.yaml));

  const start: Stage['start'] = (app, { env = {}, crashAt, args = [] } = {}) => {
    const worker = startWorker(app, {
      cwd,
      args,
      env: {
        DATABASE_URL: connectionString,
        SMTP_URL: smtp.url,
        ALERT_EMAIL_TO: recipient,
        ALERT_EMAIL_FROM: sender,
        TOCSIN_DIGEST_WINDOW: '0',
        // Many stages play side by side on one machine.
        TOCSIN_DETECTOR_PORT: 'off',
        TOCSIN_NOTIFIER_PORT: 'off',
        LOG_LEVEL: 'debug',
        ...options.env,
        ...env,
        ...(crashAt === undefined ? {} : { TOCSIN_CRASH_AT: crashAt }),
      },
    });
    workers.push(worker);
    return worker;
  };
  const quiet = async (timeoutMs = waitDefaultMs): Promise<void> => {
    const detectors = workers.filter((worker) => worker.app === 'detector' && worker.running());
    await Promise.all(
      detectors.map(async (detector) => {
        const before = detector.log().filter(isCompared).length;
        // The comparison under way may have begun before the last change; the one after it has not.
        await waitUntil(
          'the detector to compare the whole table twice',
          () => detector.log().filter(isCompared).length >= before + 2 || !detector.running(),
          { timeoutMs, describe: () => tail(detector.output()) },
        );
      }),
    );
    await waitUntil('everything due to be done', async () => isFinished(await unfinished(pool)), {
      timeoutMs,
      describe: () => unfinished(pool),
    });
  };
  const stage: Stage = {
    pool,
    smtp,
    directory: cwd,
    jobs: createJobs(pool),
    start,
    configure,
    startBoth: () => ({ detector: start('detector'), notifier: start('notifier') }),
    runOnce: async (app, startOptions = {}) => {
      const worker = start(app, { ...startOptions, args: ['--once'] });
      const { code } = await worker.waitForExit();
      if (code !== 0) throw new Error(`${app} --once ended with code ${code}:\n${tail(worker.output())}`);
      return worker;
    },
    crash: async (app, crashAt, startOptions = {}, meanwhile = async () => {}) => {
      const worker = start(app, { ...startOptions, crashAt });
      await meanwhile(worker);
      const exit = await worker.waitForExit();
      if (
        exit.signal !== 'SIGKILL' ||
        !worker.errors().some((line) => line.startsWith(`crash point ${crashAt.replace(/:\d+$/, '')} `))
      )
        throw new Error(
          `The ${app} did not die at ${crashAt} but with ${JSON.stringify(exit)}:\n${tail(worker.output())}`,
        );
    },
    nextMail: async (timeoutMs = waitDefaultMs) => {
      const mail = (await smtp.waitForMessages(taken + 1, timeoutMs))[taken];
      if (mail === undefined) throw new Error(`There is no mail ${taken + 1}.`);
      taken += 1;
      return mail;
    },
    takeMails: () => {
      const mails = smtp.messages().slice(taken);
      taken += mails.length;
      return mails;
    },
    quiet,
    expectErrors: (matches) => void expected.push(matches),
    workers: () => workers,
  };

  try {
    await story(stage);
    const mailsLeft = smtp.messages().slice(taken);
    if (mailsLeft.length > 0)
      throw new Error(
        `Unexpected mail:\n${mailsLeft.map((mail) => `${mail.messageId} ${mail.subject}\n${mail.text}`).join('\n\n')}`,
      );
    await Promise.all(workers.map((worker) => worker.stop()));
    const errors = workers.flatMap((worker) => unexpectedErrors(worker, expected));
    if (errors.length > 0) throw new Error(`Unexpected errors:\n${errors.join('\n')}`);
  } catch (error) {
    for (const worker of workers.slice(-workersShownMax))
      console.error(`--- ${worker.app} ${worker.pid}\n${tail(worker.output())}`);
    throw error;
  } finally {
    await Promise.all(workers.map((worker) => worker.kill()));
    await smtp.stop();
    await rm(cwd, { recursive: true, force: true });
  }
};

const calmed = (yaml: string): string =>
  /^self_watch:/m.test(yaml) ? yaml : `${yaml}\nself_watch: ${JSON.stringify(calmSelf.self_watch)}\n`;

const isCompared = (entry: LogEntry): boolean => entry['decision'] === 'Reconciled';

/** What every process may say on standard error: that a test killed it. */
const crashLine = /^crash point \S+ \(hit \d+\): killing process \d+$/;

const unexpectedErrors = (
  worker: Worker,
  expected: readonly ((text: string, entry: LogEntry | null) => boolean)[],
): readonly string[] => [
  ...worker
    .log()
    .filter(({ level }) => level === 'error' || level === 'fatal')
    .filter((entry) => !expected.some((matches) => matches(JSON.stringify(entry), entry)))
    .map((entry) => `${worker.app}: ${JSON.stringify(entry)}`),
  ...worker
    .errors()
    .filter((line) => line !== '' && !crashLine.test(line) && !expected.some((matches) => matches(line, null)))
    .map((line) => `${worker.app} on standard error: ${line}`),
];

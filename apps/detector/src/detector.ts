import { setTimeout as delay } from 'node:timers/promises';
import { TocsinError, databaseErrorKind } from '@tocsin/runtime';
import type { Logger } from '@tocsin/runtime';
import { noMetrics } from './detector-metrics.ts';
import type { DetectorMetrics } from './detector-metrics.ts';
import { storeFailedCode } from './detector-ports.ts';
import type {
  DetectorContext,
  DetectorPolicy,
  DetectorQueue,
  DetectorSession,
  DetectorStore,
  WatchedTable,
} from './detector-ports.ts';
import { watchTable } from './watch-table.ts';
import type { TablePollReport, TableWatch } from './watch-table.ts';

/** How often a heartbeat is written, in milliseconds. */
const beatEveryDefaultMs = 10_000;
/** A loop that has not turned for its pause and this time, in milliseconds, does not turn any more. */
const turnMaxMs = 120_000;
/** Longest pause after a poll that failed, in milliseconds. */
const backoffMaxMs = 30_000;
/** Every how many polls successes are looked for; a recovery is less urgent than a failure, and looking costs statements. */
const pollsPerLook = 3;
/** Every how many polls successes with failed parts are read. */
const pollsPerPartials = 5;
/** How long an announced outcome may stay undecided before its signal is sent again, in milliseconds. */
const resendAfterDefaultMs = 600_000;

/** How long a table may be unreadable before somebody is told, in milliseconds: longer than a restart of the server. */
const unreadableAfterDefaultMs = 60_000;
/** How long a repair may be without an end before another detector looks what became of it, in milliseconds. */
const interruptedAfterDefaultMs = 10_000;
/** A poll that a worker asked for begins at the earliest so long after the one before, in milliseconds. */
const hintedPollGapMs = 100;

export interface DetectorOptions {
  readonly tables: readonly WatchedTable[];
  /** When jobs, runs and schedules are late or silent. Default: the defaults of the rules, no chains, no schedules. */
  readonly policy?: DetectorPolicy;
  /** For how long a table must have been unreadable before somebody is told, in milliseconds. Default: one minute. */
  readonly unreadableAfterMs?: number;
  /** After how long a repair without an end counts as interrupted, in milliseconds. Default: ten seconds. */
  readonly interruptedAfterMs?: number;
  readonly store: DetectorStore;
  readonly queue: DetectorQueue;
  readonly log: Logger;
  /** What it counts about its work. Default: nothing. */
  readonly metrics?: DetectorMetrics;
  /** Name of this process in `tocsin.heartbeats`. */
  readonly instance: string;
  /** Literal secrets (`configSecrets`), replaced wherever they stand in an error. Default: none. */
  readonly secrets?: readonly string[];
  /** Says what is wrong with Tocsin's own database; default: the error's own message. */
  readonly describeStoreError?: (error: unknown) => string;
  /** How often a sign of life is given, in milliseconds. Default: 10 s. */
  readonly beatEveryMs?: number;
  /** Default 10 minutes. */
  readonly resendAfterMs?: number;
  /** Milliseconds that only go forward. Default: `performance.now()`. */
  readonly monotonicMs?: () => number;
  /** Waits between two polls; ends early when `signal` is aborted. Default: a timer. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface PollReport {
  readonly tables: readonly TablePollReport[];
}

/** How one table is watched. */
export interface TableHealth {
  readonly table: string;
  /** Milliseconds since the last poll ended, well or badly; null before the first time. */
  readonly polledAgoMs: number | null;
  /** Its loop runs and has not turned for too long. */
  readonly stalled: boolean;
  /** What kept the last poll from being finished, in words for the log; null when nothing did. */
  readonly problem: string | null;
}

export interface Detector {
  /** One poll of every table, with a look for successes. Never throws; see the reports' `problem`. */
  readonly pollOnce: () => Promise<PollReport>;
  /** Reads everything there is, compares the whole of every table and looks for all successes. Never throws. */
  readonly runOnce: () => Promise<PollReport>;
  /** Polls every table at its own pace until `stop`. Returns at once. */
  readonly start: () => void;
  /** Polls every table at once instead of at the end of its pause: a worker has said that a job ended. */
  readonly wake: () => void;
  /** Whether the loops turn and the tables can be read, table by table. */
  readonly health: () => readonly TableHealth[];
  /** Finishes the polls under way. May be called twice, and without `start`. */
  readonly stop: () => Promise<void>;
}

/**
 * Watches job tables and sends what it finds. Knows nothing of alerts but which work the open ones wait for. Several may
 * run at once: each outcome is announced by one of them.
 */
export const createDetector = (options: DetectorOptions): Detector => {
  const context: DetectorContext = {
    policy: options.policy ?? { rules: [], chains: [], schedules: [], storm: null },
    interruptedAfterMs: options.interruptedAfterMs ?? interruptedAfterDefaultMs,
    unreadableAfterMs: options.unreadableAfterMs ?? unreadableAfterDefaultMs,
    store: explained(options.store, options.describeStoreError),
    queue: options.queue,
    log: options.log,
    secrets: options.secrets ?? [],
    metrics: options.metrics ?? noMetrics,
    monotonicMs: options.monotonicMs ?? (() => performance.now()),
  };
  const { log, monotonicMs, store } = context;
  const pause = options.pause ?? waitOnTimer;
  const resendAfterMs = options.resendAfterMs ?? resendAfterDefaultMs;
  const beatEveryMs = options.beatEveryMs ?? beatEveryDefaultMs;
  const watches = options.tables.map((table) => watchTable(context, table, resendAfterMs));
  const stopping = new AbortController();
  let waking = new AbortController();
  let hints = 0;
  let loops: readonly Promise<void>[] = [];
  let loopsSinceMs: number | null = null;
  let beatenAtMs = Number.NEGATIVE_INFINITY;

  const health = (): readonly TableHealth[] =>
    watches.map(({ table, polledAtMs, problem }) => {
      const nowMs = monotonicMs();
      const atMs = polledAtMs();
      const turnedAtMs = loopsSinceMs === null ? null : Math.max(loopsSinceMs, atMs ?? loopsSinceMs);
      return {
        table: table.name,
        polledAgoMs: atMs === null ? null : nowMs - atMs,
        stalled: turnedAtMs !== null && nowMs - turnedAtMs > turnMaxMs + Math.max(table.pollMs, backoffMaxMs),
        problem: problem(),
      };
    });

  /** A sign of life says that every loop turns: one that hangs is noticed by whoever waits for it. */
  const isTimeToBeat = (): boolean =>
    monotonicMs() - beatenAtMs >= beatEveryMs && !health().some(({ stalled }) => stalled);
  const beat = async (session: DetectorSession): Promise<void> => {
    if (!isTimeToBeat()) return;
    await session.beat('detector', options.instance, { tables: watches.map((watch) => watch.status()) });
    beatenAtMs = monotonicMs();
  };
  /**
   * A detector whose tables cannot be read, or are looked at once an hour, is alive all the same, and its heartbeat says
   * what is wrong.
   */
  const beatAnyway = async (): Promise<void> => {
    try {
      if (isTimeToBeat()) await store.transaction('detector.beat', beat);
    } catch (error) {
      log.debug({ err: error }, 'the heartbeat could not be written');
    }
  };
  const beats = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      // Twice as often as needed, because one of a poll's own may have come shortly before.
      await waitOnTimer(beatEveryMs / 2, stopping.signal);
      if (!stopping.signal.aborted) await beatAnyway();
    }
  };

  const loop = async (watch: TableWatch): Promise<void> => {
    const { pollMs } = watch.table;
    let failures = 0;
    for (let polls = 0; !stopping.signal.aborted; polls += 1) {
      const startedMs = monotonicMs();
      const hintsBefore = hints;
      const report = await watch.poll({
        successes: polls % pollsPerLook === 0,
        partials: polls % pollsPerPartials === 1,
        full: false,
        alongside: beat,
      });
      failures = report.scan !== null ? 0 : failures + 1;
      if (failures > 0) await beatAnyway();
      const hinted = failures === 0 && hints !== hintsBefore;
      const pauseMs =
        failures > 0
          ? Math.min(backoffMaxMs, pollMs * 2 ** Math.min(failures, 16))
          : report.more || hinted
            ? 0
            : pollMs;
      if (!stopping.signal.aborted) await pause(Math.max(0, startedMs + pauseMs - monotonicMs()), waking.signal);
      // Workers may hint a thousand times a second; the table is then looked at ten times.
      if (hints !== hintsBefore && !stopping.signal.aborted)
        await pause(Math.max(0, startedMs + Math.min(hintedPollGapMs, pollMs) - monotonicMs()), stopping.signal);
    }
  };

  return {
    pollOnce: async () => ({
      tables: await Promise.all(
        watches.map((watch) => watch.poll({ successes: true, partials: true, full: false, alongside: beat })),
      ),
    }),
    runOnce: async () => ({
      tables: await Promise.all(
        watches.map((watch) => watch.poll({ successes: true, partials: true, full: true, alongside: beat })),
      ),
    }),
    start: () => {
      if (loops.length > 0 || stopping.signal.aborted) return;
      loopsSinceMs = monotonicMs();
      loops = [...watches.map(loop), beats()];
    },
    health,
    wake: () => {
      hints += 1;
      waking.abort();
      waking = new AbortController();
    },
    stop: async () => {
      stopping.abort();
      waking.abort();
      await Promise.all(loops);
    },
  };
};

/** The store, whose errors say which database they are of: a poll talks to two. */
const explained = (store: DetectorStore, describe: DetectorOptions['describeStoreError']): DetectorStore => ({
  transaction: async (name, work) => {
    try {
      return await store.transaction(name, work);
    } catch (error) {
      if (describe === undefined || databaseErrorKind(error) === undefined) throw error;
      throw new TocsinError(storeFailedCode, describe(error), { cause: error });
    }
  },
});

const waitOnTimer = async (ms: number, signal: AbortSignal): Promise<void> => {
  try {
    await delay(ms, undefined, { signal });
  } catch {
    // Stopped while waiting: the loop ends by its own condition.
  }
};

import { TocsinError, databaseErrorKind, isConnectionError } from '@tocsin/runtime';
import type { DatabaseErrorKind } from '@tocsin/runtime';
import { tellUnreadable } from './conditions/tell-unreadable.ts';
import { watchConditions } from './conditions/watch-conditions.ts';
import { storeFailedCode } from './detector-ports.ts';
import type { DetectorContext, DetectorSession, WatchedTable } from './detector-ports.ts';
import { lookForSuccesses } from './look-for-successes.ts';
import { lookForVanishedWork } from './look-for-vanished-work.ts';
import { prepareSource, warnOfUnknownStatuses } from './prepare-source.ts';
import { reconcileTable } from './reconcile-table.ts';
import { scanTable } from './scan-table.ts';
import type { ScanReport } from './scan-table.ts';
import { cursorName } from './send-failures.ts';
import { newTableState } from './table-state.ts';
import type { ScanState, TableState } from './table-state.ts';

/** How often a cursor is saved while nothing is found, in milliseconds. */
const cursorSaveEveryMs = { failures: 10_000, partials: 60_000 } as const;
/** Longest time that failures which keep coming put off the comparison and the look for successes, in milliseconds. */
const postponedMaxMs = 10_000;
/** Rounds of one full pass, of 20 pages each: two million rows at the default batch of 500, and twenty at most. */
const fullPassRoundsMax = 200;
/** Errors after which the table may be another one than before, or the connection a new one. */
const changedTableKinds: ReadonlySet<DatabaseErrorKind | undefined> = new Set([
  'undefined_table',
  'undefined_column',
  'undefined_schema',
  'insufficient_privilege',
  'connection_lost',
  'read_only',
]);

/** What one poll of one table came to. */
export interface TablePollReport {
  readonly table: string;
  readonly scan: ScanReport | null;
  /** Failures that the comparison found and sent. */
  readonly reconciled: number;
  /** Successes sent. */
  readonly successes: number;
  /** There is more to read now. */
  readonly more: boolean;
  /** What kept the poll, or a part of it, from being finished; null when nothing did. Without a `scan` nothing was read. */
  readonly problem: string | null;
}

export interface PollOptions {
  /** Look for successes of open alerts. */
  readonly successes: boolean;
  /** Look for successes whose results count failed parts. */
  readonly partials: boolean;
  /** Go on until everything has been read and compared. */
  readonly full: boolean;
  /** Run in a transaction of the poll's own when there is one. */
  readonly alongside: (session: DetectorSession) => Promise<void>;
}

/** One watched table, polled. */
export interface TableWatch {
  readonly table: WatchedTable;
  /** Never throws: what went wrong is in the report, and in the log once per change. Polls of one table never overlap. */
  readonly poll: (options: PollOptions) => Promise<TablePollReport>;
  /** When a poll last ended, well or badly, on the detector's own clock; null before the first time. */
  readonly polledAtMs: () => number | null;
  /** What kept the last poll, or a part of it, from being finished; null when nothing did. */
  readonly problem: () => string | null;
  /** What this table is doing, for the heartbeat. */
  readonly status: () => Readonly<Record<string, unknown>>;
}

/** Watches one table. */
export const watchTable = (
  context: DetectorContext,
  table: WatchedTable,
  /** How long an announced outcome may stay undecided before its signal is sent again; a full poll does not wait. */
  resendAfterMs: number,
): TableWatch => {
  const state = newTableState(table, resendAfterMs);
  const { log, monotonicMs, metrics } = context;
  const watchedSinceMs = monotonicMs();
  let polledAtMs: number | null = null;
  /** When everything there was had been read. */
  let readAtMs: number | null = null;
  let problem: string | null = null;
  // Refused, starting up, shutting down: one outage has several words and is said once.
  let problemKind: string | null = null;
  const skipped = new Map<string, string>();
  let turn: Promise<unknown> = Promise.resolve();

  const work = async ({
    successes,
    partials,
    full,
    alongside,
  }: PollOptions): Promise<Omit<TablePollReport, 'table' | 'problem'>> => {
    const source = await prepareSource(context, state);
    state.resendAfterMs = full ? 0 : resendAfterMs;
    if (full) beginAnew(state);
    let scan = await scanTable(context, state, state.failures, source);
    for (let round = 1; full && scan.more && round < fullPassRoundsMax; round += 1)
      scan = addScans(scan, await scanTable(context, state, state.failures, source));
    // As long as there is more to read, failures go first; what comes after them waits, but not for ever.
    const urgent = !full && scan.more;
    const mayRun = (ranAtMs: number): boolean => !urgent || monotonicMs() - ranAtMs >= postponedMaxMs;
    const untilMs = full ? Number.POSITIVE_INFINITY : monotonicMs() + (urgent ? 0 : table.pollMs / 2);
    const reconcile = async (of: ScanState): Promise<number> => {
      if (!mayRun(of.reconcile.ranAtMs)) return 0;
      of.reconcile.ranAtMs = monotonicMs();
      return reconcileTable(context, state, of, source, untilMs);
    };
    let reconciled = (await apart('the comparison', () => reconcile(state.failures))) ?? 0;
    if (partials && !urgent && source.countsParts)
      reconciled +=
        (await apart('the scan for partial failures', async () => {
          let pages = await scanTable(context, state, state.partials, source);
          for (let round = 1; full && pages.more && round < fullPassRoundsMax; round += 1)
            pages = await scanTable(context, state, state.partials, source);
          return reconcile(state.partials);
        })) ?? 0;
    let found: number | null = 0;
    if (successes && mayRun(state.successes.ranAtMs)) {
      state.successes.ranAtMs = monotonicMs();
      const alongsideCursor = async (session: DetectorSession): Promise<void> => {
        await alongside(session);
        await saveMovedCursors(session);
      };
      found = await apart('the look for successes', () =>
        lookForSuccesses(context, state, source, alongsideCursor, full ? Number.POSITIVE_INFINITY : undefined),
      );
      found =
        (found ?? 0) +
        ((await apart('the look for vanished work', () => lookForVanishedWork(context, state, source))) ?? 0);
    }
    if (mayRun(state.conditions.ranAtMs))
      await apart('the look for conditions', () => watchConditions(context, state, source, full));
    await apart('the count of statuses', () => warnOfUnknownStatuses(context, state, source));
    return { scan, reconciled, successes: found ?? 0, more: scan.more };
  };

  /**
   * Runs a part of a poll that must not hold up the scan: when it fails for a reason of its own (it takes too long, say),
   * that is logged once per change, and failures are told all the same.
   */
  const apart = async <Result>(part: string, run: () => Promise<Result>): Promise<Result | null> => {
    try {
      const result = await run();
      skipped.delete(part);
      return result;
    } catch (error) {
      if (error instanceof TocsinError || isConnectionError(error) || changedTableKinds.has(databaseErrorKind(error)))
        throw error;
      const words = `${part} was skipped: ${describe(error, table)}`;
      if (skipped.get(part) !== words) log.warn({ decision: 'PartSkipped', table: table.name, err: error }, words);
      skipped.set(part, words);
      return null;
    }
  };

  const saveMovedCursors = async (session: DetectorSession): Promise<void> => {
    for (const scan of [state.failures, state.partials]) {
      const { cursor, savedCursor } = scan;
      if (cursor === null || cursor === savedCursor || monotonicMs() - scan.savedAtMs < cursorSaveEveryMs[scan.what])
        continue;
      await session.saveCursor(cursorName(table.name, scan.what), cursor, {});
      scan.savedCursor = cursor;
      scan.savedAtMs = monotonicMs();
    }
  };

  const pollOnce = async (options: PollOptions): Promise<TablePollReport> => {
    try {
      const report = await work(options).catch((error: unknown) => {
        if (state.source === null || !changedTableKinds.has(databaseErrorKind(error))) throw error;
        // Looking at the table again either finds it as good as before or says better than the server what is wrong.
        state.source = null;
        return work(options);
      });
      if (problem !== null)
        log.info({ decision: 'TableRecovered', table: table.name, was: problem }, 'the table can be read again');
      problem = null;
      problemKind = null;
      state.conditions.unreadableSinceMs = null;
      metrics.polled(table.name, 'ok');
      if (!report.more) {
        readAtMs = monotonicMs();
        metrics.readToEnd(table.name);
      }
      if (state.failures.lastHorizon !== null) metrics.cursorLag(table.name, (lagOf(state.failures) ?? 0) / 1_000);
      return { table: table.name, problem: whatIsWrong(), ...report };
    } catch (error) {
      if (changedTableKinds.has(databaseErrorKind(error))) state.source = null;
      // The pass under way has not ended; the next one begins at the cursor.
      state.failures.position = null;
      state.partials.position = null;
      const words = describe(error, table);
      const kind = isConnectionError(error) ? 'no connection' : words;
      if (kind !== problemKind) log.error({ decision: 'TableUnreadable', table: table.name, err: error }, words);
      problem = words;
      problemKind = kind;
      metrics.polled(table.name, 'failed');
      // Our own database being away says nothing about the watched table.
      if (!isStoreError(error)) await tellUnreadable(context, state, words, options.full);
      return { table: table.name, scan: null, reconciled: 0, successes: 0, more: false, problem };
    }
  };

  const whatIsWrong = (): string | null => problem ?? skipped.values().next().value ?? null;

  return {
    table,
    poll: (options) => {
      const polled = turn
        .then(() => pollOnce(options))
        .finally(() => {
          polledAtMs = monotonicMs();
        });
      turn = polled;
      return polled;
    },
    polledAtMs: () => polledAtMs,
    problem: whatIsWrong,
    status: () => ({
      table: table.name,
      cursor: state.failures.cursor,
      problem: whatIsWrong(),
      undecided: state.undecided.size,
      // How long it has not been read to the end, beyond the pause between two looks.
      lagMs: Math.max(0, Math.round(monotonicMs() - (readAtMs ?? watchedSinceMs) - table.pollMs)),
    }),
  };
};

/** How far the cursor is behind the clock of its database, in milliseconds; null where there is no time to compare. */
const lagOf = ({ cursor, lastHorizon }: ScanState): number | null => {
  const ms = Date.parse(lastHorizon?.readAt ?? '') - Date.parse(cursor ?? '');
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
};

const isStoreError = (error: unknown): boolean => error instanceof TocsinError && error.code === storeFailedCode;

/** What a full poll compares and looks up, it does from the beginning. */
const beginAnew = ({ failures, partials, successes }: TableState): void => {
  for (const { reconcile } of [failures, partials])
    Object.assign(reconcile, { running: false, dueAtMs: Number.NEGATIVE_INFINITY });
  Object.assign(successes, { after: null, page: null, lastPage: false });
};

/** An error of ours explains itself; one of the database is explained by whoever knows its address. */
const describe = (error: unknown, { describeError }: WatchedTable): string => {
  if (error instanceof TocsinError) return error.message;
  if (databaseErrorKind(error) !== undefined && describeError !== undefined) return describeError(error);
  return error instanceof Error ? error.message : String(error);
};

const addScans = (a: ScanReport, b: ScanReport): ScanReport => ({
  rowsRead: a.rowsRead + b.rowsRead,
  sent: a.sent + b.sent,
  duplicates: a.duplicates + b.duplicates,
  unreadable: a.unreadable + b.unreadable,
  cursor: { from: a.cursor.from, to: b.cursor.to },
  more: b.more,
});

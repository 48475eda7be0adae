import type { Instant } from '@tocsin/alert-model';
import { addMs, compareInstants } from '@tocsin/alert-model';
import {
  advanceCursor,
  blindOverlapMs,
  overlapDefaultMs,
  readHorizon,
  scanFailures,
  skimFailures,
} from '@tocsin/job-sources';
import type { FailurePage, JobSource } from '@tocsin/job-sources';
import { crashPoint } from '@tocsin/runtime';
import type { DetectorContext, WatchedTable } from './detector-ports.ts';
import { cursorName, sendFailures } from './send-failures.ts';
import type { ScanState, TableState } from './table-state.ts';

/** Pages read in one poll; the next poll then follows at once. */
export const pagesPerPollMax = 20;
/** Age from which on a pass ends once it has read everything that was there at its beginning, in milliseconds. */
const passMaxMs = 10_000;

/** What one poll found new in a table. */
export interface ScanReport {
  readonly rowsRead: number;
  readonly sent: number;
  /** Read again, or announced by another detector. */
  readonly duplicates: number;
  readonly unreadable: number;
  readonly cursor: { readonly from: Instant; readonly to: Instant };
  /** There is more to read now. */
  readonly more: boolean;
}

/**
 * Reads what has changed since the cursor, page by page, and sends what is new. A pass goes from the cursor until nothing
 * more comes, over as many polls as it takes; what its overlap holds from the pass before is skimmed.
 */
export const scanTable = async (
  context: DetectorContext,
  state: TableState,
  scan: ScanState,
  source: JobSource,
): Promise<ScanReport> => {
  const start = await loadCursor(context, state, scan, source);
  let more = true;
  const totals = { rowsRead: 0, sent: 0, duplicates: 0, unreadable: 0 };
  for (let pages = 0; more && pages < pagesPerPollMax; pages += 1) {
    if (scan.position === null) {
      scan.passHorizon = scan.lastHorizon;
      scan.passBeganMs = context.monotonicMs();
    }
    const page = await (scan.skimming ? skimPage : readPage)(context, state, scan, source, scan.cursor ?? start);
    more = page.more;
    totals.rowsRead += page.rowsRead;
    totals.sent += page.sent;
    totals.duplicates += page.rowsRead - page.sent;
    totals.unreadable += page.unreadable;
  }
  return { ...totals, cursor: { from: start, to: scan.cursor ?? start }, more };
};

/** What came of one page. */
interface PageOutcome {
  readonly rowsRead: number;
  readonly sent: number;
  readonly unreadable: number;
  readonly more: boolean;
}

/** Goes past rows that are known. Until nothing more comes, the cursor stays. */
const skimPage = async (
  _context: DetectorContext,
  state: TableState,
  scan: ScanState,
  source: JobSource,
  cursor: Instant,
): Promise<PageOutcome> => {
  const { rowsPassed, last, followedBy, horizon } = await skimFailures(state.table.pool, source, {
    what: scan.what,
    after: scan.position ?? cursor,
    wasRead: (key) => scan.rowsRead.has(key),
  });
  const more = followedBy !== 'dry';
  if (!more) scan.cursor = advanceCursor(cursor, scan.passHorizon, null, overlapOf(state.table, source));
  scan.position = more ? (last ?? scan.position) : null;
  scan.lastHorizon = horizon;
  scan.skimming = followedBy !== 'unread';
  return { rowsRead: rowsPassed, sent: 0, unreadable: 0, more };
};

/** Reads a page in full, sends what is new and moves the cursor. */
const readPage = async (
  context: DetectorContext,
  state: TableState,
  scan: ScanState,
  source: JobSource,
  cursor: Instant,
): Promise<PageOutcome> => {
  const page = await scanFailures(state.table.pool, source, {
    what: scan.what,
    after: scan.position ?? cursor,
    limit: state.table.batch,
    isKnown: (id) => state.announced.has(id),
    secrets: context.secrets,
  });
  crashPoint('detector.after_read');
  const { rowsRead, unreadable, failures } = page;
  const more = page.next !== null;
  const to = advanceCursor(cursor, scan.passHorizon, more ? page.reached : null, overlapOf(state.table, source));
  let sentCount = 0;
  if (failures.length > 0) {
    const { sent, duplicates } = await sendFailures(context, state, source, failures, { scan, to });
    scan.savedCursor = to;
    scan.savedAtMs = context.monotonicMs();
    sentCount = sent.size;
    const isNew = sentCount > 0;
    context.log[isNew ? 'info' : 'debug'](
      {
        decision: isNew ? 'SignalsSent' : 'NothingSent',
        reason: isNew ? 'failed for good and not announced before' : 'announced before',
        table: source.name,
        rowsRead,
        sent: sentCount,
        duplicates,
        unreadable,
        cursorFrom: cursor,
        cursorTo: to,
      },
      isNew ? 'failures sent' : 'nothing new',
    );
  }
  // Only now, because a transaction that failed has announced nothing.
  for (const key of page.rowKeys) scan.rowsRead.set(key, true);
  scan.cursor = to;
  const over = isOver(context, scan, page);
  scan.position = over ? null : page.next;
  scan.lastHorizon = page.horizon;
  scan.skimming = over || !more || failures.length === 0;
  return { rowsRead, sent: sentCount, unreadable, more };
};

/**
 * Whether a pass that finds ever more has gone on for long enough: the next one then looks again at what came late behind
 * it. Not before it has read all that was there when it began, so that every pass gets further than the last; a row from
 * the future is no sign of that.
 */
const isOver = (
  { monotonicMs }: DetectorContext,
  { passHorizon, passBeganMs }: ScanState,
  { reached, horizon }: FailurePage,
): boolean =>
  passHorizon !== null &&
  reached !== null &&
  monotonicMs() - passBeganMs >= passMaxMs &&
  compareInstants(reached, passHorizon.readAt) > 0 &&
  compareInstants(reached, horizon.readAt) <= 0;

/** The saved cursor; on a first start the beginning of the look-back, by the clock of the watched database. */
const loadCursor = async (
  context: DetectorContext,
  state: TableState,
  scan: ScanState,
  source: JobSource,
): Promise<Instant> => {
  if (scan.cursor !== null && scan.lastHorizon !== null) return scan.cursor;
  scan.lastHorizon = await readHorizon(state.table.pool);
  const saved = await context.store.transaction('detector.load_cursor', (session) =>
    session.loadCursor(cursorName(source.name, scan.what)),
  );
  scan.cursor = saved?.changedAt ?? addMs(scan.lastHorizon.readAt, -state.table.lookBackMs);
  scan.savedCursor = saved?.changedAt ?? null;
  context.log.info(
    {
      decision: 'CursorLoaded',
      table: source.name,
      cursor: scan.cursor,
      reason: saved === null ? 'first start: beginning of the look-back' : 'saved',
    },
    'reading goes on from here',
  );
  return scan.cursor;
};

const overlapOf = (table: WatchedTable, source: JobSource): number =>
  table.overlapMs ?? (source.seesAllWriters ? overlapDefaultMs : blindOverlapMs);

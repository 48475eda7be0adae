import type { Instant } from '@tocsin/alert-model';
import { addMs } from '@tocsin/alert-model';
import { advanceCursor, blindOverlapMs, overlapDefaultMs, readHorizon, scanFailures } from '@tocsin/job-sources';
import type { JobSource } from '@tocsin/job-sources';
import { crashPoint } from '@tocsin/runtime';
import type { DetectorContext, WatchedTable } from './detector-ports.ts';
import { cursorName, sendFailures } from './send-failures.ts';
import type { TableState } from './table-state.ts';

/** Pages read in one poll; the next poll then follows at once. */
export const pagesPerPollMax = 20;

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

/** Reads what has changed since the cursor, page by page, and sends what is new. */
export const scanTable = async (
  context: DetectorContext,
  state: TableState,
  source: JobSource,
): Promise<ScanReport> => {
  const start = await loadCursor(context, state, source);
  let cursor = start;
  let more = true;
  const totals = { rowsRead: 0, sent: 0, duplicates: 0, unreadable: 0 };
  for (let pages = 0; more && pages < pagesPerPollMax; pages += 1) {
    if (state.position === null) state.passHorizon = state.lastHorizon;
    const page = await scanFailures(state.table.pool, source, {
      after: state.position ?? cursor,
      limit: state.table.batch,
      isKnown: (id) => state.announced.has(id),
      secrets: context.secrets,
    });
    crashPoint('detector.after_read');
    more = page.next !== null;
    const to = advanceCursor(cursor, state.passHorizon, more ? page.reached : null, overlapOf(state.table, source));
    if (page.failures.length > 0) {
      const { sent, duplicates } = await sendFailures(context, state, source, page.failures, to);
      state.savedCursor = to;
      state.savedAtMs = context.monotonicMs();
      totals.sent += sent.size;
      totals.duplicates += duplicates;
      const isNew = sent.size > 0;
      context.log[isNew ? 'info' : 'debug'](
        {
          decision: isNew ? 'SignalsSent' : 'NothingSent',
          reason: isNew ? 'failed for good and not announced before' : 'announced before',
          table: source.name,
          rowsRead: page.rowsRead,
          sent: sent.size,
          duplicates,
          unreadable: page.unreadable,
          cursorFrom: cursor,
          cursorTo: to,
        },
        isNew ? 'failures sent' : 'nothing new',
      );
    }
    totals.rowsRead += page.rowsRead;
    totals.duplicates += page.rowsRead - page.failures.length;
    totals.unreadable += page.unreadable;
    cursor = to;
    state.cursor = to;
    state.position = page.next;
    state.lastHorizon = page.horizon;
  }
  return { ...totals, cursor: { from: start, to: cursor }, more };
};

/** The saved cursor; on a first start the beginning of the look-back, by the clock of the watched database. */
const loadCursor = async (context: DetectorContext, state: TableState, source: JobSource): Promise<Instant> => {
  if (state.cursor !== null && state.lastHorizon !== null) return state.cursor;
  state.lastHorizon = await readHorizon(state.table.pool);
  const saved = await context.store.transaction('detector.load_cursor', (session) =>
    session.loadCursor(cursorName(source.name)),
  );
  state.cursor = saved?.changedAt ?? addMs(state.lastHorizon.readAt, -state.table.lookBackMs);
  state.savedCursor = saved?.changedAt ?? null;
  context.log.info(
    {
      decision: 'CursorLoaded',
      table: source.name,
      cursor: state.cursor,
      reason: saved === null ? 'first start: beginning of the look-back' : 'saved',
    },
    'reading goes on from here',
  );
  return state.cursor;
};

const overlapOf = (table: WatchedTable, source: JobSource): number =>
  table.overlapMs ?? (source.seesAllWriters ? overlapDefaultMs : blindOverlapMs);

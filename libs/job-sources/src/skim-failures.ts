import type { Instant } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import type { Horizon } from './cursor.ts';
import { rowKey } from './failure-row.ts';
import type { HorizonRow, IdentityRow } from './failure-row.ts';
import type { JobSource } from './job-source.ts';
import { statementsOf } from './scan-failures.ts';
import type { OutcomeSort, ScanPosition } from './scan-failures.ts';

/** Most rows of one page: narrow ones, some 150 bytes each. */
export const skimRowsMax = 2_000;

export interface SkimOptions {
  /** The instant from which on changes are read, or the row after which. */
  readonly after: Instant | ScanPosition;
  /** Default: `failures`. */
  readonly what?: OutcomeSort;
  /** Default and most: `skimRowsMax`. */
  readonly limit?: number;
  /** Whether a row with this key (`FailurePage.rowKeys`) was read before. */
  readonly wasRead: (key: string) => boolean;
}

export interface SkimPage {
  /** Rows gone past: those read before, up to the first that was not. */
  readonly rowsPassed: number;
  /** The last row gone past; null when there is none. `scanFailures` goes on after it. */
  readonly last: ScanPosition | null;
  /** `unread`: the next row has not been read yet; `known`: there may be more rows; `dry`: there are no more now. */
  readonly followedBy: 'unread' | 'known' | 'dry';
  readonly horizon: Horizon;
}

/**
 * Goes past final failures that were read before, in the order of `scanFailures`, without reading their texts or working
 * out their outcome ids: what an overlap holds is nearly always known. It reads nothing for good; from the first row that
 * is not known on, `scanFailures` does.
 */
export const skimFailures = async (
  queryable: Queryable,
  source: JobSource,
  { after, what, limit = skimRowsMax, wasRead }: SkimOptions,
): Promise<SkimPage> => {
  const statements = statementsOf(source, what);
  const rowsMax = Math.max(1, Math.min(limit, skimRowsMax));
  const [text, values] =
    typeof after === 'string'
      ? [statements.skimFrom, [after, rowsMax]]
      : [statements.skimAfter, [after.changed, after.id, rowsMax]];
  const { rows } = await queryable.query<IdentityRow & HorizonRow>(text, values);
  // An empty page is one row with the horizon and no id (left join), see `failureStatements`.
  const found = rows.filter((row) => row.id !== null);
  const unread = found.findIndex((row) => !wasRead(rowKey(row)));
  const rowsPassed = unread === -1 ? found.length : unread;
  const last = found[rowsPassed - 1];
  return {
    rowsPassed,
    last: last === undefined || last.changed === null ? null : { changed: last.changed, id: last.id },
    followedBy: unread !== -1 ? 'unread' : found.length < rowsMax ? 'dry' : 'known',
    horizon: { readAt: rows[0]?.read_at ?? '', oldestWriterAt: rows[0]?.oldest_writer_at ?? null },
  };
};

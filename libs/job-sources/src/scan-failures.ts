import type { FailureSignal, Instant, OutcomeId } from '@tocsin/alert-model';
import { InvariantError } from '@tocsin/runtime';
import type { Queryable } from '@tocsin/runtime';
import type { Horizon } from './cursor.ts';
import { rowKey } from './failure-row.ts';
import type { BareFailureRow, FailureRow, HorizonRow } from './failure-row.ts';
import type { JobSource } from './job-source.ts';
import type { OutcomeStatements } from './source-statements.ts';
import { isRowError } from './row-error.ts';
import { outcomeId } from './outcome-id.ts';
import { toFailureSignal, toMinimalSignal } from './to-failure-signal.ts';
import type { SignalContext } from './to-failure-signal.ts';

/** Most rows of one page; a configuration cannot ask for more. */
export const scanRowsMax = 5_000;

/** Where a scan goes on: after this row of the order (change time, id), both exactly as the server wrote them. */
export interface ScanPosition {
  readonly changed: string;
  readonly id: string;
}

/** Which outcomes are read: jobs that failed for good, or jobs that succeeded with parts that failed. */
export type OutcomeSort = 'failures' | 'partials';

export interface ScanOptions {
  /** Default: `failures`. There are no `partials` in a table that counts none (`JobSource.countsParts`). */
  readonly what?: OutcomeSort;
  /** The instant from which on changes are read, or the row after which. */
  readonly after: Instant | ScanPosition;
  readonly limit: number;
  /** Outcomes that need not be mapped again; a scan re-reads what its overlap holds. */
  readonly isKnown: (id: OutcomeId) => boolean;
  /** Secrets of the installation, replaced wherever they stand in an error. */
  readonly secrets?: readonly string[];
}

export interface FailurePage {
  /** Failures not known yet, in the order (change time, id). `runContext` is still null. */
  readonly failures: readonly FailureSignal[];
  readonly rowsRead: number;
  /** What `skimFailures` recognises the rows of this page by, the known ones included. */
  readonly rowKeys: readonly string[];
  /** Rows that were read, but whose texts could not be. */
  readonly unreadable: number;
  /** The last row; null when the page was not full, that is, when there is nothing more to read now. */
  readonly next: ScanPosition | null;
  /** Change time of the last row; null when it is no usable time or there is no row. */
  readonly reached: Instant | null;
  /** For `advanceCursor` after the NEXT page. */
  readonly horizon: Horizon;
}

/**
 * Reads one page of final failures in the order of their last change. Nothing a row holds can stop it: when the server
 * cannot hand out the texts of some row (invalid bytes, damaged pages), the page is read without texts and each new row
 * by itself, and a row that still fails becomes a signal that says so.
 *
 * @throws what the database answers when the table as a whole cannot be read
 */
export const scanFailures = async (
  queryable: Queryable,
  source: JobSource,
  options: ScanOptions,
): Promise<FailurePage> => {
  const statements = statementsOf(source, options.what);
  const limit = Math.max(1, Math.min(options.limit, scanRowsMax));
  const { after } = options;
  return typeof after === 'string'
    ? readPage(
        queryable,
        source,
        { text: statements.failuresFrom, bare: statements.bareFailuresFrom, values: [after, limit], limit },
        options,
      )
    : readPage(
        queryable,
        source,
        {
          text: statements.failuresAfter,
          bare: statements.bareFailuresAfter,
          values: [after.changed, after.id, limit],
          limit,
        },
        options,
      );
};

/** The statements that read outcomes of that sort. */
export const statementsOf = (
  { name, statements }: Pick<JobSource, 'name' | 'statements'>,
  what: OutcomeSort = 'failures',
): OutcomeStatements => {
  if (what === 'failures') return statements;
  if (statements.partials === null)
    throw new InvariantError(
      `Table ${name} counts no parts that failed; ask JobSource.countsParts before reading them.`,
    );
  return statements.partials;
};

/** Reads failures by id; rows that are no longer final failures are left out. At most `scanRowsMax` ids. */
export const readFailures = async (
  queryable: Queryable,
  source: JobSource,
  ids: readonly string[],
  options: Pick<ScanOptions, 'secrets' | 'what'> = {},
): Promise<readonly FailureSignal[]> => {
  const asked = ids.slice(0, scanRowsMax);
  if (asked.length === 0) return [];
  const { failuresById: text, bareFailuresById: bare } = statementsOf(source, options.what);
  const page = { text, bare, values: [asked], limit: asked.length };
  return (await readPage(queryable, source, page, { ...options, isKnown: () => false })).failures;
};

interface PageQuery {
  readonly text: string;
  /** The same without any text of the job. */
  readonly bare: string;
  readonly values: readonly unknown[];
  readonly limit: number;
}

type MapOptions = Pick<ScanOptions, 'isKnown' | 'secrets' | 'what'>;

const readPage = async (
  queryable: Queryable,
  source: JobSource,
  { text, bare, values, limit }: PageQuery,
  options: MapOptions,
): Promise<FailurePage> => {
  try {
    const { rows } = await queryable.query<FailureRow & HorizonRow>(text, values);
    return toPage(rows, limit, (row, readAt) => mapUnknown(row, source, readAt, options));
  } catch (error) {
    if (!isRowError(error)) throw error;
    const { rows } = await queryable.query<BareFailureRow & HorizonRow>(bare, values);
    const page = toPage(rows, limit, (row, readAt) =>
      options.isKnown(outcomeOf(row, source)) ? null : { row, readAt },
    );
    const failures: FailureSignal[] = [];
    let unreadable = 0;
    for (const { row, readAt } of page.failures) {
      const alone = await readAlone(queryable, source, row, readAt, options);
      failures.push(alone.signal);
      if (!alone.readable) unreadable += 1;
    }
    return { ...page, failures, unreadable };
  }
};

const outcomeOf = (row: BareFailureRow, source: JobSource): OutcomeId =>
  outcomeId({ table: source.name, jobId: row.id, kind: row.kind, at: row.identity_at, attempts: row.attempts });

const mapUnknown = (
  row: FailureRow,
  source: JobSource,
  readAt: Instant,
  { isKnown, secrets }: MapOptions,
): FailureSignal | null => {
  const id = outcomeOf(row, source);
  return isKnown(id) ? null : toFailureSignal(row, contextOf(source, readAt, id, secrets));
};

const contextOf = (
  { name: table, mapping: { fields, identityTimes } }: JobSource,
  readAt: Instant,
  id: OutcomeId,
  secrets: readonly string[] = [],
): SignalContext => ({
  table,
  readAt,
  outcomeId: id,
  secrets,
  // A mapping that names no counters, or dates failures otherwise than by an end time, finds nothing odd in a row without.
  expects: {
    attempts: fields.attempts !== undefined && fields.maxAttempts !== undefined,
    endTime: identityTimes[0] === 'finishedAt' && fields.finishedAt !== undefined,
  },
});

/** One row by itself; as it is known from its page when it cannot be read, or is no failure any more. */
const readAlone = async (
  queryable: Queryable,
  source: JobSource,
  row: BareFailureRow,
  readAt: Instant,
  { secrets = [], what }: MapOptions,
): Promise<{ readonly signal: FailureSignal; readonly readable: boolean }> => {
  let reason = 'it changed while it was being read';
  try {
    const { rows } = await queryable.query<FailureRow & HorizonRow>(statementsOf(source, what).failuresById, [
      [row.id],
    ]);
    const [signal] = toPage(rows, 1, (found, at) =>
      mapUnknown(found, source, at, { secrets, isKnown: () => false }),
    ).failures;
    if (signal !== undefined) return { signal, readable: true };
  } catch (error) {
    if (!isRowError(error)) throw error;
    reason = error instanceof Error ? error.message : String(error);
  }
  const context = contextOf(source, readAt, outcomeOf(row, source), secrets);
  return { signal: toMinimalSignal(row, context, reason), readable: false };
};

const toPage = <Row extends BareFailureRow, Mapped>(
  rows: readonly (Row & HorizonRow)[],
  limit: number,
  map: (row: Row, readAt: Instant) => Mapped | null,
) => {
  // An empty page is one row with the horizon and no id (left join), see `failureStatements`.
  const first = rows[0];
  const horizon: Horizon = { readAt: first?.read_at ?? '', oldestWriterAt: first?.oldest_writer_at ?? null };
  const found = rows.filter((row) => row.id !== null);
  const last = found.length >= limit ? found.at(-1) : undefined;
  return {
    failures: found.map((row) => map(row, horizon.readAt)).filter((mapped) => mapped !== null),
    rowsRead: found.length,
    rowKeys: found.map(rowKey),
    unreadable: 0,
    next: last === undefined || last.changed === null ? null : { changed: last.changed, id: last.id },
    reached: last?.changed_at ?? null,
    horizon,
  };
};

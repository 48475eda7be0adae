import type { Instant } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { eventColumns, storedEvent } from '../postgres/event-row.ts';
import type { EventRow } from '../postgres/event-row.ts';
import type { StoredEvent } from '../store.ts';
import type { GlobalCursor } from './global-cursor.ts';

/** Most events in one page. */
export const eventsPerPageMax = 10_000;

export interface ReadEventsOptions {
  /** Where the last page ended; null begins at the first event. */
  readonly after: GlobalCursor | null;
  /** At most this many events; more than {@link eventsPerPageMax} counts as that. */
  readonly limit: number;
  /** Only the events of this stream. */
  readonly streamId?: string;
  /** Only events that happened at or before this instant. */
  readonly until?: Instant;
  /** Only events up to and with this position. */
  readonly untilPosition?: number;
}

export interface EventPage {
  readonly events: readonly StoredEvent[];
  /** Pass it as `after` to go on; that of the last event, or the one given when there was none. */
  readonly cursor: GlobalCursor | null;
}

const pageText = (conditions: string): string => `
select
  events.transaction_id::text as transaction,
  ${eventColumns}
from tocsin.events
where (transaction_id, position) > ($1::xid8, $2::bigint)
  and transaction_id < pg_snapshot_xmin(pg_current_snapshot())
  ${conditions}
order by events.transaction_id, events.position
limit $3`;

/** Index events_global_order. */
export const readEventsText = pageText('');

// With a stream to look for, the index of streams is the shorter way; the planner chooses.
const narrowedText = pageText(`
  and ($4::text is null or stream_id = $4)
  and ($5::timestamptz is null or occurred_at <= $5)
  and ($6::bigint is null or position <= $6)`);

/**
 * One page of the log, in the order of (transaction, position), none skipped for ever: only events of transactions older
 * than every transaction still running are shown, so nothing can appear later before a place already passed. One
 * statement, hence one snapshot for that horizon and the rows.
 *
 * A session anywhere in the cluster that stays idle in a transaction with an xid delays new events until it ends. To be
 * used on the primary only: a replica's snapshot does not follow the primary's order of commits.
 */
export const readEvents = async (queryable: Queryable, options: ReadEventsOptions): Promise<EventPage> => {
  const { after, streamId = null, until = null, untilPosition = null } = options;
  const page = [after?.transactionId ?? '0', after?.position ?? 0, Math.min(options.limit, eventsPerPageMax)];
  const narrowed = streamId !== null || until !== null || untilPosition !== null;
  const { rows } = await queryable.query<EventRow & { readonly transaction: string }>(
    narrowed ? narrowedText : readEventsText,
    narrowed ? [...page, streamId, until, untilPosition] : page,
  );
  const last = rows.at(-1);
  return {
    events: rows.map(storedEvent),
    cursor: last === undefined ? after : { transactionId: last.transaction, position: Number(last.position) },
  };
};

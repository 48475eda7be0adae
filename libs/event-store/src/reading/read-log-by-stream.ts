import type { Queryable } from '@tocsin/runtime';
import { eventColumns } from '../postgres/event-row.ts';
import type { EventRow } from '../postgres/event-row.ts';

/** Events of one page. */
const rowsPerPageMax = 5_000;

/** What is left out of a reading of the log. */
export interface LogBounds {
  /** Only what happened at or before this instant. */
  readonly until?: string;
  /** Only events up to and with this position. */
  readonly position?: number;
}

// Index events_stream_version. Stream by stream, so that whoever folds needs the state of one stream at a time, however
// long the log is.
const text = `
select ${eventColumns}
from tocsin.events
where (stream_id, version) > ($1::text, $2::integer)
  and ($4::timestamptz is null or occurred_at <= $4)
  and ($5::bigint is null or position <= $5)
order by stream_id, version
limit $3`;

/**
 * The whole log in pages, the events of one stream together and in the order of their versions. Each page is read by
 * itself, the next one while the caller works on this one: what is appended meanwhile to a stream that was passed is not
 * seen.
 */
export async function* readLogByStream(
  queryable: Queryable,
  bounds: LogBounds = {},
): AsyncGenerator<readonly EventRow[]> {
  const read = async (after: readonly [stream: string, version: number]): Promise<readonly EventRow[]> => {
    const values = [...after, rowsPerPageMax, bounds.until ?? null, bounds.position ?? null];
    return (await queryable.query<EventRow>(text, values)).rows;
  };
  let next = read(['', 0]);
  for (;;) {
    const rows = await next;
    const last = rows.at(-1);
    if (last === undefined) return;
    const full = rows.length === rowsPerPageMax;
    if (full) {
      next = read([last.stream_id, last.version]);
      // Seen when it is awaited, unless the caller stops before.
      next.catch(() => {});
    }
    yield rows;
    if (!full) return;
  }
}

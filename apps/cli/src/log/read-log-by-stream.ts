import type { Queryable } from '@tocsin/runtime';
import type { LogRow } from './log-row.ts';

/** Events of one page. */
export const eventsPerPageMax = 5_000;

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
select
  position,
  stream_id,
  version,
  event_id,
  type,
  schema_version,
  data,
  metadata,
  to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as occurred_at,
  to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as recorded_at
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
): AsyncGenerator<readonly LogRow[]> {
  const read = async (after: readonly [stream: string, version: number]): Promise<readonly LogRow[]> => {
    const values = [...after, eventsPerPageMax, bounds.until ?? null, bounds.position ?? null];
    return (await queryable.query<LogRow>(text, values)).rows;
  };
  let next = read(['', 0]);
  for (;;) {
    const rows = await next;
    const last = rows.at(-1);
    if (last === undefined) return;
    const full = rows.length === eventsPerPageMax;
    if (full) {
      next = read([last.stream_id, last.version]);
      // Seen when it is awaited, unless the caller stops before.
      next.catch(() => {});
    }
    yield rows;
    if (!full) return;
  }
}

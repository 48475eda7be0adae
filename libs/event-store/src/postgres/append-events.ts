import { randomUUIDv7 } from 'node:crypto';
import { isUniqueViolation } from '@tocsin/runtime';
import type { Queryable } from '@tocsin/runtime';
import { chunks } from '../chunks.ts';
import { eventRows, versionConflict } from '../event-rows.ts';
import { toJsonb } from '../jsonb.ts';
import type { Append } from '../store.ts';

// The unique constraint catches a stream that moved on; the look for the expected version catches a stream that is
// shorter than believed, which would leave a gap. Ordered, because positions are handed out row by row.
const text = `
insert into tocsin.events (stream_id, version, event_id, type, schema_version, data, occurred_at)
select
  incoming."streamId",
  incoming.version,
  incoming."eventId",
  incoming.type,
  incoming."schemaVersion",
  incoming.data,
  incoming."occurredAt"
from jsonb_to_recordset($1::jsonb) as incoming (
  ordinal integer,
  "streamId" text,
  expected integer,
  version integer,
  "eventId" uuid,
  type text,
  "schemaVersion" smallint,
  data jsonb,
  "occurredAt" timestamptz
)
where incoming.expected = 0
  or exists (
    select from tocsin.events as prior
    where prior.stream_id = incoming."streamId" and prior.version = incoming.expected
  )
order by incoming.ordinal`;

/**
 * Appends events to their streams, in the order given; at most `rowsPerStatementMax` a statement. Nothing to append:
 * no statement. After an error the transaction is lost, as always in Postgres.
 *
 * @throws VersionConflict when a stream is not at its expected version.
 */
export const appendEvents = async (tx: Queryable, appends: readonly Append[]): Promise<void> => {
  for (const rows of chunks(eventRows(appends))) {
    const streamIds = rows.map((row) => row.streamId);
    const incoming = rows.map((row, ordinal) => ({ ordinal, eventId: randomUUIDv7(), ...row }));
    const { rowCount } = await tx.query(text, [toJsonb(incoming)]).catch((error: unknown) => {
      if (isUniqueViolation(error, 'events_stream_version')) throw versionConflict(streamIds, error);
      throw error;
    });
    if (rowCount !== rows.length) throw versionConflict(streamIds);
  }
};

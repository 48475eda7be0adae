import { eventSchemaVersion } from '@tocsin/alert-model';
import type { AlertEvent, DigestEvent, Instant } from '@tocsin/alert-model';
import { InvariantError } from '@tocsin/runtime';
import { inMicroseconds } from './instant.ts';
import { VersionConflict } from './store.ts';
import type { Append } from './store.ts';

/** An event about to be written. */
export interface NewEventRow {
  readonly streamId: string;
  /** The version that must already stand in the stream; 0 when the stream must not exist. */
  readonly expected: number;
  readonly version: number;
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: (AlertEvent | DigestEvent)['data'];
  readonly occurredAt: Instant;
}

/**
 * Numbers the events of an append call, in the order given. One stream may come several times if its parts follow each
 * other.
 *
 * @throws VersionConflict when they do not follow each other.
 * @throws InvariantError when an event's time is not in microseconds: it would be read back as another text than the
 *   one it was folded with, so replay would not equal the read model. Take times from the session's `now()`.
 */
export const eventRows = (appends: readonly Append[]): readonly NewEventRow[] => {
  const streams = new Map<string, { readonly expected: number; next: number }>();
  return appends.flatMap(({ streamId, expectedVersion, events }) => {
    const stream = streams.get(streamId) ?? { expected: expectedVersion, next: expectedVersion + 1 };
    if (stream.next !== expectedVersion + 1) throw versionConflict([streamId]);
    streams.set(streamId, { expected: stream.expected, next: stream.next + events.length });
    return events.map((event, index) => {
      if (inMicroseconds(event.occurredAt) !== event.occurredAt)
        throw new InvariantError(
          `${event.type} of ${streamId} has the time ${event.occurredAt}; give it in microseconds, as the session's now() does.`,
        );
      return {
        streamId,
        expected: stream.expected,
        version: expectedVersion + 1 + index,
        type: event.type,
        schemaVersion: eventSchemaVersion,
        data: event.data,
        occurredAt: event.occurredAt,
      };
    });
  });
};

const streamsNamedMax = 5;

/** The error of an append to streams of which at least one is not where the caller believed. */
export const versionConflict = (streamIds: readonly string[], cause?: unknown): VersionConflict => {
  const names = [...new Set(streamIds)];
  const more = names.length > streamsNamedMax ? ` and ${names.length - streamsNamedMax} more` : '';
  return new VersionConflict(
    `Stream ${names.slice(0, streamsNamedMax).join(', ')}${more}: not at the expected version any more. Load again and decide again.`,
    { cause },
  );
};

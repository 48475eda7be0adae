import type { AlertState, DigestState } from '@tocsin/alert-model';
import { storedEvent } from '@tocsin/event-store';
import type { EventRow, StoredEvent } from '@tocsin/event-store';
import { foldEvent } from './fold-steps.ts';

/** What one stream folds to. */
export interface FoldedStream {
  readonly streamId: string;
  /** Null when an event could not be read or could not follow; `problem` says why. */
  readonly state: AlertState | DigestState | null;
  readonly problem: string | null;
}

/** Folds a log that comes stream by stream, holding the state of one stream at a time. */
export interface LogFolder {
  /** Takes the next events; answers the streams that ended before the last of them. */
  readonly take: (rows: readonly EventRow[]) => readonly FoldedStream[];
  /** The stream taken last, when nothing comes after it. */
  readonly end: () => readonly FoldedStream[];
}

/** @param onEvent is told of every event that could be read */
export const createLogFolder = (onEvent: (stored: StoredEvent) => void = () => {}): LogFolder => {
  let current: FoldedStream | null = null;
  return {
    take: (rows) => {
      const ended: FoldedStream[] = [];
      for (const row of rows) {
        if (current !== null && current.streamId !== row.stream_id) {
          ended.push(current);
          current = null;
        }
        current = foldRow(current ?? { streamId: row.stream_id, state: null, problem: null }, row, onEvent);
      }
      return ended;
    },
    end: () => {
      const last = current === null ? [] : [current];
      current = null;
      return last;
    },
  };
};

const foldRow = (stream: FoldedStream, row: EventRow, onEvent: (stored: StoredEvent) => void): FoldedStream => {
  if (stream.problem !== null) return stream;
  try {
    const stored = storedEvent(row);
    onEvent(stored);
    return { ...stream, state: foldEvent(stream.state, stored) };
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'InvariantError') throw error;
    return {
      ...stream,
      state: null,
      problem: `event ${row.version} (${row.type}, position ${row.position}): ${error.message}`,
    };
  }
};

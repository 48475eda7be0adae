import { alertModelVersion } from '@tocsin/alert-model';
import type { AlertState, DigestState } from '@tocsin/alert-model';
import { findModelsWithoutEvents, readLogByStream, readStoredModels, streamEvents } from '@tocsin/event-store';
import type { StoredRow } from '@tocsin/event-store';
import type { Queryable } from '@tocsin/runtime';
import { firstDifference } from './first-difference.ts';
import { createLogFolder } from './fold-log.ts';
import type { FoldedStream } from './fold-log.ts';
import { foldEvent, idOfStream, kindOfStream } from './fold-steps.ts';

/** Differences named; further ones are counted. */
export const differencesNamedMax = 20;

export interface Difference {
  readonly kind: 'alert' | 'digest' | 'stream';
  readonly id: string;
  readonly what: string;
}

/** What a comparison of the log with the read models came to. */
export interface Verification {
  readonly events: number;
  readonly alerts: number;
  readonly digests: number;
  /** Rows that another version of the model wrote; they are folded anew when they are used, and were not compared. */
  readonly outdated: number;
  readonly differences: number;
  /** The first {@link differencesNamedMax} of them. */
  readonly named: readonly Difference[];
  readonly elapsedMs: number;
  readonly eventsPerSecond: number;
}

/**
 * Folds the whole log and compares every alert and digest with its row: `data` as canonical JSON, and the columns with
 * `data`. Holds one page at a time. Safe while others append: a row that is newer than what was folded is compared with
 * a fold up to its own version.
 *
 * @param only compare this stream alone
 */
export const verifyLog = async (queryable: Queryable, only?: string): Promise<Verification> => {
  const startedMs = performance.now();
  const counts = { events: 0, alert: 0, digest: 0, outdated: 0, differences: 0 };
  const named: Difference[] = [];
  const differ = (difference: Difference): void => {
    counts.differences += 1;
    if (named.length < differencesNamedMax) named.push(difference);
  };
  const compare = async (streams: readonly FoldedStream[]): Promise<void> => {
    for (const kind of ['alert', 'digest'] as const) {
      const own = streams.filter(({ streamId }) => kindOfStream(streamId) === kind);
      const rows = await readStoredModels(
        queryable,
        kind,
        own.map(({ streamId }) => idOfStream(streamId)),
      );
      for (const stream of own) {
        const id = idOfStream(stream.streamId);
        const row = rows.get(id);
        counts[kind] += 1;
        if (row !== undefined && row.modelVersion !== alertModelVersion) {
          counts.outdated += 1;
          continue;
        }
        const what = await compareOne(queryable, stream, row);
        if (what !== null) differ({ kind, id, what });
      }
    }
    for (const { streamId, problem } of streams)
      if (kindOfStream(streamId) === null)
        differ({ kind: 'stream', id: streamId, what: problem ?? 'nothing this Tocsin knows' });
  };

  const folder = createLogFolder(() => {
    counts.events += 1;
  });
  if (only === undefined) {
    for await (const rows of readLogByStream(queryable)) await compare(folder.take(rows));
    await compare(folder.end());
    for (const { kind, id } of await findModelsWithoutEvents(queryable, differencesNamedMax))
      differ({ kind, id, what: 'there is a row, but no event in the log' });
  } else {
    const events = await streamEvents(queryable, only);
    counts.events = events.length;
    const state = events.reduce<AlertState | DigestState | null>(foldEvent, null);
    await compare([{ streamId: only, state, problem: null }]);
  }
  const elapsedMs = Math.max(1, performance.now() - startedMs);
  return {
    events: counts.events,
    alerts: counts.alert,
    digests: counts.digest,
    outdated: counts.outdated,
    differences: counts.differences,
    named,
    elapsedMs: Math.round(elapsedMs),
    eventsPerSecond: Math.round((counts.events * 1_000) / elapsedMs),
  };
};

const compareOne = async (
  queryable: Queryable,
  { streamId, state, problem }: FoldedStream,
  row: StoredRow | undefined,
): Promise<string | null> => {
  if (problem !== null) return problem;
  if (state === null) return 'the log has no event of it';
  if (row === undefined) return `the log has ${state.version} events, and there is no row`;
  if (row.differing.length > 0) return `columns that are not what data says: ${row.differing.join(', ')}`;
  const folded = row.version > state.version ? await foldUpTo(queryable, streamId, row.version) : state;
  if (folded === null || folded.version !== row.version)
    return `the row has version ${row.version}, the log ends at version ${folded?.version ?? 0}`;
  const difference = firstDifference(folded, row.data);
  return difference === null ? null : `data.${difference} (folded against stored)`;
};

/** Somebody has appended since the page was read. */
const foldUpTo = async (
  queryable: Queryable,
  streamId: string,
  version: number,
): Promise<AlertState | DigestState | null> =>
  (await streamEvents(queryable, streamId, { version })).reduce<AlertState | DigestState | null>(foldEvent, null);

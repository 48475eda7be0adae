import { alertStream, digestStream, evolveDigest } from '@tocsin/alert-model';
import type { AlertEvent, AlertId, AlertState, DigestEvent, DigestId, DigestState } from '@tocsin/alert-model';
import { InvariantError } from '@tocsin/runtime';
import type { Queryable } from '@tocsin/runtime';
import { chunks } from '../chunks.ts';
import type { StoredEvent } from '../store.ts';
import { loadStreams } from './load-streams.ts';

/** Folds one event into an alert; `evolveAlert` of the model. */
export type FoldAlert = (state: AlertState | null, event: AlertEvent) => AlertState;

/** What the running program folds with; rows of another model version are not trusted. */
export interface Model {
  readonly foldAlert: FoldAlert;
  readonly version: number;
}

/** A read model as stored. */
export interface ModelRow<Id, State> {
  readonly id: Id;
  readonly model_version: number;
  readonly data: State;
}

/**
 * The states of stored alerts, in the order of the rows. `data` was written by this library and is used as it is when
 * the running model wrote it; a row of another model version is folded again from its events.
 */
export const alertStates = (
  tx: Queryable,
  model: Model,
  rows: readonly ModelRow<AlertId, AlertState>[],
): Promise<readonly AlertState[]> =>
  trusted(tx, model, rows, alertStream, (state, { event }) => model.foldAlert(state, event as AlertEvent));

/** As {@link alertStates}, for digests. */
export const digestStates = (
  tx: Queryable,
  model: Model,
  rows: readonly ModelRow<DigestId, DigestState>[],
): Promise<readonly DigestState[]> =>
  trusted(tx, model, rows, digestStream, (state, { event }) => evolveDigest(state, event as DigestEvent));

const trusted = async <Id extends string, State>(
  tx: Queryable,
  model: Model,
  rows: readonly ModelRow<Id, State>[],
  streamOf: (id: Id) => string,
  fold: (state: State | null, event: StoredEvent) => State,
): Promise<readonly State[]> => {
  const foreign = rows.filter((row) => row.model_version !== model.version).map((row) => streamOf(row.id));
  const folded = new Map<string, State>();
  for (const streamIds of chunks(foreign)) {
    for (const event of await loadStreams(tx, streamIds)) {
      folded.set(event.streamId, fold(folded.get(event.streamId) ?? null, event));
    }
  }
  return rows.map((row) => {
    if (row.model_version === model.version) return row.data;
    const state = folded.get(streamOf(row.id));
    if (state === undefined)
      throw new InvariantError(
        `Row ${row.id} has model version ${row.model_version} and no events to fold it from; the log is incomplete.`,
      );
    return state;
  });
};

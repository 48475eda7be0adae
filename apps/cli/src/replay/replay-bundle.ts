import type { AlertState, DigestState } from '@tocsin/alert-model';
import { isAfter } from '@tocsin/alert-model';
import type { LogBounds, StoredEvent } from '@tocsin/event-store';
import { UsageError } from '../usage-error.ts';
import { readBundle } from './bundle.ts';
import type { FoldedStream } from './fold-log.ts';
import { foldEvent, idOfStream, kindOfStream } from './fold-steps.ts';
import { createSummary } from './log-summary.ts';
import type { LogSummary } from './log-summary.ts';

/** Alerts of a bundle that are listed. */
const alertsListedMax = 200;

export type BundleReplay =
  | { readonly kind: 'alert'; readonly events: readonly StoredEvent[] }
  | {
      readonly kind: 'summary';
      readonly summary: LogSummary;
      readonly alerts: readonly { readonly id: string; readonly state: string; readonly title: string }[];
    };

/**
 * The events of one alert of a bundle, or what the whole bundle folds to.
 *
 * @param alert beginning of an id, or a key; undefined: the only alert there is, else the whole
 * @param whole the whole, even if there is only one alert
 * @throws UsageError when the bundle has no such alert, or several
 */
export const replayBundle = async (
  file: string,
  alert: string | undefined,
  bounds: LogBounds,
  whole: boolean,
): Promise<BundleReplay> => {
  const summary = createSummary();
  const streams = new Map<string, FoldedStream>();
  const keys = new Map<string, string>();
  for await (const stored of readBundle(file)) {
    const { streamId, event } = stored;
    if (event.type === 'FailureDetected') keys.set(streamId, event.data.key);
    if (!isWithin(stored, bounds)) continue;
    summary.addEvent(stored);
    streams.set(streamId, foldInto(streams.get(streamId) ?? { streamId, state: null, problem: null }, stored));
  }
  const chosen = whole ? undefined : choose(file, alert, [...keys]);
  if (chosen !== undefined) {
    const events: StoredEvent[] = [];
    for await (const stored of readBundle(file))
      if (stored.streamId === chosen && isWithin(stored, bounds)) events.push(stored);
    return { kind: 'alert', events: events.toSorted((a, b) => a.version - b.version) };
  }
  summary.addStreams([...streams.values()]);
  const alerts = [...streams.values()].flatMap(({ streamId, state }) =>
    kindOfStream(streamId) === 'alert' && state !== null
      ? [{ id: idOfStream(streamId), state: state.state, title: (state as AlertState).title }]
      : [],
  );
  return { kind: 'summary', summary: summary.build(), alerts: alerts.slice(0, alertsListedMax) };
};

const isWithin = ({ event, position }: StoredEvent, bounds: LogBounds): boolean =>
  (bounds.until === undefined || !isAfter(event.occurredAt, bounds.until)) &&
  (bounds.position === undefined || position <= bounds.position);

const foldInto = (stream: FoldedStream, stored: StoredEvent): FoldedStream => {
  if (stream.problem !== null) return stream;
  try {
    return { ...stream, state: foldEvent(stream.state as AlertState | DigestState | null, stored) };
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'InvariantError') throw error;
    return { ...stream, state: null, problem: error.message };
  }
};

const choose = (
  file: string,
  alert: string | undefined,
  keys: readonly (readonly [streamId: string, key: string])[],
): string | undefined => {
  if (alert === undefined) return keys.length === 1 ? keys[0]?.[0] : undefined;
  const digits = alert.toLowerCase().replaceAll('-', '');
  const found = keys.filter(
    ([streamId, key]) => key === alert || idOfStream(streamId).replaceAll('-', '').startsWith(digits),
  );
  if (found.length === 0) throw new UsageError(`${file} holds no alert with the id or key ${alert}.`);
  if (found.length > 1)
    throw new UsageError(
      `${file} holds several alerts that ${alert} may mean: ${found.map(([streamId]) => idOfStream(streamId)).join(', ')}.`,
    );
  return found[0]?.[0];
};

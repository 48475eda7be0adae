import { InvariantError, evolveAlert, evolveDigest } from '@tocsin/alert-model';
import type { AlertEvent, AlertState, DigestEvent, DigestState } from '@tocsin/alert-model';
import type { StoredEvent } from '@tocsin/event-store';

/** One event of an alert and what it did to its state. */
export interface FoldStep {
  readonly stored: StoredEvent;
  readonly before: AlertState | null;
  readonly after: AlertState;
}

/** The kind of thing a stream is about, by its name; null for a stream this version does not know. */
export const kindOfStream = (streamId: string): 'alert' | 'digest' | null => {
  const kind = streamId.slice(0, streamId.indexOf('-'));
  return kind === 'alert' || kind === 'digest' ? kind : null;
};

/** The id that a stream is named after. */
export const idOfStream = (streamId: string): string => streamId.slice(streamId.indexOf('-') + 1);

/** Folds the events of one alert, from its first on. @throws InvariantError when one is missing or cannot follow. */
export const foldSteps = (events: readonly StoredEvent[]): readonly FoldStep[] => {
  let before: AlertState | null = null;
  return events.map((stored) => {
    const after = foldNext(before, stored);
    const step: FoldStep = { stored, before, after };
    before = after;
    return step;
  });
};

const foldNext = (state: AlertState | null, stored: StoredEvent): AlertState => {
  requireNext(state, stored);
  return evolveAlert(state, stored.event as AlertEvent);
};

/** Folds one event into an alert or a digest. @throws InvariantError when it cannot follow. */
export const foldEvent = (state: AlertState | DigestState | null, stored: StoredEvent): AlertState | DigestState => {
  requireNext(state, stored);
  switch (kindOfStream(stored.streamId)) {
    case 'alert':
      return evolveAlert(state as AlertState | null, stored.event as AlertEvent);
    case 'digest':
      return evolveDigest(state as DigestState | null, stored.event as DigestEvent);
    case null:
      throw new InvariantError(`Stream ${stored.streamId} is about nothing this Tocsin knows. Upgrade Tocsin.`);
  }
};

const requireNext = (state: { readonly version: number } | null, stored: StoredEvent): void => {
  const expected = (state?.version ?? 0) + 1;
  if (stored.version !== expected)
    throw new InvariantError(
      `Stream ${stored.streamId} goes from version ${expected - 1} to ${stored.version}: events are missing.`,
    );
};

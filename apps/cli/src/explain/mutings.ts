import type { SilenceEnd } from '@tocsin/alert-model';
import type { AlertMoment } from './alert-explanation.ts';

/** A time for which a silence muted an alert. */
export interface Muting {
  readonly silenceId: string;
  readonly by: string;
  readonly reason: string | null;
  /** What end it was made with. */
  readonly end: SilenceEnd;
  readonly from: string;
  /** Versions of the alert's stream between which it held; `toVersion` null: it does, or did until the resolution. */
  readonly fromVersion: number;
  readonly toVersion: number | null;
  /** When it stopped muting the alert; null while it does, or when it did until the resolution. */
  readonly to: string | null;
  /** Who ended it before its time; null when nobody did. */
  readonly endedBy: string | null;
}

/** Every time a silence muted the alert, in the order in which they began. */
export const mutingsOf = (events: readonly AlertMoment[]): readonly Muting[] => {
  const mutings: Muting[] = [];
  for (const { event, version } of events) {
    if (event.type === 'AlertSilenced') {
      const { silenceId, by, reason, end } = event.data;
      const from = event.occurredAt;
      mutings.push({
        silenceId,
        by,
        reason,
        end,
        from,
        fromVersion: version,
        toVersion: null,
        to: null,
        endedBy: null,
      });
    }
    if (event.type === 'AlertUnsilenced') {
      const index = mutings.findLastIndex(({ silenceId }) => silenceId === event.data.silenceId);
      const muting = mutings[index];
      if (muting !== undefined)
        mutings[index] = { ...muting, toVersion: version, to: event.occurredAt, endedBy: event.data.by };
    }
  }
  return mutings;
};

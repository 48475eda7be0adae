import { addMs, isAfter } from '@tocsin/alert-model';
import { defaultSettings } from '@tocsin/alert-service';
import type { ChannelState } from '@tocsin/event-store';
import { counted } from '../printing/lines.ts';

/** Why a channel takes no messages at the moment, or is not trusted to. */
export interface ChannelTrouble {
  readonly channel: string;
  /**
   * - `parked`: its provider refuses the key, the account or the address.
   * - `circuit-open`: the last attempts failed one after the other.
   * - `throttled`: the provider asked for patience.
   */
  readonly trouble: 'parked' | 'circuit-open' | 'throttled';
  /** null where it is not on record. */
  readonly since: string | null;
  /** When a message is tried again. */
  readonly until: string;
  readonly detail: string;
}

/** What keeps messages from a channel; null when nothing does. Pure. */
export const channelTroubleOf = (state: ChannelState, now: string): ChannelTrouble | null => {
  const { channel, parkedAt, parkedReason, openUntil, failures, lastFailedAt } = state;
  const { parkedMs, circuit } = defaultSettings;
  if (parkedAt !== null)
    return {
      channel,
      trouble: 'parked',
      since: parkedAt,
      until: addMs(parkedAt, parkedMs),
      detail: parkedReason ?? 'its provider refused it',
    };
  if (openUntil === null || !isAfter(openUntil, now)) return null;
  return failures >= circuit.failuresMax
    ? {
        channel,
        trouble: 'circuit-open',
        since: lastFailedAt,
        until: openUntil,
        detail: `${counted(failures, 'attempt')} failed one after the other`,
      }
    : { channel, trouble: 'throttled', since: null, until: openUntil, detail: 'its provider asked for patience' };
};

/** What that means, to follow the channel's name. */
export const troubleNames: Readonly<Record<ChannelTrouble['trouble'], string>> = {
  parked: 'is parked',
  'circuit-open': 'does not answer',
  throttled: 'is to wait',
};

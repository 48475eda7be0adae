import type { Delivery, ProviderEvent } from '@tocsin/event-store';
import type { ServiceContext } from '../service-context.ts';

/** What a provider calls a message that it accepted and does not deliver: given up by the other side, or not even tried. */
const cameBackAs: ReadonlyMap<string, 'bounced' | 'dropped'> = new Map([
  ['bounce', 'bounced'],
  ['blocked', 'bounced'],
  ['dropped', 'dropped'],
]);

/** How a message came back from those who did not get it. */
export interface CameBack {
  /** Recipients that no copy of it reached, in order. */
  readonly from: readonly string[];
  readonly reason: 'bounced' | 'dropped';
  readonly detail: string | null;
}

/**
 * From whom a message came back, of all that was said of it in whatever order; null when from nobody. Somebody whom any
 * copy of it has reached has it, whatever became of the others.
 */
export const cameBackOf = (events: readonly ProviderEvent[]): CameBack | null => {
  const reached = new Set(events.filter(({ event }) => event === 'delivered').map(recipientOf));
  const back = events
    .filter((event) => cameBackAs.has(event.event) && !reached.has(recipientOf(event)))
    .toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.id < b.id ? -1 : 1));
  const last = back.at(-1);
  if (last === undefined) return null;
  return {
    from: [...new Set(back.map(recipientOf))].toSorted(),
    reason: cameBackAs.get(last.event) ?? 'bounced',
    detail: last.detail,
  };
};

/** Events that name no recipient are about the one there is. */
const recipientOf = ({ recipient }: ProviderEvent): string => recipient ?? '';

/**
 * How a message came back if it did so from every recipient, so that nobody was told by it; null otherwise. Where somebody
 * got it, that it came back from the others is logged.
 */
export const cameBackFromAll = (
  { log, settings }: Pick<ServiceContext, 'log' | 'settings'>,
  { id, channel }: Delivery,
  events: readonly ProviderEvent[],
): CameBack | null => {
  const back = cameBackOf(events);
  if (back === null || back.from.length >= (settings.recipients[channel] ?? 1)) return back;
  const { from, reason, detail } = back;
  log.warn(
    { decision: 'MessageCameBack', deliveryId: id, channel, recipients: from.length, reason, detail },
    'a message came back from some of its recipients',
  );
  return null;
};

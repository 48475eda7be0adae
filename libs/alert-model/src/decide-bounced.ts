import type { AlertState } from './alert-state.ts';
import { refuse } from './decision.ts';
import type { Decision } from './decision.ts';
import type { EventNamed } from './event.ts';
import type { Instant } from './ids.ts';

/**
 * A message about this alert that a channel had accepted came back: whoever it was for has not read it. The caller has
 * seen to a message on the next channel where there is one.
 */
export const decideBounced = (
  state: AlertState,
  bounce: EventNamed<'NotificationBounced'>['data'],
  now: Instant,
): Decision => {
  const { route, channel, deliveryId } = bounce;
  const entry = state.told.find((one) => one.route === route && one.channel === channel);
  if (entry === undefined) return refuse('nobody is on record as told by it');
  if (entry.deliveryId !== deliveryId) return refuse('a later message was accepted there');
  return { events: [{ type: 'NotificationBounced', occurredAt: now, data: bounce }], reason: bounce.reason };
};

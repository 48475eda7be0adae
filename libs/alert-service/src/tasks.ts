import { AlertId, DeliveryId, DigestId, SignalBatch } from '@tocsin/alert-model';
import { z } from 'zod';

/** What a deferred job says when its time comes. It carries no state: the handler looks at what is so by then. */
export const TimerTask = z.discriminatedUnion('timer', [
  /** The window of a digest is over. */
  z.object({ timer: z.literal('digest'), digestId: DigestId }),
  /** Nobody may have acknowledged what this digest told. */
  z.object({ timer: z.literal('escalation'), digestId: DigestId, route: z.string(), level: z.int().positive() }),
  /** The time of an acknowledgement is over. */
  z.object({ timer: z.literal('lapse'), alertId: AlertId }),
  /** A flapping alert may have stayed fine, or stayed broken, for long enough. */
  z.object({ timer: z.literal('settle'), alertId: AlertId }),
  /** A silence begins or ends, or the alerts it was made for may be resolved. */
  z.object({ timer: z.literal('silence'), silenceId: z.uuid() }),
  /** A delivery is tried again. */
  z.object({ timer: z.literal('delivery'), deliveryId: DeliveryId }),
]);
export type TimerTask = z.infer<typeof TimerTask>;

/** Work to be done at once. */
export const DeliveryTask = z.discriminatedUnion('task', [
  /** A digest without a window. */
  z.object({ task: z.literal('seal'), digestId: DigestId }),
  z.object({ task: z.literal('deliver'), deliveryId: DeliveryId }),
  /** Tell every alert of a delivery what became of it. */
  z.object({ task: z.literal('settle'), deliveryId: DeliveryId }),
  /** An accepted delivery came back. */
  z.object({ task: z.literal('bounce'), deliveryId: DeliveryId }),
]);
export type DeliveryTask = z.infer<typeof DeliveryTask>;

/** Payload of each queue. */
export interface TocsinPayloads extends Record<'signals' | 'timers' | 'deliveries', unknown> {
  readonly signals: SignalBatch;
  readonly timers: TimerTask;
  readonly deliveries: DeliveryTask;
}

/** Parsers of the queues' payloads, for `createQueue`. */
export const parseTask = {
  signals: (data: unknown): SignalBatch => SignalBatch.parse(data),
  timers: (data: unknown): TimerTask => TimerTask.parse(data),
  deliveries: (data: unknown): DeliveryTask => DeliveryTask.parse(data),
} as const;

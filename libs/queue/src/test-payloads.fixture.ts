import { z } from 'zod';
import type { QueueCallbacks, QueueJob } from './queue.ts';

export type TestPayloads = {
  readonly signals: { readonly text: string };
  readonly timers: { readonly timer: string };
  readonly deliveries: { readonly delivery: number };
};

export interface Unreadable {
  readonly job: QueueJob;
  readonly reason: string;
}

/** Callbacks that collect what they hear. */
export function testCallbacks(
  errors: unknown[],
  unreadable: Unreadable[],
  refuse: () => boolean = () => false,
): QueueCallbacks<TestPayloads> {
  const signals = z.object({ text: z.string() });
  const timers = z.object({ timer: z.string() });
  const deliveries = z.object({ delivery: z.number() });
  return {
    parse: {
      signals: (data) => signals.parse(data),
      timers: (data) => timers.parse(data),
      deliveries: (data) => deliveries.parse(data),
    },
    onError: (error) => void errors.push(error),
    onUnreadable: (job, reason) => {
      if (refuse()) throw new Error('cannot report now');
      unreadable.push({ job, reason });
    },
  };
}

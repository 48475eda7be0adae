import type { DeliveryId } from '@tocsin/alert-model';

/** Attempts at one channel that are under way at the same time in this process. */
export const attemptsPerChannelMax = 2;
/** Most deliveries that stand in the line of a channel; what is beyond waits in the table, and the sweep finds it. */
const waitingMax = 10_000;
/** Most deliveries worked off for one job, each up to half a minute; a job may take two. What is left gets jobs of its own. */
const inARowMax = 3;

/**
 * Keeps one slow channel from taking all the places there are: a delivery whose channel has enough under way stands in line
 * in memory and holds no worker. Nothing is lost with the line: each of its deliveries is due in the table.
 */
export interface ChannelLines {
  /**
   * Works a delivery off, or puts it in the line of its channel; then whoever is at work there takes it.
   *
   * @param signal of the job; ends the work, also that on others in line
   */
  readonly run: (channel: string, deliveryId: DeliveryId, signal: AbortSignal) => Promise<void>;
}

/** What lines are for. */
export interface ChannelLinesOptions {
  readonly work: (deliveryId: DeliveryId, signal: AbortSignal) => Promise<void>;
  /** Gives deliveries that stood in line to other jobs. */
  readonly giveBack: (deliveryIds: readonly DeliveryId[]) => Promise<void>;
}

/** Begins with empty lines. */
export const channelLines = ({ work, giveBack }: ChannelLinesOptions): ChannelLines => {
  const lines = new Map<string, { running: number; readonly waiting: Set<DeliveryId> }>();
  return {
    run: async (channel, deliveryId, signal) => {
      const line = lines.get(channel) ?? { running: 0, waiting: new Set<DeliveryId>() };
      lines.set(channel, line);
      if (line.running >= attemptsPerChannelMax) {
        if (line.waiting.size < waitingMax) line.waiting.add(deliveryId);
        return;
      }
      line.running += 1;
      try {
        let next: DeliveryId | undefined = deliveryId;
        for (let done = 1; next !== undefined; done += 1) {
          await work(next, signal);
          next = done < inARowMax ? line.waiting.values().next().value : undefined;
          if (next !== undefined) line.waiting.delete(next);
        }
      } finally {
        line.running -= 1;
        // Also after an error: the others in line have nothing to do with it.
        if (line.running === 0) {
          lines.delete(channel);
          if (line.waiting.size > 0) await giveBack([...line.waiting]);
        }
      }
    },
  };
};

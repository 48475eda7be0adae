import { canaryChannel, canaryTable } from '@tocsin/alert-model';
import type { CanaryTime } from '@tocsin/alert-service';
import { endCanaries, readCanaries, sendCanary } from '@tocsin/event-store';
import { inTransaction } from '@tocsin/runtime';
import type { Pool } from '@tocsin/runtime';

/** Canaries looked at: the newest, and those that tell since when none arrives. */
const canariesReadMax = 5;
/** Another process counts as having sent one for this part of the pause. */
const shareOfPause = 0.9;

/** Failures that Tocsin makes itself, sent and looked for. */
export interface Canary {
  readonly everyMs: number;
  /** Sends one unless another process has done so lately; wakes the detector. */
  readonly send: () => Promise<boolean>;
  /** The newest first. Those that have arrived are ended. */
  readonly look: () => Promise<readonly CanaryTime[]>;
}

/** Canaries of a database. */
export const openCanary = (pool: Pool, everyMs: number): Canary => ({
  everyMs,
  send: () => inTransaction(pool, 'notifier.canary', (tx) => sendCanary(tx, everyMs * shareOfPause)),
  look: async () => {
    const about = { table: canaryTable, channel: canaryChannel, limit: canariesReadMax };
    const canaries = await readCanaries(pool, about);
    const arrived = canaries.filter(({ tookMs, open }) => tookMs !== null && open).map(({ id }) => id);
    await endCanaries(pool, arrived);
    return canaries;
  },
});

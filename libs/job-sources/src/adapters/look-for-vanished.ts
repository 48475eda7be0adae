import type { Queryable } from '@tocsin/runtime';
import type { FoundSuccess, WatchedWork } from '../find-successes.ts';
import type { JobSource } from '../job-source.ts';
import { readJobs } from '../read-jobs.ts';
import { readRunning } from '../read-running.ts';
import { readWaiting } from '../read-waiting.ts';
import { idsToAsk, noteLook, vanishingMeansSuccess } from './vanished-work.ts';
import type { VanishedWorkMemory } from './vanished-work.ts';

/** Running jobs, and waiting ones, that are read in one look; those beyond may take their turn in the next ones. */
const rowsPerLookMax = 1_000;

/** What a look found, and the memory for the next one. */
export interface VanishedLook {
  readonly memory: VanishedWorkMemory;
  readonly successes: readonly FoundSuccess[];
}

/**
 * One look for successes in a table that deletes their rows, see `noteLook`: what `findSuccesses` is for other tables.
 * Three statements, none when there is no work or when the table keeps the rows of successes.
 *
 * @param memory of the look before; an empty map at first
 * @param works all work that open alerts of this table wait for
 */
export const lookForVanished = async (
  queryable: Queryable,
  source: JobSource,
  memory: VanishedWorkMemory,
  works: readonly WatchedWork[],
): Promise<VanishedLook> => {
  if (works.length === 0 || !vanishingMeansSuccess(source.mapping)) return { memory: new Map(), successes: [] };
  const asked = idsToAsk(memory);
  // First of all, so that a row which is missing here is gone, whatever is read later.
  const known = await readJobs(queryable, source, asked);
  const running = await readRunning(queryable, source, { limit: rowsPerLookMax });
  const waiting = await readWaiting(queryable, source, { waitedMs: 0, limit: rowsPerLookMax });
  return noteLook(memory, {
    table: source.name,
    readAt: known.readAt,
    works,
    asked,
    rows: [...known.jobs.values(), ...running.jobs, ...waiting.jobs],
  });
};

import { canaryTable as canaryTableName } from '@tocsin/alert-model';
import type { JobTableConfig } from '@tocsin/runtime';

/** Between canaries nothing happens in it; the notifier wakes the detector by a hint when it sends one. */
const pollMs = 30_000;
const hourMs = 3_600_000;

/** The table of our own that a notifier puts a failed row into now and then, to see how long a failure travels. */
export const canaryTable = (databaseUrl: string): JobTableConfig => ({
  name: canaryTableName,
  table: 'tocsin.canary_jobs',
  adapter: 'research_jobs',
  databaseUrl,
  pollMs,
  reconcileMs: hourMs,
  lookBackMs: 24 * hourMs,
  batch: 100,
  columns: {},
  details: {},
});

import { setTimeout as pause } from 'node:timers/promises';
import type { OutcomeId } from '@tocsin/alert-model';
import { quarantined, unaccountedOutcomes } from '@tocsin/event-store';
import { readIdentities } from '@tocsin/job-sources';
import type { IdentityPosition, JobSource, OutcomeSort } from '@tocsin/job-sources';
import { formatDuration } from '@tocsin/runtime';
import type { Queryable } from '@tocsin/runtime';
import { counted, listed } from '../printing/lines.ts';
import { fail, ok, warn } from './finding.ts';
import type { Finding, Patient } from './finding.ts';
import { withoutDisposition } from './without-disposition.ts';
import type { WatchedTable } from './watched-tables.ts';

/** An outcome may take this long from its signal to its alert before it counts as unaccounted. */
const decideWithinMs = 60_000;
/** Pages of 5,000 failures that are compared; more than ten million in the look-back are not compared to the end. */
const pagesMax = 2_000;
/** Failures without a record that are followed one by one while a running detector gets to them. */
const followedMax = 1_000;
/** How long a running detector is given to record a failure that has just happened, beyond three of its polls. */
const graceMs = 3_000;
const graceMaxMs = 20_000;
const lookAgainMs = 500;
const quarantineShownMax = 100;
const namedMax = 5;

/** Is every final failure of the watched tables accounted for? This is promise G1, proved by anti-join. */
export const checkOutcomes = async (
  { pool }: Patient,
  tables: readonly WatchedTable[],
  detectorAlive: boolean,
): Promise<readonly Finding[]> => {
  const findings: Finding[] = [];
  for (const table of tables)
    if (table.inspection?.source != null)
      findings.push(await compareTable(pool, table, table.inspection.source, detectorAlive));
  return [...findings, await checkSignalled(pool), await checkQuarantine(pool)];
};

const compareTable = async (
  own: Queryable,
  { job, pool }: WatchedTable,
  source: JobSource,
  detectorAlive: boolean,
): Promise<Finding> => {
  const missing = new Map<OutcomeId, string>();
  const failures = await compareSort(own, pool, source, 'failures', job.lookBackMs, missing);
  // A success some of whose parts failed is an outcome, too, whether or not the rules let it pass.
  const partials = source.countsParts
    ? await compareSort(own, pool, source, 'partials', job.lookBackMs, missing)
    : { rows: 0, beyond: 0, complete: true };
  const left = detectorAlive
    ? await waitForRecords(own, missing, Math.min(graceMaxMs, 3 * job.pollMs + graceMs))
    : missing;
  const count = left.size + failures.beyond + partials.beyond;
  const parts = partials.rows === 0 ? '' : ` and ${counted(partials.rows, 'success', 'successes')} in part`;
  const looked = `of ${counted(failures.rows, 'final failure')}${parts} in ${job.table}, look-back ${formatDuration(job.lookBackMs)}`;
  if (count > 0) {
    const named = listed([...left.values()].slice(0, namedMax));
    return fail(
      'failures',
      `${counted(count, 'failure is', 'failures are')} not accounted for, ${looked}: job ${named}${count > namedMax ? ' and others' : ''}`,
      detectorAlive
        ? 'ask: npx tocsin alerts explain --job ID'
        : 'start the detector: npx tocsin detector (or npx tocsin up)',
    );
  }
  if (!failures.complete || !partials.complete)
    return warn(
      'failures',
      `0 unaccounted ${looked}; there are more, which were not compared`,
      'shorten jobs[].look_back',
    );
  return ok('failures', `0 unaccounted ${looked}`);
};

/** What one sort of outcomes in the table came to. Those without a record are added to `missing`, as far as they are followed. */
const compareSort = async (
  own: Queryable,
  pool: Queryable,
  source: JobSource,
  what: OutcomeSort,
  lookBackMs: number,
  missing: Map<OutcomeId, string>,
): Promise<{ readonly rows: number; readonly beyond: number; readonly complete: boolean }> => {
  let rows = 0;
  let beyond = 0;
  let position: IdentityPosition | null = null;
  let pages = 0;
  do {
    const page: Awaited<ReturnType<typeof readIdentities>> = await readIdentities(pool, source, position, {
      lookBackMs,
      what,
    });
    const unknown = await withoutDisposition(
      own,
      page.outcomes.map(({ id }) => id),
    );
    for (const { id, jobId } of page.outcomes) {
      if (!unknown.has(id)) continue;
      if (missing.size < followedMax) missing.set(id, jobId);
      else beyond += 1;
    }
    rows += page.outcomes.length;
    position = page.next;
    pages += 1;
  } while (position !== null && pages < pagesMax);
  return { rows, beyond, complete: position === null };
};

/** Gives the detector and the notifier the time they need for what has only just happened. */
const waitForRecords = async (
  own: Queryable,
  missing: ReadonlyMap<OutcomeId, string>,
  timeoutMs: number,
): Promise<ReadonlyMap<OutcomeId, string>> => {
  const until = performance.now() + timeoutMs;
  let left = missing;
  while (left.size > 0 && performance.now() < until) {
    await pause(lookAgainMs);
    const unknown = await withoutDisposition(own, [...left.keys()]);
    left = new Map([...left].filter(([id]) => unknown.has(id)));
  }
  return left;
};

const checkSignalled = async (pool: Queryable): Promise<Finding> => {
  const { count, samples } = await unaccountedOutcomes(pool, decideWithinMs);
  if (count === 0)
    return ok('signals', `every outcome signalled more than ${formatDuration(decideWithinMs)} ago was dealt with`);
  return fail(
    'signals',
    `${counted(count, 'outcome')} signalled more than ${formatDuration(decideWithinMs)} ago and not dealt with: job ${listed(samples.slice(0, namedMax).map(({ jobId }) => jobId))}`,
    'start the notifier: npx tocsin notifier; if it runs, its log says why it cannot go on',
  );
};

const checkQuarantine = async (pool: Queryable): Promise<Finding> => {
  const entries = await quarantined(pool, quarantineShownMax);
  if (entries.length === 0) return ok('quarantine', 'empty');
  const many = entries.length === quarantineShownMax ? `${quarantineShownMax} or more` : String(entries.length);
  return warn(
    'quarantine',
    `${many} signals could not be read; the latest: ${entries[0]?.reason ?? ''}`,
    'look: select * from tocsin.quarantine order by recorded_at desc;',
  );
};

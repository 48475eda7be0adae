import type { FailureSignal } from '@tocsin/alert-model';
import { addMs, stormShareKeysMin } from '@tocsin/alert-model';
import { historyWorkMax, readHistory } from '@tocsin/job-sources';
import type { JobSource } from '@tocsin/job-sources';
import { inTransaction, isConnectionError } from '@tocsin/runtime';
import type { DetectorContext } from './detector-ports.ts';
import type { TableState } from './table-state.ts';

/** Reading them may take this long, in milliseconds; then failures are told without. */
const readTimeoutMs = 2_000;
/** What was read, or could not be, is believed for this long, in milliseconds: a storm comes in many pages. */
const believedMs = 10_000;

/**
 * Adds how many jobs of the same source, of the types that fail, succeeded lately: what share of a source fails makes a
 * storm. Asked only when a page holds enough failures of one source, so not in ordinary times.
 */
export const withSourceSuccesses = async (
  context: DetectorContext,
  state: TableState,
  source: JobSource,
  failures: readonly FailureSignal[],
): Promise<readonly FailureSignal[]> => {
  const { storm } = context.policy;
  if (storm === null || storm.share === null || failures.length < stormShareKeysMin) return failures;
  const large = [...Map.groupBy(failures, (failure) => failure.source)].filter(
    ([, group]) => group.length >= stormShareKeysMin,
  );
  const nowMs = context.monotonicMs();
  const unknown = large.filter(([name]) => {
    const known = state.sourceSuccesses.get(name);
    return known === undefined || nowMs - known.atMs > believedMs;
  });
  if (unknown.length > 0)
    for (const [name, successes] of await read(context, state, source, unknown, storm.withinMs))
      state.sourceSuccesses.set(name, { atMs: nowMs, successes });
  const named = new Set(large.map(([name]) => name));
  return failures.map((failure) =>
    named.has(failure.source)
      ? { ...failure, sourceSuccesses: state.sourceSuccesses.get(failure.source)?.successes ?? null }
      : failure,
  );
};

type Group = readonly [source: string, failures: readonly FailureSignal[]];

/** By source; null where it could not be read. */
const read = async (
  { log }: DetectorContext,
  { table }: TableState,
  source: JobSource,
  groups: readonly Group[],
  withinMs: number,
): Promise<readonly (readonly [source: string, successes: number | null])[]> => {
  const works = groups
    .flatMap(([name, group]) => {
      const before = group.reduce((last, { observedAt }) => (observedAt > last ? observedAt : last), '');
      return [...new Set(group.map(({ jobType }) => jobType))].map((jobType) => ({
        source: name,
        jobType,
        target: 'any' as const,
        since: addMs(before, -withinMs),
        before,
      }));
    })
    .slice(0, historyWorkMax);
  try {
    const found = await inTransaction(table.pool, 'detector.source_successes', async (tx) => {
      await tx.query("select set_config('statement_timeout', $1, true)", [String(readTimeoutMs)]);
      return readHistory(tx, source, works);
    });
    const sums = new Map<string, number>();
    for (const [n, { source: name }] of works.entries())
      sums.set(name, (sums.get(name) ?? 0) + (found[n]?.successes ?? 0));
    return groups.map(([name]) => [name, sums.get(name) ?? null]);
  } catch (error) {
    if (isConnectionError(error)) throw error;
    log.warn(
      { decision: 'SourceShareSkipped', table: source.name, sources: groups.length, err: error },
      'how much of a source succeeded could not be read in time; whether this is a storm is judged by the number of failures alone',
    );
    return groups.map(([name]) => [name, null]);
  }
};

import { canaryTable } from '@tocsin/alert-model';
import { adapterNames, countStatuses, customiseMapping, findMapping, inspectTable } from '@tocsin/job-sources';
import type { JobSource } from '@tocsin/job-sources';
import { TocsinError, formatDuration } from '@tocsin/runtime';
import type { DetectorContext } from './detector-ports.ts';
import type { TableState } from './table-state.ts';

/** How often the values of the state column are counted, in milliseconds. */
const statusesEveryMs = 3_600_000;

/**
 * The table, found fit to be read; inspected when that is not known. What could be better is logged.
 *
 * @throws TocsinError `SOURCE_UNFIT` with every problem and its cure
 */
export const prepareSource = async (context: DetectorContext, state: TableState): Promise<JobSource> => {
  if (state.source !== null) return state.source;
  const { table } = state;
  const preset = findMapping(table.adapter);
  if (preset === undefined)
    throw new TocsinError(
      'SOURCE_UNFIT',
      `Watched table ${table.name}: there is no adapter ${table.adapter}; there is ${adapterNames.join(', ')}.`,
    );
  const mapping = customiseMapping(preset, table);
  const { source, problems, warnings, missingIndexes } = await inspectTable(table.pool, mapping, table);
  if (source === null) throw new TocsinError('SOURCE_UNFIT', problems.join(' '));
  state.source = source;
  const inspected = JSON.stringify([source.table, warnings, missingIndexes]);
  if (inspected === state.inspected) return source;
  state.inspected = inspected;
  // Of our own table there is nothing that anybody could put right, and little that it would be good for.
  const level = table.name === canaryTable ? 'debug' : 'warn';
  for (const warning of [...warnings, ...retentionWarnings(state, source)])
    context.log[level]({ table: table.name }, warning);
  for (const { purpose, statement } of missingIndexes)
    context.log[level](
      { table: table.name, statement },
      `an index is missing, so ${purpose} reads the whole table; run: ${statement}`,
    );
  context.log.info(
    { decision: 'TableWatched', table: table.name, relation: source.table, adapter: mapping.adapter },
    'watching',
  );
  return source;
};

/**
 * Where finished rows are deleted sooner than the slow comparison comes round, a failure that is committed late, or while
 * the detector is down, may be gone before it is read.
 */
export const retentionWarnings = (
  { table: { name, reconcileMs, pollMs } }: TableState,
  { retentionMs }: JobSource,
): readonly string[] => {
  const cycleMs = Math.max(reconcileMs, pollMs);
  return retentionMs === null || retentionMs > cycleMs
    ? []
    : [
        `Watched table ${name}: its failed rows are deleted after ${formatDuration(retentionMs)}, but the comparison that finds what was ` +
          `committed late comes every ${formatDuration(cycleMs)}, so a failure may be gone before it is read. Keep failed rows for ` +
          `longer, or set jobs[].reconcile below ${formatDuration(retentionMs)}; jobs[].retention tells Tocsin when it is known to be longer.`,
      ];
};

/** Warns once of each value of the state column that the mapping does not know: such rows are never told. */
export const warnOfUnknownStatuses = async (
  context: DetectorContext,
  state: TableState,
  source: JobSource,
): Promise<void> => {
  const { log, monotonicMs } = context;
  if (monotonicMs() < state.statusesDueAtMs) return;
  state.statusesDueAtMs = monotonicMs() + statusesEveryMs;
  const { statuses, sampled } = await countStatuses(state.table.pool, source);
  for (const { status, rows } of statuses.filter(({ unknown }) => unknown)) {
    const value = status ?? 'null';
    if (state.statusesWarned.has(value)) continue;
    state.statusesWarned.add(value);
    log.warn(
      { decision: 'StatusUnknown', table: source.name, status: value.slice(0, 100), rows, sampled },
      `jobs with status ${JSON.stringify(value.slice(0, 100))} are not understood and never told`,
    );
  }
};

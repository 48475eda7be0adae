import type { HealthCheck, Pool } from '@tocsin/runtime';
import { assertSchemaUnderstood, formatDuration } from '@tocsin/runtime';
import type { TableHealth } from '../detector.ts';
import type { NotifierWatchStatus } from './watch-notifier.ts';

/** Whether the loops of a detector turn. That a table cannot be read is no reason to start it again. */
export const detectorHealth = (tables: readonly TableHealth[]): readonly HealthCheck[] =>
  tables.map(({ table, polledAgoMs, stalled }) => ({
    name: `table ${table}`,
    ok: !stalled,
    detail: polledAgoMs === null ? 'not looked at yet' : `looked at ${formatDuration(wholeSeconds(polledAgoMs))} ago`,
  }));

/**
 * Whether it can do its work now: Tocsin's own database is there and of this version, every table can be read, and a
 * silent notifier could be told of.
 *
 * @throws when the database cannot be asked
 */
export const detectorReady = async (
  pool: Pool,
  tables: readonly TableHealth[],
  { untold }: NotifierWatchStatus,
): Promise<readonly HealthCheck[]> => {
  await assertSchemaUnderstood(pool);
  return [
    { name: 'database', ok: true, detail: 'reachable, and of this version' },
    ...tables.map(({ table, problem, polledAgoMs }) => ({
      name: `table ${table}`,
      ok: problem === null,
      // The words themselves may name hosts and users.
      detail: problem !== null ? 'the log says what is wrong' : polledAgoMs === null ? 'not looked at yet' : 'readable',
    })),
    {
      name: 'notifier',
      ok: !untold,
      detail: untold ? 'it is silent, and no channel took a message about it' : 'nothing untold',
    },
  ];
};

const wholeSeconds = (ms: number): number => Math.round(ms / 1_000) * 1_000;

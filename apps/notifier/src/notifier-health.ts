import { assertSchemaUnderstood, formatDuration } from '@tocsin/runtime';
import type { HealthCheck, Pool } from '@tocsin/runtime';
import type { NotifierStatus } from './notifier.ts';

/** The housekeeping turns every half minute; silent for so long it does not turn any more, in milliseconds. */
const turnSilentMaxMs = 180_000;

/** Whether the loops of a notifier turn. A database that is away is no reason to start the process again. */
export const notifierHealth = (
  { turnedAgoMs }: Pick<NotifierStatus, 'turnedAgoMs'>,
  upMs: number,
): readonly HealthCheck[] => {
  const ageMs = turnedAgoMs ?? upMs;
  return [
    {
      name: 'housekeeping',
      ok: ageMs <= turnSilentMaxMs,
      detail: turnedAgoMs === null ? 'has not turned yet' : `turned ${words(ageMs)} ago`,
    },
  ];
};

/** Whether it can tell anybody now: the database, and what the last audit found. */
export const notifierReady = async (
  pool: Pool,
  { selfWatch }: Pick<NotifierStatus, 'selfWatch'>,
): Promise<readonly HealthCheck[]> => {
  await assertSchemaUnderstood(pool);
  const database = { name: 'database', ok: true, detail: 'reachable, and of this version' };
  const audit = selfWatch?.audit ?? null;
  if (audit === null) return [database, { name: 'audit', ok: true, detail: 'has not run yet' }];
  return [
    database,
    {
      name: 'audit',
      ok: audit.clean,
      detail: audit.clean ? 'found nothing' : audit.problems.map(({ words: said }) => said).join(' '),
    },
  ];
};

const words = (ms: number): string => formatDuration(Math.round(ms / 1_000) * 1_000);

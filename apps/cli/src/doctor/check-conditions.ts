import { canaryTable } from '@tocsin/alert-model';
import { componentTable } from '@tocsin/alert-service';
import { formatDuration } from '@tocsin/runtime';
import { counted, listed } from '../printing/lines.ts';
import { countConditions } from './count-conditions.ts';
import type { ConditionCount } from './count-conditions.ts';
import { countHeld } from './count-held.ts';
import { fail, ok, warn } from './finding.ts';
import type { Finding, Patient } from './finding.ts';
import { findLeftRepairs } from './find-left-repairs.ts';

/** The notifier lets go of held failures after 14 days; a day more and nobody does. */
const heldMaxMs = 15 * 86_400_000;
/** A detector that died while it repaired a job finds out at its next look; after this nobody does. */
const repairMaxMs = 300_000;
const repairsShownMax = 20;
const namedMax = 5;
/** Nobody configures these: Tocsin's own parts, and the table of its canaries. */
const ownTables: ReadonlySet<string> = new Set([componentTable, canaryTable]);

/** What holds now, what is held back, and what the janitor left behind. */
export const checkConditions = async ({ config, pool }: Patient): Promise<readonly Finding[]> => {
  const watched = new Set(config.jobs.map(({ name }) => name));
  return [...conditionFindings(await countConditions(pool), watched), await checkHeld(pool), await checkRepairs(pool)];
};

const conditionFindings = (counts: readonly ConditionCount[], watched: ReadonlySet<string>): readonly Finding[] => {
  const total = counts.reduce((sum, { conditions }) => sum + conditions, 0);
  if (total === 0) return [ok('conditions', 'none holds')];
  const kinds = Map.groupBy(counts, ({ kind }) => kind);
  const words = [...kinds].map(
    ([kind, ofKind]) => `${ofKind.reduce((sum, { conditions }) => sum + conditions, 0)} ${kind}`,
  );
  const oldestMs = Math.max(...counts.map((count) => count.oldestMs));
  return [
    ok(
      'conditions',
      `${counted(total, 'condition holds', 'conditions hold')} (${listed(words)}), the oldest for ${formatDuration(oldestMs)}; each is in an alert`,
    ),
    ...counts
      .filter(({ kind, table }) => kind === 'unhealthy' && watched.has(table))
      .map(({ table, oldestMs: ageMs, oldestJobId }) =>
        warn(
          'conditions',
          `table ${table} cannot be judged as a whole for ${formatDuration(ageMs)} (${oldestJobId.replace('table:', '')})`,
          `see: npx tocsin alerts explain --job ${table}:${oldestJobId}`,
        ),
      ),
    ...[...new Set(counts.map(({ table }) => table))]
      .filter((table) => !watched.has(table) && !ownTables.has(table))
      .map((table) =>
        warn(
          'conditions',
          `conditions of table ${table} hold, but it is watched no more, so nobody will see their end`,
          'watch it again under that name, or resolve its alerts: npx tocsin alerts resolve ID',
        ),
      ),
  ];
};

const checkHeld = async (pool: Patient['pool']): Promise<Finding> => {
  const { failures, keys, oldestMs, lost } = await countHeld(pool);
  if (lost > 0)
    return fail(
      'held',
      `${counted(lost, 'failure is', 'failures are')} recorded as held, but no longer kept, so nothing can tell them`,
      "look: select * from tocsin.outcomes where disposition = 'held'; please report it",
    );
  if (failures === 0) return ok('held', 'no failure is held below a threshold');
  const what = `${counted(failures, 'failure')} of ${counted(keys, 'key')} held below their threshold, the oldest for ${formatDuration(oldestMs ?? 0)}`;
  return (oldestMs ?? 0) > heldMaxMs
    ? warn('held', what, 'the notifier lets go of them after 14 d; start it: npx tocsin notifier')
    : ok('held', what);
};

const checkRepairs = async (pool: Patient['pool']): Promise<Finding> => {
  const left = await findLeftRepairs(pool, repairMaxMs, repairsShownMax);
  if (left.length === 0) return ok('repairs', 'the janitor left nothing half done');
  const named = left.slice(0, namedMax).map(({ table, jobId, action }) => `${action} of ${table}:${jobId}`);
  const many = left.length === repairsShownMax ? `${repairsShownMax} or more` : String(left.length);
  return warn(
    'repairs',
    `${many} repairs were begun more than ${formatDuration(repairMaxMs)} ago and their end is not known: ${listed(named)}${left.length > namedMax ? ' and others' : ''}`,
    'a detector with a janitor connection for the table finds out: npx tocsin detector',
  );
};

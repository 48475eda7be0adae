import { FailureSignal, judgeThreshold } from '@tocsin/alert-model';
import type { OutcomeId, Policy } from '@tocsin/alert-model';
import { heldMaxMs } from '@tocsin/alert-service';
import type { Queryable } from '@tocsin/runtime';
import { moment } from '../printing/moment.ts';

/** As many failures of one key are kept. */
const heldMax = 1_000;

// The primary key, then index held_failures_by_key.
const text = `
select held.key, held.rule, held.signal, (extract(epoch from held.held_at) * 1000)::double precision as "heldAtMs"
from tocsin.held_failures as asked
join tocsin.held_failures as held on held.key = asked.key
where asked.outcome_id = $1
order by held.failed_at desc
limit $2`;

/**
 * How far a held failure's key is from its threshold, and until when it is kept: `held: 2 of 3 in a row, rules[0], key job/…`.
 */
export const describeHeld = async (
  queryable: Queryable,
  id: OutcomeId,
  policy: Policy,
  now: string,
): Promise<string> => {
  const { rows } = await queryable.query<HeldRow>(text, [id, heldMax]);
  const signals = rows.map(({ signal }) => FailureSignal.parse(signal));
  const [newest, ...earlier] = signals;
  const { rule = 'a rule', key = '' } = rows[0] ?? {};
  if (newest === undefined) return 'held below a threshold, but no longer kept; please report it';
  const threshold = policy.rules.find(({ name }) => name === rule)?.threshold;
  if (threshold === undefined)
    return `held: 1 of ${signals.length} that wait, ${rule}, which has no threshold any more; the next failure tells them all`;
  const { words } = judgeThreshold(threshold, newest, earlier);
  const heldAtMs = rows.find((row) => FailureSignal.parse(row.signal).outcomeId === id)?.heldAtMs;
  const until =
    heldAtMs === undefined
      ? ''
      : `; let go of ${moment(new Date(heldAtMs + heldMaxMs).toISOString(), now)} if it is not`;
  return `held: ${words}, ${rule}, key ${key}; told with the others when the threshold is reached${until}`;
};

interface HeldRow {
  readonly key: string;
  readonly rule: string;
  readonly signal: unknown;
  readonly heldAtMs: number;
}

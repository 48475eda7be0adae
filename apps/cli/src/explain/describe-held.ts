import { FailureSignal, judgeThreshold } from '@tocsin/alert-model';
import type { OutcomeId, Policy } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';

/** As many failures of one key are kept. */
const heldMax = 1_000;

// The primary key, then index held_failures_by_key.
const text = `
select held.rule, held.signal
from tocsin.held_failures as asked
join tocsin.held_failures as held on held.key = asked.key
where asked.outcome_id = $1
order by held.failed_at desc
limit $2`;

/** How far a held failure's key is from its threshold: `held: 2 of 3 in a row, rules[0]`. */
export const describeHeld = async (queryable: Queryable, id: OutcomeId, policy: Policy): Promise<string> => {
  const { rows } = await queryable.query<{ readonly rule: string; readonly signal: unknown }>(text, [id, heldMax]);
  const signals = rows.map(({ signal }) => FailureSignal.parse(signal));
  const [newest, ...earlier] = signals;
  const rule = rows[0]?.rule ?? 'a rule';
  if (newest === undefined) return 'held below a threshold, but no longer kept; please report it';
  const threshold = policy.rules.find(({ name }) => name === rule)?.threshold;
  if (threshold === undefined)
    return `held: 1 of ${signals.length} that wait, ${rule}, which has no threshold any more; the next failure tells them all`;
  const { words } = judgeThreshold(threshold, newest, earlier);
  return `held: ${words}, ${rule}; told with the others when the threshold is reached`;
};

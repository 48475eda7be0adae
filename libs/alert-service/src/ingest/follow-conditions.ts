import { decideRepair, decideRetraction } from '@tocsin/alert-model';
import type {
  AlertState,
  ConditionEndedSignal,
  ConditionKind,
  Instant,
  JobRepairedSignal,
  OutcomeId,
} from '@tocsin/alert-model';
import type { EndedCondition, SettledRepair } from '@tocsin/event-store';
import type { Session } from '../service-context.ts';
import { settle, succeedAgain } from './ingestion.ts';
import type { Ingestion } from './ingestion.ts';

/** Most conditions that hold whose end is looked up for one batch, beside those that begin or end in it. */
const suspicionsLookedUpMax = 1_000;

/** What became of conditions. */
export interface Aftermath {
  readonly ends: readonly ConditionEndedSignal[];
  readonly repairs: readonly JobRepairedSignal[];
  /** Repairs that an alert has already. */
  readonly knownRepairs: ReadonlySet<string>;
}

/**
 * What became of conditions, by the signals of this batch and by the store: an end or a repair may overtake the beginning
 * it belongs to, which then finds it here; and a repair is told before the end it led to.
 *
 * @param about.begun conditions that begin in this batch
 * @param about.suspected open alerts for which it matters whether their conditions still hold
 */
export const loadAftermath = async (
  session: Session,
  signals: { readonly ends: readonly ConditionEndedSignal[]; readonly repairs: readonly JobRepairedSignal[] },
  {
    begun,
    suspected,
    now,
  }: {
    readonly begun: readonly OutcomeId[];
    readonly suspected: readonly AlertState[];
    readonly now: Instant;
  },
): Promise<Aftermath> => {
  const suspicions = suspected.flatMap(({ suspicions: held }) => Object.keys(held) as OutcomeId[]);
  const ends = new Map(signals.ends.map((end) => [end.outcomeId, end]));
  for (const ended of await session.endedConditions([...begun, ...suspicions.slice(0, suspicionsLookedUpMax)]))
    if (!ends.has(ended.id)) ends.set(ended.id, endSignal(ended, now));

  const repairs = new Map(signals.repairs.map((repair) => [repair.repairId, repair]));
  const knownRepairs = new Set<string>();
  const repairedIds = [...begun, ...ends.keys(), ...signals.repairs.map(({ outcomeId }) => outcomeId)];
  for (const settled of await session.settledRepairs([...new Set(repairedIds)])) {
    if (settled.alertId !== null) knownRepairs.add(settled.id);
    else if (!repairs.has(settled.id)) repairs.set(settled.id, repairSignal(settled, now));
  }
  return { ends: [...ends.values()], repairs: [...repairs.values()], knownRepairs };
};

/** What the detector sends of an end, from what it wrote down. */
const endSignal = ({ id, kind, ...end }: EndedCondition, observedAt: Instant): ConditionEndedSignal => ({
  v: 1,
  signal: 'ConditionEnded',
  outcomeId: id,
  kind: kind as ConditionKind,
  ...end,
  observedAt,
});

const repairSignal = (
  { id, settledAt, alertId: _alertId, ...repair }: SettledRepair,
  observedAt: Instant,
): JobRepairedSignal => ({
  v: 1,
  signal: 'JobRepaired',
  repairId: id,
  ...repair,
  actedAt: settledAt,
  observedAt,
});

/** A condition holds no more. Nothing to do where no alert has it: its beginning was ignored, or has yet to come and will look. */
export const takeEnd = (ingestion: Ingestion, end: ConditionEndedSignal): void => {
  const state = alertWith(ingestion, end.outcomeId);
  if (state === undefined) return;
  const after = ingestion.work.apply(state.id, decideRetraction(state, end, ingestion.now));
  if (after === null) return;
  ingestion.counts.ended += 1;
  settle(ingestion, after);
  succeedAgain(ingestion, after.key);
};

/** The janitor acted on a stuck job. */
export const takeRepair = (ingestion: Ingestion, repair: JobRepairedSignal): void => {
  if (ingestion.knownRepairs.has(repair.repairId)) return;
  const state = alertWith(ingestion, repair.outcomeId);
  if (state === undefined) return;
  const after = ingestion.work.apply(state.id, decideRepair(state, repair, ingestion.now));
  if (after === null) return;
  ingestion.counts.repaired += 1;
  ingestion.repairs.push({ id: repair.repairId, alertId: after.id });
  settle(ingestion, after);
};

const alertWith = ({ alertOf, work }: Ingestion, outcomeId: OutcomeId): AlertState | undefined => {
  const alertId = alertOf.get(outcomeId);
  return alertId === undefined ? undefined : work.stateOf(alertId);
};

import { isCondition, keysOfSuccess } from '@tocsin/alert-model';
import type { AlertState, Instant, Opening, OutcomeId, SuccessSignal } from '@tocsin/alert-model';
import type { ServiceContext, Session } from '../service-context.ts';
import type { UnitOfWork } from '../unit-of-work.ts';
import { classifyHeld } from './classify-failures.ts';
import { loadAftermath } from './follow-conditions.ts';
import type { Aftermath } from './follow-conditions.ts';
import type { Ingestion, KnownFailure } from './ingestion.ts';
import type { ReadSignals } from './read-signals.ts';

/** Everything that signals of a batch meet, loaded at once, and what is to be decided about. */
export interface BegunIngestion {
  readonly ingestion: Ingestion;
  /** Failures of this batch, and those of their keys that were held before. */
  readonly failures: readonly KnownFailure[];
  readonly aftermath: Aftermath;
}

/** Loads in a fixed number of statements what the signals of a batch are about. The caller holds the lock of the log. */
export const beginIngestion = async (
  context: ServiceContext,
  session: Session,
  work: UnitOfWork,
  now: Instant,
  signals: ReadSignals,
  fresh: readonly KnownFailure[],
): Promise<BegunIngestion> => {
  const keysBySuccess = new Map(
    signals.successes.map((signal) => [signal.outcomeId, keysOfSuccess(signal, context.policy)]),
  );
  const failureKeys = [...new Set(fresh.map(({ classification }) => classification.key))];
  const followed = [...signals.ends, ...signals.repairs].map(({ outcomeId }) => outcomeId);
  const alertOf = new Map(await session.alertsOfOutcomes([...new Set(followed)]));
  const followedAlerts = await session.loadAlerts([...new Set(alertOf.values())]);
  const successKeys = [...keysBySuccess.values()].flat();
  const loaded = [
    ...followedAlerts,
    ...(await session.loadOpenAlertsByKey([...new Set([...failureKeys, ...successKeys])])),
  ];
  work.load(loaded);
  const open = new Map<string, AlertState>();
  for (const state of loaded) if (state.state !== 'resolved') open.set(state.key, state);

  const counted = new Set(
    fresh
      .filter(({ classification }) => classification.threshold !== null)
      .map(({ classification }) => classification.key),
  );
  const aftermath = await loadAftermath(session, signals, {
    begun: fresh.filter(({ signal }) => isCondition(signal.kind)).map(({ signal }) => signal.outcomeId),
    suspected: [...counted].flatMap((key) => open.get(key) ?? []),
    now,
  });
  for (const state of open.values())
    for (const outcomeId of Object.keys(state.suspicions)) alertOf.set(outcomeId as OutcomeId, state.id);

  // Where no rule has a threshold nothing is held.
  const holds = context.policy.rules.some((rule) => rule.threshold !== undefined);
  const held = holds ? classifyHeld(context, await session.heldFailures(failureKeys), now) : [];
  const known = await loadPredecessors(
    context,
    session,
    failureKeys.filter((key) => !open.has(key)),
  );
  const silences = fresh.length + held.length === 0 ? [] : await session.activeSilences();
  const ingestion: Ingestion = {
    context,
    session,
    work,
    now,
    open,
    resolved: new Map(),
    ...known,
    silences,
    openDigestIds: new Set(silences.length === 0 ? [] : (await session.loadOpenDigests()).map(({ id }) => id)),
    remembered: byKey(
      await session.recentSuccesses([...new Set([...failureKeys, ...followedAlerts.map(({ key }) => key)])]),
    ),
    keysBySuccess,
    waiting: new Map(),
    judged: new Set(),
    released: [],
    alertOf,
    knownRepairs: aftermath.knownRepairs,
    repairs: [],
    outcomes: [],
    quarantined: [],
    counts: { ended: 0, repaired: 0 },
  };
  return { ingestion, failures: [...fresh, ...held], aftermath };
};

/** Of keys without an open alert: the alert before, and how often the key has come and gone lately. */
const loadPredecessors = async (
  { policy }: Pick<ServiceContext, 'policy'>,
  session: Session,
  keys: readonly string[],
): Promise<Pick<Ingestion, 'predecessors' | 'flaps'>> => {
  const rows = keys.length === 0 ? [] : await session.loadPredecessors(keys, policy.flapping?.withinMs);
  return {
    predecessors: new Map(
      rows.map(({ key, alertId, resolvedAt, recentCount }): [string, NonNullable<Opening['predecessor']>] => [
        key,
        { alertId, resolvedAt, recentCount },
      ]),
    ),
    flaps: new Map(rows.map(({ key, flapCount }) => [key, flapCount])),
  };
};

const byKey = (
  successes: readonly { readonly key: string; readonly signal: SuccessSignal }[],
): Map<string, SuccessSignal[]> => {
  const groups = Map.groupBy(successes, ({ key }) => key);
  return new Map([...groups].map(([key, group]) => [key, group.map(({ signal }) => signal)]));
};

import type { AlertState, Batch } from './alert-state.ts';
import { emptyBatch } from './batch.ts';
import type { ItemKind } from './digest-message.ts';
import type { AlertId, DigestId, Instant } from './ids.ts';
import { isAfter } from './instant.ts';
import { ownValue } from './own-value.ts';
import type { Severity } from './policy.ts';
import { stepName } from './signal.ts';

/** What one alert has to say in one digest: little enough that 100,000 of them fit into memory. */
export interface Fragment {
  readonly alertId: AlertId;
  readonly kind: ItemKind;
  readonly title: string;
  readonly severity: Severity;
  readonly source: string;
  readonly jobType: string;
  readonly targetId: string | null;
  readonly chain: {
    readonly name: string;
    readonly run: string | null;
    readonly missing: readonly string[];
    readonly lastGreenAt: string | null;
    readonly failedRuns: number;
  } | null;
  readonly occurrences: number;
  readonly conditions: AlertState['conditions'];
  readonly since: Instant;
  readonly lastFailedAt: Instant;
  readonly batch: Batch;
  readonly acknowledgedBy: string | null;
  readonly resolution: AlertState['resolution'];
  readonly predecessor: AlertState['predecessor'];
  /** How often it came and went; null where that is not what the reader has to know. */
  readonly flapping: AlertState['openedFlapping'];
  /** Who has been told of it on this route. */
  readonly told: readonly { readonly channel: string; readonly at: Instant; readonly threadId: DigestId }[];
  /** Channels of `told` that wait for the resolution. */
  readonly owedResolution: readonly string[];
}

/**
 * Takes from an alert what it has to say in a digest; null when the digest holds no news of it (any more).
 */
export const fragmentOf = (state: AlertState, digestId: DigestId): Fragment | null => {
  const entry = state.batches[digestId];
  if (entry === undefined) return null;
  const { batch, route } = entry;
  const toldBefore = state.told.some((one) => one.route === route);
  return take(state, route, kindOf(state, batch, toldBefore), batch);
};

/**
 * What an alert has to say in a digest that lists what is open although nothing happened; null when it is resolved, or
 * none of that route's business.
 */
export const openFragmentOf = (state: AlertState, route: string): Fragment | null =>
  state.resolution !== null || !state.routes.some(({ name }) => name === route)
    ? null
    : take(state, route, 'open', emptyBatch);

const take = (state: AlertState, route: string, kind: ItemKind, batch: Batch): Fragment => {
  const told = state.told
    .filter((one) => one.route === route)
    .map(({ channel, at, threadId }) => ({ channel, at, threadId }));
  return {
    alertId: state.id,
    kind,
    title: state.title,
    severity: state.severity,
    source: state.source,
    jobType: state.jobType,
    targetId: state.targetId,
    chain:
      state.chain === null
        ? null
        : {
            name: state.chain.name,
            run: state.lastRun,
            missing: stillMissing(state),
            lastGreenAt: state.lastGreenAt,
            failedRuns: state.failedRuns.length,
          },
    occurrences: state.occurrences,
    conditions: state.conditions,
    since: state.firstFailedAt,
    lastFailedAt: state.lastFailedAt,
    // News without failures of its own shows the causes of the alert as a whole.
    batch: batch.failures > 0 ? batch : { ...batch, causes: state.causes, otherCauses: state.otherCauses },
    acknowledgedBy: state.acknowledgement?.by ?? null,
    resolution: state.resolution,
    predecessor: state.predecessor,
    flapping: flappingOf(state, kind),
    told,
    owedResolution: told
      .map((one) => one.channel)
      .filter((channel) => !state.resolutionToldTo.includes(`${route} ${channel}`)),
  };
};

/** What is most urgent to know of it decides; the rest is told beside it. */
const kindOf = (state: AlertState, batch: Batch, toldBefore: boolean): ItemKind => {
  if (state.resolution !== null) return toldBefore ? 'resolved' : 'recovered';
  if (batch.escalation !== null) return 'escalated';
  if (batch.lapse !== null) return 'lapsed';
  if (batch.settled) return 'settled';
  if (!toldBefore && state.flapping !== null) return 'flapping';
  if (batch.failures === 0 && batch.developments.length > 0) return 'update';
  if (batch.unsilenced !== null) return 'unsilenced';
  if (toldBefore) return batch.severityBefore === null ? 'again' : 'worse';
  return state.predecessor === null ? 'new' : 'regressed';
};

/** An alert that was closed by hand did not settle, and one that has settled is an alert like any other. */
const flappingOf = (state: AlertState, kind: ItemKind): Fragment['flapping'] => {
  const isHeld = state.flapping !== null && state.resolution?.reason !== 'operator';
  return isHeld || kind === 'settled' ? state.openedFlapping : null;
};

/** Steps that had not run at the latest failure and have not succeeded since. */
const stillMissing = (state: AlertState): readonly string[] =>
  state.missing
    .filter((step) => {
      const name = stepName(step);
      const failedAt = ownValue(state.owed, name)?.failedAt ?? state.lastFailedAt;
      return !Object.values(state.successes).some((run) => {
        const at = ownValue(run, name);
        return at !== undefined && isAfter(at, failedAt);
      });
    })
    .map(stepName);

import { causesMax, developmentsMax, samplesPerCauseMax } from './alert-state.ts';
import type { Batch, Cause } from './alert-state.ts';
import type { Instant } from './ids.ts';
import { earlier, later } from './instant.ts';

export const emptyBatch: Batch = {
  failures: 0,
  firstFailedAt: null,
  lastFailedAt: null,
  causes: [],
  otherCauses: 0,
  opened: false,
  resolved: false,
  lapse: null,
  unsilenced: null,
  settled: false,
  severityBefore: null,
  escalation: null,
  developments: [],
};

/** Adds one failure, known by its signature and its version in the stream. */
export const addFailure = (
  batch: Batch,
  failure: { readonly signature: string; readonly version: number; readonly failedAt: Instant },
): Batch => ({
  ...batch,
  failures: batch.failures + 1,
  firstFailedAt: batch.firstFailedAt === null ? failure.failedAt : earlier(batch.firstFailedAt, failure.failedAt),
  lastFailedAt: batch.lastFailedAt === null ? failure.failedAt : later(batch.lastFailedAt, failure.failedAt),
  ...addCause(batch, oneFailure(failure)),
});

/** A cause that was seen once. */
export const oneFailure = (failure: {
  readonly signature: string;
  readonly version: number;
  readonly failedAt: Instant;
}): Cause => ({
  signature: failure.signature,
  count: 1,
  samples: [failure.version],
  firstAt: failure.failedAt,
  lastAt: failure.failedAt,
});

/** News that joins earlier news of the same alert. */
export const mergeBatches = (older: Batch, newer: Batch): Batch => {
  let counted: Counted = { causes: older.causes, otherCauses: older.otherCauses + newer.otherCauses };
  for (const cause of newer.causes) counted = addCause(counted, cause);
  return {
    failures: older.failures + newer.failures,
    firstFailedAt: pick(earlier, older.firstFailedAt, newer.firstFailedAt),
    lastFailedAt: pick(later, older.lastFailedAt, newer.lastFailedAt),
    ...counted,
    opened: older.opened || newer.opened,
    resolved: older.resolved || newer.resolved,
    lapse: newer.lapse ?? older.lapse,
    unsilenced: newer.unsilenced ?? older.unsilenced,
    settled: older.settled || newer.settled,
    severityBefore: older.severityBefore ?? newer.severityBefore,
    escalation: newer.escalation ?? older.escalation,
    developments: joinDevelopments(older.developments, newer.developments),
  };
};

/** The newest are kept; nothing is copied where there is nothing to join. */
const joinDevelopments = (older: Batch['developments'], newer: Batch['developments']): Batch['developments'] =>
  newer.length === 0 ? older : older.length === 0 ? newer : [...older, ...newer].slice(-developmentsMax);

interface Counted {
  readonly causes: readonly Cause[];
  readonly otherCauses: number;
}

/** Counts a cause; beyond `causesMax` different ones it is counted among the others. Samples keep the newest. */
export const addCause = (counted: Counted, cause: Cause): Counted => {
  const at = counted.causes.findIndex((known) => known.signature === cause.signature);
  if (at === -1)
    return counted.causes.length < causesMax
      ? {
          causes: [...counted.causes, { ...cause, samples: cause.samples.slice(-samplesPerCauseMax) }],
          otherCauses: counted.otherCauses,
        }
      : { causes: counted.causes, otherCauses: counted.otherCauses + cause.count };
  const causes = counted.causes.map((known, index) =>
    index === at
      ? {
          signature: known.signature,
          count: known.count + cause.count,
          samples: [...known.samples, ...cause.samples].slice(-samplesPerCauseMax),
          firstAt: earlier(known.firstAt, cause.firstAt),
          lastAt: later(known.lastAt, cause.lastAt),
        }
      : known,
  );
  return { causes, otherCauses: counted.otherCauses };
};

const pick = (choose: (a: Instant, b: Instant) => Instant, a: Instant | null, b: Instant | null): Instant | null =>
  a === null ? b : b === null ? a : choose(a, b);

import { classifyFailure } from '@tocsin/alert-model';
import type { FailureSignal } from '@tocsin/alert-model';
import type { HeldFailure } from '@tocsin/event-store';
import type { ServiceContext } from '../service-context.ts';
import { jobOf, outcomeOf } from './ingestion.ts';
import type { KnownFailure, Outcome } from './ingestion.ts';

/** Applies the policy to new failures. Those that a rule ignores are only put on record. */
export const classifyFailures = (
  { policy, log }: Pick<ServiceContext, 'policy' | 'log'>,
  signals: readonly FailureSignal[],
): { readonly failures: readonly KnownFailure[]; readonly ignored: readonly Outcome[] } => {
  const failures: KnownFailure[] = [];
  const ignored: Outcome[] = [];
  for (const signal of signals) {
    const classification = classifyFailure(signal, policy);
    if (!('ignoredBy' in classification)) {
      failures.push({ signal, classification, held: false });
      continue;
    }
    ignored.push(outcomeOf(signal, null, 'ignored'));
    log.info(
      { decision: 'FailureIgnored', reason: classification.ignoredBy, job: jobOf(signal) },
      'failure ignored by rule',
    );
  }
  return { failures, ignored };
};

/**
 * Held failures as the policy of today sees them. One that it would ignore, tell at once or count elsewhere is left as it
 * is: the configuration changed, and what it held back before is let go when it is too old.
 */
export const classifyHeld = (
  { policy }: Pick<ServiceContext, 'policy'>,
  held: readonly HeldFailure[],
): readonly KnownFailure[] =>
  held.flatMap(({ key, signal }) => {
    const classification = classifyFailure(signal, policy);
    if ('ignoredBy' in classification || classification.key !== key || classification.threshold === null) return [];
    return [{ signal, classification, held: true }];
  });

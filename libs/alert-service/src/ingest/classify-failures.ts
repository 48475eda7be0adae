import { canaryRoute, classifyFailure, isCanary } from '@tocsin/alert-model';
import type { Classification, FailureSignal, Ignored, Instant, Policy } from '@tocsin/alert-model';
import type { HeldFailure } from '@tocsin/event-store';
import type { ServiceContext } from '../service-context.ts';
import { jobOf, outcomeOf } from './ingestion.ts';
import type { KnownFailure, Outcome } from './ingestion.ts';

/** Applies the policy to new failures. Those that a rule ignores are only put on record. */
export const classifyFailures = (
  { policy, log }: Pick<ServiceContext, 'policy' | 'log'>,
  signals: readonly FailureSignal[],
  now: Instant,
): { readonly failures: readonly KnownFailure[]; readonly ignored: readonly Outcome[] } => {
  const failures: KnownFailure[] = [];
  const ignored: Outcome[] = [];
  for (const signal of signals) {
    const classification = classify(signal, policy, now);
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
  now: Instant,
): readonly KnownFailure[] =>
  held.flatMap(({ key, signal }) => {
    const classification = classifyFailure(signal, policy, now);
    if ('ignoredBy' in classification || classification.key !== key || classification.threshold === null) return [];
    return [{ signal, classification, held: true }];
  });

/** As the policy says; canaries that come after they were switched off have nowhere to go. */
const classify = (signal: FailureSignal, policy: Policy, now: Instant): Classification | Ignored =>
  isCanary(signal) && !policy.routes.some(({ name }) => name === canaryRoute)
    ? { ignoredBy: 'self_watch (canaries are off)' }
    : classifyFailure(signal, policy, now);

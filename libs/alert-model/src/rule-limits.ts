import { matches } from './match.ts';
import type { Subject } from './match.ts';
import type { PartialLimit, Rule, StuckAction, StuckLimit, Threshold } from './policy.ts';
import type { FailureKind } from './signal.ts';

/** Name of what decides where no rule does. */
export const defaultRule = 'default';
/** Learned from history, and never less than a quarter of an hour. */
export const stuckAfterDefault: StuckLimit = { mode: 'auto', factor: 3, floorMs: 900_000 };
/** How long a job may wait when no rule says so, in milliseconds. */
export const stalledAfterDefaultMs = 3_600_000;
/** One part in a hundred may fail. */
export const partialDefault: PartialLimit = { failed: null, ratio: 0.01 };

/** What the rules allow to jobs of one type and target. */
export interface RuleLimits {
  readonly stuckAfter: StuckLimit;
  readonly stuckRule: string;
  /** null: it may wait for ever. */
  readonly stalledAfterMs: number | null;
  /** null: no rule says so, it is the default. */
  readonly stalledRule: string | null;
  /** null: jobs may run for ever without any of them ending. */
  readonly noCompletionAfterMs: number | null;
  readonly noCompletionRule: string | null;
  readonly onStuck: StuckAction;
  /** null: the first failure is told. */
  readonly threshold: Threshold | null;
  readonly thresholdRule: string | null;
  readonly groupBy: NonNullable<Rule['groupBy']>;
}

/**
 * What the rules allow to a job. Field by field, the first rule that matches and sets it decides. A rule with
 * `match.kind` decides only the limits of those kinds: `stuckAfter` and `onStuck` are about `stuck`, `stalledAfterMs`
 * about `stalled`, `noCompletionAfterMs` about `zero_throughput`; `threshold` and `groupBy` are about the kind given.
 *
 * @param job `kind` defaults to `failed`
 */
export const limitsFor = (rules: readonly Rule[], job: Subject): RuleLimits => {
  const stuck = decidedBy(rules, job, 'stuck', 'stuckAfter');
  const stalled = decidedBy(rules, job, 'stalled', 'stalledAfterMs');
  const noCompletion = decidedBy(rules, job, 'zero_throughput', 'noCompletionAfterMs');
  const threshold = decidedBy(rules, job, job.kind ?? 'failed', 'threshold');
  return {
    stuckAfter: stuck?.stuckAfter ?? stuckAfterDefault,
    stuckRule: stuck?.name ?? defaultRule,
    // A rule may set null, for ever, which is not the same as setting nothing.
    stalledAfterMs: stalled === undefined ? stalledAfterDefaultMs : (stalled.stalledAfterMs ?? null),
    stalledRule: stalled?.name ?? null,
    noCompletionAfterMs: noCompletion?.noCompletionAfterMs ?? null,
    noCompletionRule: noCompletion?.name ?? null,
    onStuck: decidedBy(rules, job, 'stuck', 'onStuck')?.onStuck ?? { action: 'alert' },
    threshold: threshold?.threshold ?? null,
    thresholdRule: threshold?.name ?? null,
    groupBy: decidedBy(rules, job, job.kind ?? 'failed', 'groupBy')?.groupBy ?? groupByDefault,
  };
};

/** What makes failures outside a chain one alert where no rule says so. */
export const groupByDefault: NonNullable<Rule['groupBy']> = ['source', 'jobType', 'targetId'];

const decidedBy = (
  rules: readonly Rule[],
  { source, jobType, targetId, adapter }: Subject,
  kind: FailureKind,
  field: keyof Rule,
): Rule | undefined => {
  const subject: Subject = { source, jobType, targetId, kind, ...(adapter === undefined ? {} : { adapter }) };
  // The field is looked at first: most rules set few, and a detector asks this for every job it looks at.
  return rules.find((rule) => rule[field] !== undefined && matches(rule.match, subject));
};

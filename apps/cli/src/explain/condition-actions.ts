import { limitsFor, ownSource } from '@tocsin/alert-model';
import type { ConditionKind } from '@tocsin/alert-model';
import { counted } from '../printing/lines.ts';
import type { AlertFacts, HoldingCondition, NextAction } from './alert-explanation.ts';
import { beginningOf, holdingConditions } from './holding-conditions.ts';
import { janitorWords } from './limit-words.ts';

/** Conditions named one by one; the others are counted. */
const namedConditionsMax = 8;

/** What ends each kind of condition. */
const ends: Readonly<Record<ConditionKind, (jobId: string) => string>> = {
  stuck: (jobId) => `job ${jobId} to show a sign of life or to end (it is stuck)`,
  stalled: (jobId) => `${subject(jobId)} to be picked up (nobody has)`,
  overdue: (jobId) => `a success of ${subject(jobId)} (it is overdue)`,
  deadline: (jobId) => `${subject(jobId)} to finish (its deadline is over)`,
  zero_throughput: (jobId) => `a job of ${subject(jobId)} to end (none does)`,
  unhealthy: (jobId) => `the watched table to be fit to be judged again (${subject(jobId)})`,
};

/** What ends that a part of Tocsin does not work, by the job type of its alert. */
const ownEnds: Readonly<Record<string, (name: string | null) => string>> = {
  channel: (name) => `channel ${name ?? ''} to accept a message`,
  detector: () => 'a sign of life of a detector: npx tocsin detector',
  notifier: () => 'a sign of life of a notifier: npx tocsin notifier',
  audit: () => 'the audit to be clean again: npx tocsin doctor',
  canary: () => 'a canary to arrive: npx tocsin doctor',
};

const endOf = (facts: AlertFacts, { kind, jobId, outcomeId }: HoldingCondition): string => {
  const beginning = beginningOf(facts, outcomeId)?.data;
  const own = beginning?.source === ownSource ? ownEnds[beginning.jobType] : undefined;
  return own === undefined ? ends[kind](jobId) : own(beginning?.targetId ?? null);
};

/** A condition may be about more than a row: `schedule:catalog-weekly` is `schedule catalog-weekly`. */
const subject = (jobId: string): string => {
  const [, what, name] = /^(schedule|run|type|table):(.*)$/s.exec(jobId) ?? [];
  return what === undefined || name === undefined
    ? `job ${jobId}`
    : what === 'type'
      ? `job type ${name}`
      : `${what} ${name}`;
};

/** What has to end, and what the janitor will do about it. */
export const conditionActions = (facts: AlertFacts): readonly NextAction[] => {
  const holding = holdingConditions(facts);
  const named = holding.slice(0, namedConditionsMax);
  const rest = holding.length - named.length;
  return [
    ...named.flatMap((condition): readonly NextAction[] => [
      { at: null, what: `waits for: ${endOf(facts, condition)}` },
      ...repairActions(facts, condition),
    ]),
    ...(rest > 0 ? [{ at: null, what: `waits for: ${counted(rest, 'further condition')} to end` }] : []),
  ];
};

const repairActions = (facts: AlertFacts, { kind, outcomeId, jobId }: HoldingCondition): readonly NextAction[] => {
  const beginning = beginningOf(facts, outcomeId);
  if (kind !== 'stuck' || beginning === undefined) return [];
  const { source, jobType, targetId, table } = beginning.data;
  const words = janitorWords(limitsFor(facts.janitor.rules, { source, jobType, targetId }).onStuck);
  const tried = facts.events.some(({ event }) => event.type === 'JobRepaired' && event.data.outcomeId === outcomeId);
  if (words === null || tried) return [];
  return [
    {
      at: null,
      what: facts.janitor.tables.has(table)
        ? `the janitor ${words} at the detector's next look (job ${jobId})`
        : `the rule says that the janitor ${words}, but it has no connection for table ${table} (JANITOR_DATABASE_URL)`,
    },
  ];
};

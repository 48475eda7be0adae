import type { Policy, RoutePolicy, Rule, SchedulePolicy } from '@tocsin/alert-model';
import { InvariantError } from '@tocsin/runtime';
import type { Config, RuleConfig, ScheduleConfig } from '@tocsin/runtime';

/** The part of the configuration that decides about alerts, in the words of the domain. */
export const toPolicy = (
  config: Pick<Config, 'rules' | 'chains' | 'routes' | 'escalations' | 'schedules'>,
): Policy => ({
  rules: config.rules.map((rule, index) => ruleOf(rule, index, config.rules.length)),
  chains: config.chains.map(({ name, source, steps, deadlineMs }) => ({
    name,
    source,
    steps: steps.map(({ jobType, targets }) => ({ jobType, targets: targets.length === 0 ? null : targets })),
    deadlineMs: deadlineMs ?? null,
  })),
  routes: config.routes.map(({ name, match, channels, fallback, digest, escalation }): RoutePolicy => {
    const level = escalation === undefined ? undefined : config.escalations[escalation];
    return {
      name,
      match,
      channels: [...channels],
      fallback: [...fallback],
      windowMs: digest.windowMs,
      escalation:
        escalation === undefined || level === undefined
          ? null
          : { name: escalation, afterMs: level.afterMs, channels: level.channels },
    };
  }),
  schedules: config.schedules.map(scheduleOf),
});

/** The last rule is the product's own and stands for the defaults. It sets no severity: that depends on the kind. */
const ruleOf = (rule: RuleConfig, index: number, count: number): Rule => {
  const isDefault = index === count - 1;
  const { match, severity, groupBy, ignore, threshold, stuckAfter, onStuck, partial } = rule;
  const { stalledAfterMs, noCompletionAfterMs } = rule;
  return {
    name: isDefault ? 'default' : `rules[${index}]`,
    match,
    ...(severity === undefined || isDefault ? {} : { severity }),
    ...(groupBy === undefined ? {} : { groupBy: groupBy.map((field) => fields[field]) }),
    ...(ignore === undefined ? {} : { ignore }),
    ...(threshold === undefined ? {} : { threshold }),
    ...(stuckAfter === undefined ? {} : { stuckAfter }),
    ...(onStuck === undefined ? {} : { onStuck }),
    // null means for ever, which is not the same as saying nothing.
    ...(stalledAfterMs === undefined ? {} : { stalledAfterMs }),
    ...(noCompletionAfterMs === undefined ? {} : { noCompletionAfterMs }),
    ...(partial === undefined ? {} : { partial }),
  };
};

const fields = { source: 'source', job_type: 'jobType', target_id: 'targetId' } as const;

const scheduleOf = (schedule: ScheduleConfig): SchedulePolicy => ({
  name: schedule.name,
  table: schedule.table,
  source: schedule.source,
  work: workOf(schedule),
  due: dueOf(schedule),
  graceMs: schedule.graceMs,
});

const workOf = ({ name, chain, jobType, targetId }: ScheduleConfig): SchedulePolicy['work'] => {
  if (chain !== undefined) return { chain };
  if (jobType !== undefined) return { jobType, targetId: targetId ?? null };
  throw new InvariantError(`Schedule ${name} names no work; set its chain or its job_type.`);
};

const dueOf = ({ name, cron, timeZone, everyMs }: ScheduleConfig): SchedulePolicy['due'] => {
  if (cron !== undefined) return { kind: 'cron', expression: cron, timeZone };
  if (everyMs !== undefined) return { kind: 'every', everyMs };
  throw new InvariantError(`Schedule ${name} says not when it is due; set its cron or its every.`);
};

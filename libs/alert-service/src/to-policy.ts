import { canaryChannel, canaryRoute, ownSource } from '@tocsin/alert-model';
import type { Policy, RoutePolicy, Rule, SchedulePolicy, TimeWindow } from '@tocsin/alert-model';
import { InvariantError, hours } from '@tocsin/runtime';
import type { Config, RouteConfig, RuleConfig, ScheduleConfig, TimeWindowConfig } from '@tocsin/runtime';

/** The parts of the configuration that the policy is made of. */
export type PolicyConfig = Pick<
  Config,
  'rules' | 'chains' | 'routes' | 'escalations' | 'schedules' | 'storm' | 'flapping' | 'jobs' | 'channels' | 'selfWatch'
>;

/** The part of the configuration that decides about alerts, in the words of the domain. */
export const toPolicy = (config: PolicyConfig): Policy => ({
  rules: config.rules.map((rule, index) => ruleOf(rule, index, config.rules.length)),
  chains: config.chains.map(({ name, source, steps, deadlineMs }) => ({
    name,
    source,
    steps: steps.map(({ jobType, targets }) => ({ jobType, targets: targets.length === 0 ? null : targets })),
    deadlineMs: deadlineMs ?? null,
  })),
  routes: [
    ...config.routes.map((route) => routeOf(route, config.escalations)),
    ...(config.selfWatch.canaryMs === undefined ? [] : [wayOfCanaries]),
  ],
  schedules: config.schedules.map(scheduleOf),
  storm: config.storm === undefined ? null : { ...config.storm, share: config.storm.share ?? null },
  flapping: config.flapping ?? null,
  hours,
  adapters: Object.fromEntries(config.jobs.map(({ name, adapter }) => [name, adapter])),
  channels: channelsOf(config.channels),
});

const routeOf = (
  { name, match, channels, fallback, digest, quietHours, breakThrough, escalation }: RouteConfig,
  escalations: Config['escalations'],
): RoutePolicy => {
  const { during, ...rest } = match;
  const ladder = escalation === undefined ? undefined : escalations[escalation];
  return {
    name,
    match: { ...rest, ...(during === undefined ? {} : { during: during.map(windowOf) }) },
    channels: [...channels],
    fallback: [...fallback],
    windowMs: digest.windowMs,
    firstAtOnce: digest.firstAtOnce,
    itemsMax: digest.itemsMax,
    allQuiet: digest.allQuiet ?? null,
    quietHours: quietHours.map(windowOf),
    breakThrough: [...breakThrough],
    escalation:
      escalation === undefined || ladder === undefined
        ? null
        : {
            name: escalation,
            levels: ladder.levels.map(({ afterMs, channels: told, severities }) => ({
              afterMs,
              channels: [...told],
              severities: severities === undefined ? null : [...severities],
            })),
            repeat: ladder.repeat ?? null,
          },
  };
};

const windowOf = ({ days, fromMinute, toMinute, timeZone }: TimeWindowConfig): TimeWindow => ({
  days: [...days],
  fromMinute,
  toMinute,
  timeZone,
});

/** Canaries end in files: see `isCanary`. No other failure takes this route, and a canary takes no other. */
const wayOfCanaries: RoutePolicy = {
  name: canaryRoute,
  match: { source: [ownSource], jobType: ['canary'] },
  channels: [canaryChannel],
  fallback: [],
  windowMs: 0,
  firstAtOnce: false,
  itemsMax: 1,
  allQuiet: null,
  quietHours: [],
  breakThrough: [],
  escalation: null,
};

/** Channels that end in a place where somebody has to look. */
const unread: ReadonlySet<string> = new Set(['outbox', 'console']);

/** Those that reach people first. */
const channelsOf = (channels: Config['channels']): readonly string[] => {
  const names = Object.keys(channels).filter((name) => name !== canaryChannel);
  const reaches = (name: string): boolean => !unread.has(channels[name]?.type ?? '');
  return [...names.filter(reaches), ...names.filter((name) => !reaches(name))];
};

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

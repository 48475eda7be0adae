import type { Policy, RoutePolicy, Rule } from '@tocsin/alert-model';
import type { Config } from '@tocsin/runtime';

/** The part of the configuration that decides about alerts, in the words of the domain. */
export const toPolicy = (config: Pick<Config, 'rules' | 'chains' | 'routes' | 'escalations'>): Policy => ({
  rules: config.rules.map(({ match, severity, groupBy, ignore }, index): Rule => ({
    // The last rule is the product's own and stands for the defaults.
    name: index === config.rules.length - 1 ? 'default' : `rules[${index}]`,
    match,
    ...(severity === undefined ? {} : { severity }),
    ...(groupBy === undefined ? {} : { groupBy: groupBy.map((field) => fields[field]) }),
    ...(ignore === undefined ? {} : { ignore }),
  })),
  chains: config.chains.map(({ name, source, steps }) => ({
    name,
    source,
    steps: steps.map(({ jobType, targets }) => ({ jobType, targets: targets.length === 0 ? null : targets })),
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
});

const fields = { source: 'source', job_type: 'jobType', target_id: 'targetId' } as const;

import { DEFAULT_ROUTE } from './check-routes.ts';
import type {
  ChainConfig,
  DeliveryConfig,
  EscalationConfig,
  JobMatch,
  JobTableConfig,
  RetentionConfig,
  RouteConfig,
  RouteMatch,
  RuleConfig,
  WorkersConfig,
} from './config.ts';
import { type ConfigFile, GROUP_FIELDS } from './config-schema.ts';
import type { Environment } from './environment.ts';
import type { ResolvedChannels } from './resolve-channels.ts';

/** Turns the parsed file into the effective configuration, section by section: YAML's names into ours, defaults applied. */

const DIGEST_WINDOW_DEFAULT_MS = 15 * 60_000;

export function jobsOf(file: ConfigFile, environment: Environment): readonly JobTableConfig[] {
  return file.jobs.map((job) => {
    const databaseUrl = job.database_url ?? environment.jobsDatabaseUrl ?? environment.databaseUrl;
    return {
      name: job.name,
      table: job.table,
      adapter: job.adapter,
      ...(databaseUrl !== undefined && { databaseUrl }),
      pollMs: job.poll,
      reconcileMs: job.reconcile,
      lookBackMs: job.look_back,
      batch: job.batch,
    };
  });
}

export function chainsOf(file: ConfigFile): readonly ChainConfig[] {
  return file.chains.map(({ name, source, steps }) => ({
    name,
    source,
    steps: steps.map((step) => ({ jobType: step.job_type, targets: step.targets ?? [] })),
  }));
}

export function rulesOf(file: ConfigFile): readonly RuleConfig[] {
  const written = file.rules.map((rule) => ({
    match: jobMatch(rule.match),
    ...(rule.severity !== undefined && { severity: rule.severity }),
    ...(rule.group_by !== undefined && { groupBy: GROUP_FIELDS.filter((field) => rule.group_by?.includes(field)) }),
    ...(rule.ignore !== undefined && { ignore: rule.ignore }),
  }));
  return [...written, { match: {}, severity: 'error', groupBy: GROUP_FIELDS, ignore: false }];
}

export function routesOf(
  file: ConfigFile,
  environment: Environment,
  defaultRoute: ResolvedChannels['defaultRoute'],
): readonly RouteConfig[] {
  const windowMs = environment.digestWindowMs ?? DIGEST_WINDOW_DEFAULT_MS;
  const written = file.routes.map((route): RouteConfig => ({
    name: route.name,
    match: routeMatch(route.match ?? {}),
    channels: route.channels,
    fallback: route.fallback ?? [],
    digest: { windowMs: route.digest?.window ?? windowMs },
    ...(route.escalation !== undefined && { escalation: route.escalation }),
  }));
  if (written.some((route) => Object.keys(route.match).length === 0)) return written;
  return [...written, { name: DEFAULT_ROUTE, match: {}, ...defaultRoute, digest: { windowMs } }];
}

export function escalationsOf(file: ConfigFile): Readonly<Record<string, EscalationConfig>> {
  const entries = Object.entries(file.escalations);
  return Object.fromEntries(entries.map(([name, { after, channels }]) => [name, { afterMs: after, channels }]));
}

export function retentionOf(file: ConfigFile): RetentionConfig {
  return { outcomesMs: file.retention.outcomes, deliveriesMs: file.retention.deliveries };
}

export function deliveryOf(file: ConfigFile): DeliveryConfig {
  return { attemptTimeoutMs: file.delivery.attempt_timeout, unknownRetryMs: file.delivery.unknown_retry };
}

export function workersOf(file: ConfigFile): WorkersConfig {
  return { claimSeconds: Math.max(1, Math.round(file.workers.claim / 1_000)) };
}

type MatchInFile = ConfigFile['rules'][number]['match'];
type RouteMatchInFile = MatchInFile & { readonly severity?: RouteMatch['severity'] | undefined };

function jobMatch(match: MatchInFile): JobMatch {
  return {
    ...(match.source !== undefined && { source: match.source }),
    ...(match.job_type !== undefined && { jobType: match.job_type }),
    ...(match.target_id !== undefined && { targetId: match.target_id }),
  };
}

function routeMatch(match: RouteMatchInFile): RouteMatch {
  return { ...jobMatch(match), ...(match.severity !== undefined && { severity: match.severity }) };
}

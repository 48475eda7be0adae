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
  RuleMatch,
  ScheduleConfig,
  WorkersConfig,
} from './config.ts';
import type { ConfigFile } from './config-schema.ts';
import type { Environment } from './environment.ts';
import type { ResolvedChannels } from './resolve-channels.ts';
import { GROUP_FIELDS } from './rule-schema.ts';

/** Turns the parsed file into the effective configuration, section by section: YAML's names into ours, defaults applied. */

const DIGEST_WINDOW_DEFAULT_MS = 15 * 60_000;

export function jobsOf(file: ConfigFile, environment: Environment): readonly JobTableConfig[] {
  const wantsJanitor = file.rules.some(({ on_stuck: action }) => action !== undefined && action.action !== 'alert');
  return file.jobs.map((job) => {
    const databaseUrl = job.database_url ?? environment.jobsDatabaseUrl ?? environment.databaseUrl;
    // In a database of its own there is another table, perhaps of the same name: the janitor must not take one for the other.
    const inherited = job.database_url === undefined ? environment.janitorDatabaseUrl : undefined;
    const janitorDatabaseUrl = wantsJanitor ? (job.janitor_database_url ?? inherited) : undefined;
    return {
      name: job.name,
      table: job.table,
      adapter: job.adapter,
      ...(databaseUrl !== undefined && { databaseUrl }),
      pollMs: job.poll,
      reconcileMs: job.reconcile,
      lookBackMs: job.look_back,
      batch: job.batch,
      columns: withoutUndefined(job.columns),
      ...(job.states !== undefined && { states: job.states }),
      ...(job.retention !== undefined && { retentionMs: job.retention }),
      ...(janitorDatabaseUrl !== undefined && { janitorDatabaseUrl }),
    };
  });
}

export function chainsOf(file: ConfigFile): readonly ChainConfig[] {
  return file.chains.map(({ name, source, steps, deadline }) => ({
    name,
    source,
    steps: steps.map((step) => ({ jobType: step.job_type, targets: step.targets ?? [] })),
    ...(deadline !== undefined && { deadlineMs: deadline }),
  }));
}

export function schedulesOf(file: ConfigFile): readonly ScheduleConfig[] {
  return file.schedules.map((schedule) => ({
    name: schedule.name,
    table: schedule.table ?? file.jobs[0]?.name ?? '',
    source: schedule.source,
    ...(schedule.chain !== undefined && { chain: schedule.chain }),
    ...(schedule.job_type !== undefined && { jobType: schedule.job_type }),
    ...(schedule.target_id !== undefined && { targetId: schedule.target_id }),
    ...(schedule.cron !== undefined && { cron: schedule.cron }),
    timeZone: schedule.timezone ?? 'UTC',
    ...(schedule.every !== undefined && { everyMs: schedule.every }),
    graceMs: schedule.grace,
  }));
}

export function rulesOf(file: ConfigFile): readonly RuleConfig[] {
  const written = file.rules.map((rule): RuleConfig => ({
    match: ruleMatch(rule.match),
    ...(rule.severity !== undefined && { severity: rule.severity }),
    ...(rule.group_by !== undefined && { groupBy: GROUP_FIELDS.filter((field) => rule.group_by?.includes(field)) }),
    ...(rule.ignore !== undefined && { ignore: rule.ignore }),
    ...(rule.threshold !== undefined && { threshold: rule.threshold }),
    ...(rule.stuck_after !== undefined && { stuckAfter: rule.stuck_after }),
    ...(rule.on_stuck !== undefined && { onStuck: rule.on_stuck }),
    ...(rule.stalled_after !== undefined && { stalledAfterMs: rule.stalled_after }),
    ...(rule.no_completion_after !== undefined && { noCompletionAfterMs: rule.no_completion_after }),
    ...(rule.partial !== undefined && { partial: rule.partial }),
  }));
  return [...written, { match: {}, groupBy: GROUP_FIELDS, ignore: false }];
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

type RuleMatchInFile = ConfigFile['rules'][number]['match'];
type MatchInFile = Omit<RuleMatchInFile, 'kind'>;
type RouteMatchInFile = MatchInFile & { readonly severity?: RouteMatch['severity'] | undefined };

function jobMatch(match: MatchInFile): JobMatch {
  return {
    ...(match.source !== undefined && { source: match.source }),
    ...(match.job_type !== undefined && { jobType: match.job_type }),
    ...(match.target_id !== undefined && { targetId: match.target_id }),
  };
}

function ruleMatch(match: RuleMatchInFile): RuleMatch {
  return { ...jobMatch(match), ...(match.kind !== undefined && { kind: match.kind }) };
}

function routeMatch(match: RouteMatchInFile): RouteMatch {
  return { ...jobMatch(match), ...(match.severity !== undefined && { severity: match.severity }) };
}

/** The same without the keys that are there but undefined, as zod leaves those of optional fields. */
function withoutUndefined<Key extends string, Value>(
  fields: Readonly<Partial<Record<Key, Value | undefined>>>,
): Readonly<Partial<Record<Key, Value>>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<
    Record<Key, Value>
  >;
}

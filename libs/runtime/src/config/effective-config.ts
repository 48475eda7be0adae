import { DEFAULT_ROUTE } from './check-routes.ts';
import type {
  ChainConfig,
  DeliveryConfig,
  EscalationConfig,
  FlappingConfig,
  JobMatch,
  JobTableConfig,
  RetentionConfig,
  RouteConfig,
  RouteMatch,
  RuleConfig,
  RuleMatch,
  ScheduleConfig,
  SelfWatchConfig,
  SilenceConfig,
  StormConfig,
  WorkersConfig,
} from './config.ts';
import type { ConfigFile } from './config-schema.ts';
import type { Environment, PortSetting } from './environment.ts';
import { DETECTOR_PORT_DEFAULT, NOTIFIER_PORT_DEFAULT } from './reliability-schema.ts';
import type { ResolvedChannels } from './resolve-channels.ts';
import { ITEMS_MAX } from './route-schema.ts';
import { GROUP_FIELDS } from './rule-schema.ts';

/** Turns the parsed file into the effective configuration, section by section: YAML's names into ours, defaults applied. */

const DIGEST_WINDOW_DEFAULT_MS = 15 * 60_000;
const HOST_DEFAULT = '127.0.0.1';

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
      details: job.details,
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
    digest: digestOf(route.digest ?? {}, windowMs),
    quietHours: route.quiet_hours?.windows ?? [],
    breakThrough: route.quiet_hours?.breakThrough ?? ['critical'],
    ...(route.escalation !== undefined && { escalation: route.escalation }),
  }));
  if (written.some((route) => Object.keys(route.match).length === 0)) return written;
  const digest = digestOf({}, windowMs);
  const standard = { ...defaultRoute, digest, quietHours: [], breakThrough: ['critical'] as const };
  return [...written, { name: DEFAULT_ROUTE, match: {}, ...standard }];
}

export function silencesOf(file: ConfigFile): readonly SilenceConfig[] {
  return file.silences.map(({ name, match, from, until, reason }) => ({
    name,
    match: {
      ...jobMatch(match),
      ...(match.severity !== undefined && { severity: match.severity }),
      ...(match.kind !== undefined && { kind: match.kind }),
    },
    ...(from !== undefined && { from }),
    until,
    ...(reason !== undefined && { reason }),
  }));
}

/** Undefined when it is off. */
export function stormOf({ storm }: ConfigFile): StormConfig | undefined {
  if (storm === 'off') return undefined;
  const { keys, within, share, update } = storm;
  return { keys, withinMs: within, ...(share !== null && { share }), updateMs: update };
}

/** Undefined when it is off. */
export function flappingOf({ flapping }: ConfigFile): FlappingConfig | undefined {
  if (flapping === 'off') return undefined;
  return { times: flapping.times, withinMs: flapping.within, holdMs: flapping.hold };
}

export function selfWatchOf({ self_watch: watch }: ConfigFile, environment: Environment): SelfWatchConfig {
  const deadmanUrl = watch.deadman_url ?? environment.deadmanUrl;
  return {
    staleAfterMs: watch.stale_after,
    ...(deadmanUrl !== undefined && { deadmanUrl }),
    auditMs: watch.audit_every,
    ...(watch.canary !== null && { canaryMs: watch.canary }),
  };
}

/** In the file's order; the short form is one level. */
export function escalationsOf(file: ConfigFile): Readonly<Record<string, EscalationConfig>> {
  return file.escalations;
}

export function retentionOf(file: ConfigFile): RetentionConfig {
  return { outcomesMs: file.retention.outcomes, deliveriesMs: file.retention.deliveries };
}

export function deliveryOf(file: ConfigFile): DeliveryConfig {
  return { attemptTimeoutMs: file.delivery.attempt_timeout, unknownRetryMs: file.delivery.unknown_retry };
}

export function workersOf({ workers }: ConfigFile, environment: Environment): WorkersConfig {
  const detectorPort = portOf(workers.detector_port ?? environment.detectorPort, DETECTOR_PORT_DEFAULT);
  const notifierPort = portOf(workers.notifier_port ?? environment.notifierPort, NOTIFIER_PORT_DEFAULT);
  return {
    claimSeconds: Math.max(1, Math.round(workers.claim / 1_000)),
    host: workers.host ?? environment.host ?? HOST_DEFAULT,
    ...(detectorPort !== undefined && { detectorPort }),
    ...(notifierPort !== undefined && { notifierPort }),
  };
}

function portOf(chosen: PortSetting | undefined, standard: number): WorkersConfig['detectorPort'] {
  if (chosen === 'off') return undefined;
  return { port: chosen ?? standard, isDefault: chosen === undefined };
}

type DigestInFile = NonNullable<ConfigFile['routes'][number]['digest']>;

function digestOf(digest: Partial<DigestInFile>, windowMs: number): RouteConfig['digest'] {
  const { window, first_at_once: firstAtOnce, max_items: itemsMax, all_quiet: allQuiet } = digest;
  return {
    windowMs: window ?? windowMs,
    firstAtOnce: firstAtOnce ?? false,
    itemsMax: itemsMax ?? ITEMS_MAX,
    ...(allQuiet !== undefined && { allQuiet: { cron: allQuiet.cron, timeZone: allQuiet.timezone ?? 'UTC' } }),
  };
}

type RuleMatchInFile = ConfigFile['rules'][number]['match'];
type MatchInFile = Omit<RuleMatchInFile, 'kind'>;
type RouteMatchInFile = NonNullable<ConfigFile['routes'][number]['match']>;

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
  const { severity, kind, adapter, during } = match;
  return {
    ...jobMatch(match),
    ...(severity !== undefined && { severity }),
    ...(kind !== undefined && { kind }),
    ...(adapter !== undefined && { adapter }),
    ...(during !== undefined && { during }),
  };
}

/** The same without the keys that are there but undefined, as zod leaves those of optional fields. */
function withoutUndefined<Key extends string, Value>(
  fields: Readonly<Partial<Record<Key, Value | undefined>>>,
): Readonly<Partial<Record<Key, Value>>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<
    Record<Key, Value>
  >;
}

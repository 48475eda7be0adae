import { resolve } from 'node:path';
import { ConfigError, type ConfigProblem } from '../errors.ts';
import { checkReferences } from './check-references.ts';
import { checkRoutes } from './check-routes.ts';
import { checkRules, janitorWarnings } from './check-rules.ts';
import { checkSchedules } from './check-schedules.ts';
import { settingWarnings } from './check-settings.ts';
import type { Config } from './config.ts';
import { channelSchema, type DeclaredChannel } from './channel-schema.ts';
import { configSchema, type ConfigFile } from './config-schema.ts';
import { describeIssue, type FilePath, FILE_PROBLEMS_MAX } from './describe-issue.ts';
import { type DeclaredTypes, type Environment, readEnvironment } from './environment.ts';
import type { EnvironmentVariables } from './interpolate.ts';
import { mappingAt, namesOf, textAt } from './loose-file.ts';
import { type ConfigFileContent, readConfigFile } from './read-config-file.ts';
import { BUILT_IN_CHANNELS, type ResolvedChannels, resolveChannels } from './resolve-channels.ts';
import {
  chainsOf,
  deliveryOf,
  escalationsOf,
  flappingOf,
  jobsOf,
  retentionOf,
  routesOf,
  rulesOf,
  schedulesOf,
  selfWatchOf,
  silencesOf,
  stormOf,
  workersOf,
} from './effective-config.ts';

/** Where the configuration comes from. */
export type LoadConfigOptions = {
  readonly env: EnvironmentVariables;
  /** Relative paths, and the default `tocsin.yaml`, are looked up here. */
  readonly cwd: string;
  /** A file named on the command line; goes before `TOCSIN_CONFIG`. */
  readonly file?: string;
  /** For warnings of what is over already. Default: the machine's clock. */
  readonly now?: Date;
};

/**
 * The effective configuration from `tocsin.yaml` and the environment. With neither, everything has a default.
 *
 * Throws ConfigError with every problem of both at once: wrong values, unknown keys with the nearest valid one, names
 * that are taken or do not exist, routes that cannot be reached. Secrets are masked in it. Reads files, connects to nothing.
 */
export function loadConfig({ env, cwd, file, now = new Date() }: LoadConfigOptions): Config {
  const content = readConfigFile(env, cwd, file);
  const environment = readEnvironment(env, declaredTypes(content.data));
  const stateDirectory = resolve(cwd, '.tocsin');
  const resolved = resolveChannels(
    wellFormedChannels(content.data),
    namesOf(mappingAt(content.data, 'channels')).length > 0,
    environment,
    {
      cwd,
      stateDirectory,
    },
  );
  const { breaches, warnings, parsed } = checkFile(content, resolved, environment, now);
  const problems: readonly ConfigProblem[] = [...environment.problems, ...content.problems, ...breaches];
  if (problems.length > 0 || parsed === undefined) throw new ConfigError(problems);

  const storm = stormOf(parsed);
  const flapping = flappingOf(parsed);
  return {
    version: 1,
    ...(content.file !== undefined && { file: content.file }),
    ...optionalSettings(environment),
    jobs: jobsOf(parsed, environment),
    chains: chainsOf(parsed),
    schedules: schedulesOf(parsed),
    rules: rulesOf(parsed),
    routes: routesOf(parsed, environment, resolved.defaultRoute),
    channels: resolved.channels,
    escalations: escalationsOf(parsed),
    silences: silencesOf(parsed),
    ...(storm !== undefined && { storm }),
    ...(flapping !== undefined && { flapping }),
    selfWatch: selfWatchOf(parsed, environment),
    retention: retentionOf(parsed),
    delivery: deliveryOf(parsed),
    workers: workersOf(parsed, environment),
    logLevel: environment.logLevel,
    stateDirectory,
    warnings: [...environment.warnings, ...resolved.warnings, ...warnings],
  };
}

type FileCheck = {
  readonly parsed: ConfigFile | undefined;
  readonly breaches: readonly ConfigProblem[];
  readonly warnings: readonly string[];
};

function checkFile(
  content: ConfigFileContent,
  resolved: ResolvedChannels,
  environment: Environment,
  now: Date,
): FileCheck {
  const outcome = configSchema.safeParse(content.data);
  const form = outcome.success ? [] : outcome.error.issues.flatMap((issue) => describeIssue(issue, content.data));
  const references = checkReferences(
    content.data,
    channelNames(content.data, resolved, environment),
    resolved.defaultRoute,
  );
  const breaches = [
    ...form,
    ...resolved.breaches,
    ...references.breaches,
    ...checkRoutes(content.data),
    ...checkRules(content.data),
    ...checkSchedules(content.data),
  ]
    .filter(({ path }) => !content.unresolvedPaths.some((unresolved) => isWithin(path, unresolved)))
    .slice(0, FILE_PROBLEMS_MAX)
    .map(content.report);
  const janitor = janitorWarnings(content.data, environment.janitorDatabaseUrl !== undefined);
  return {
    parsed: outcome.data,
    breaches,
    warnings: [...references.warnings, ...janitor, ...settingWarnings(content.data, now)],
  };
}

/** The channels that are right in themselves, so that each can be completed even if another one is wrong. */
function wellFormedChannels(data: unknown): Readonly<Record<string, DeclaredChannel>> {
  const declared = Object.entries(mappingAt(data, 'channels'));
  return Object.fromEntries(
    declared.flatMap(([name, channel]) => {
      const outcome = channelSchema.safeParse(channel);
      return outcome.success ? [[name, outcome.data]] : [];
    }),
  );
}

/** What of the channels is declared, right or wrong: only what they lack is taken from the environment. */
function declaredTypes(data: unknown): DeclaredTypes {
  const channels = mappingAt(data, 'channels');
  const declared = namesOf(channels).map((name) => mappingAt(channels, name));
  return {
    has: (type) => declared.some((channel) => textAt(channel, 'type') === type),
    lacks: (type, key) => declared.some((channel) => textAt(channel, 'type') === type && channel[key] === undefined),
  };
}

/** Every name a route may use, those of channels with problems included: they exist, they are only wrong. */
function channelNames(data: unknown, resolved: ResolvedChannels, environment: Environment): readonly string[] {
  const declared = namesOf(mappingAt(data, 'channels'));
  const expected = declared.length > 0 || environment.wrong.size === 0 ? [] : ['email', 'email-smtp', 'slack'];
  return [
    ...new Set([
      ...declared,
      ...resolved.defaultRoute.channels,
      ...resolved.defaultRoute.fallback,
      ...expected,
      ...BUILT_IN_CHANNELS,
    ]),
  ];
}

function isWithin(path: FilePath, outer: FilePath): boolean {
  return outer.every((key, index) => path[index] === key);
}

function optionalSettings(environment: Environment): Partial<Config> {
  const { databaseUrl, jobsDatabaseUrl, adminUrl, publicUrl, secret, sendgridWebhookKey, slackSigningSecret } =
    environment;
  return {
    ...(databaseUrl !== undefined && { databaseUrl }),
    ...(jobsDatabaseUrl !== undefined && { jobsDatabaseUrl }),
    ...(adminUrl !== undefined && { adminUrl }),
    ...(publicUrl !== undefined && { publicUrl }),
    ...(secret !== undefined && { secret }),
    ...(sendgridWebhookKey !== undefined && { sendgridWebhookKey }),
    ...(slackSigningSecret !== undefined && { slackSigningSecret }),
  };
}

import { resolve } from 'node:path';
import { ConfigError, type ConfigProblem } from '../errors.ts';
import { checkReferences } from './check-references.ts';
import { checkRoutes } from './check-routes.ts';
import { checkRules, janitorWarnings } from './check-rules.ts';
import { checkSchedules } from './check-schedules.ts';
import type { Config } from './config.ts';
import { channelSchema, configSchema, type ConfigFile, type DeclaredChannel } from './config-schema.ts';
import { describeIssue, type FilePath, FILE_PROBLEMS_MAX } from './describe-issue.ts';
import { type Environment, readEnvironment } from './environment.ts';
import type { EnvironmentVariables } from './interpolate.ts';
import { mappingAt, namesOf } from './loose-file.ts';
import { type ConfigFileContent, readConfigFile } from './read-config-file.ts';
import { BUILT_IN_CHANNELS, type ResolvedChannels, resolveChannels } from './resolve-channels.ts';
import {
  chainsOf,
  deliveryOf,
  escalationsOf,
  jobsOf,
  retentionOf,
  routesOf,
  rulesOf,
  schedulesOf,
  workersOf,
} from './effective-config.ts';

/** Where the configuration comes from. */
export type LoadConfigOptions = {
  readonly env: EnvironmentVariables;
  /** Relative paths, and the default `tocsin.yaml`, are looked up here. */
  readonly cwd: string;
  /** A file named on the command line; goes before `TOCSIN_CONFIG`. */
  readonly file?: string;
};

/**
 * The effective configuration from `tocsin.yaml` and the environment. With neither, everything has a default.
 *
 * Throws ConfigError with every problem of both at once: wrong values, unknown keys with the nearest valid one, names
 * that are taken or do not exist, routes that cannot be reached. Secrets are masked in it. Reads files, connects to nothing.
 */
export function loadConfig({ env, cwd, file }: LoadConfigOptions): Config {
  const environment = readEnvironment(env);
  const content = readConfigFile(env, cwd, file);
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
  const { breaches, warnings, parsed } = checkFile(content, resolved, environment);
  const problems: readonly ConfigProblem[] = [...environment.problems, ...content.problems, ...breaches];
  if (problems.length > 0 || parsed === undefined) throw new ConfigError(problems);

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
    retention: retentionOf(parsed),
    delivery: deliveryOf(parsed),
    workers: workersOf(parsed),
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

function checkFile(content: ConfigFileContent, resolved: ResolvedChannels, environment: Environment): FileCheck {
  const outcome = configSchema.safeParse(content.data);
  const form = outcome.success ? [] : outcome.error.issues.flatMap((issue) => describeIssue(issue, content.data));
  const references = checkReferences(content.data, channelNames(content.data, resolved, environment));
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
  return { parsed: outcome.data, breaches, warnings: [...references.warnings, ...janitor] };
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

/** Every name a route may use, those of channels with problems included: they exist, they are only wrong. */
function channelNames(data: unknown, resolved: ResolvedChannels, environment: Environment): readonly string[] {
  const declared = namesOf(mappingAt(data, 'channels'));
  const expected = declared.length > 0 || environment.wrong.size === 0 ? [] : ['email', 'email-smtp'];
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
  const { databaseUrl, jobsDatabaseUrl, adminUrl, publicUrl, secret, slackWebhookUrl } = environment;
  return {
    ...(databaseUrl !== undefined && { databaseUrl }),
    ...(jobsDatabaseUrl !== undefined && { jobsDatabaseUrl }),
    ...(adminUrl !== undefined && { adminUrl }),
    ...(publicUrl !== undefined && { publicUrl }),
    ...(secret !== undefined && { secret }),
    ...(slackWebhookUrl !== undefined && { slackWebhookUrl }),
  };
}

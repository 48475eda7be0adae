import { parseDuration } from '../duration.ts';
import type { ConfigProblem } from '../errors.ts';
import { adminUrlProblem } from './admin-url.ts';
import type { LogLevel } from './config.ts';
import { emailAddressProblem, splitAddresses } from './email-address.ts';
import type { EnvironmentVariables } from './interpolate.ts';
import { MASK, maskUrl } from './mask-url.ts';
import { nearestName, suggestName } from './nearest-name.ts';
import {
  apiKeyProblem,
  DURATION_BOUNDS,
  durationProblem,
  HTTP_PROTOCOLS,
  POSTGRES_PROTOCOLS,
  recipientsProblem,
  SMTP_PROTOCOLS,
  urlProblem,
} from './setting-rules.ts';

const LOG_LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** Shorter than this, a secret that signs links can be guessed. */
const SECRET_CHARACTERS_MIN = 16;

const OWN_VARIABLES = ['TOCSIN_CONFIG', 'TOCSIN_SECRET', 'TOCSIN_DIGEST_WINDOW'];

/** The environment variables that mean something, checked. A variable that is unset, empty or wrong is absent. */
export type Environment = {
  readonly databaseUrl?: string;
  readonly jobsDatabaseUrl?: string;
  readonly janitorDatabaseUrl?: string;
  readonly emailTo?: readonly string[];
  readonly emailFrom?: string;
  readonly sendgridApiKey?: string;
  readonly sendgridBaseUrl?: string;
  readonly smtpUrl?: string;
  readonly slackWebhookUrl?: string;
  readonly adminUrl?: string;
  readonly publicUrl?: string;
  readonly secret?: string;
  readonly digestWindowMs?: number;
  readonly logLevel: LogLevel;
  /** Variables that are set but wrong, so that nobody also complains that they are missing. */
  readonly wrong: ReadonlySet<string>;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly string[];
};

/** Reads and checks every variable of the outer contract. Blanks around a value are dropped, since env files often keep them. */
export function readEnvironment(env: EnvironmentVariables): Environment {
  const problems: ConfigProblem[] = [];
  const wrong = new Set<string>();

  /** One variable through its rule; wrong values become problems that show the value through `show`. */
  const read = <Value>(
    name: string,
    problemOf: (text: string) => string | undefined,
    show: (text: string) => string,
    convert: (text: string) => Value,
  ): Value | undefined => {
    const value = env[name]?.replace(/^[ \t]+|[ \t]+$/g, '') ?? '';
    if (value.trim() === '') return undefined;
    const problem = problemOf(value);
    if (problem === undefined) return convert(value);
    wrong.add(name);
    problems.push({ path: name, message: `${problem}; got ${show(value)}` });
    return undefined;
  };
  const same = (value: string): string => value;
  const masked = (): string => MASK;
  const readUrl = (name: string, protocols: readonly string[]): string | undefined =>
    read(name, (value) => urlProblem(value, protocols), maskUrl, same);

  const databaseUrl = readUrl('DATABASE_URL', POSTGRES_PROTOCOLS);
  const jobsDatabaseUrl = readUrl('JOBS_DATABASE_URL', POSTGRES_PROTOCOLS);
  const janitorDatabaseUrl = readUrl('JANITOR_DATABASE_URL', POSTGRES_PROTOCOLS);
  const emailTo = read(
    'ALERT_EMAIL_TO',
    (value) => recipientsProblem(splitAddresses(value)),
    JSON.stringify,
    splitAddresses,
  );
  const emailFrom = read('ALERT_EMAIL_FROM', emailAddressProblem, JSON.stringify, same);
  const sendgridApiKey = read('SENDGRID_API_KEY', apiKeyProblem, masked, same);
  const sendgridBaseUrl = readUrl('SENDGRID_BASE_URL', HTTP_PROTOCOLS);
  const smtpUrl = readUrl('SMTP_URL', SMTP_PROTOCOLS);
  const slackWebhookUrl = readUrl('SLACK_WEBHOOK_URL', HTTP_PROTOCOLS);
  const adminUrl = read('ADMIN_URL', adminUrlProblem, JSON.stringify, same);
  const publicUrl = read('PUBLIC_URL', publicUrlProblem, maskUrl, (value) => value.replace(/\/+$/, ''));
  const secret = read('TOCSIN_SECRET', () => undefined, masked, same);
  const digestWindowMs = read(
    'TOCSIN_DIGEST_WINDOW',
    (value) => durationProblem(value, DURATION_BOUNDS.digestWindow),
    JSON.stringify,
    parseDuration,
  );
  const logLevel =
    read('LOG_LEVEL', logLevelProblem, JSON.stringify, (value) => value.toLowerCase() as LogLevel) ?? 'info';

  const warnings = mistypedVariables(env);
  if (secret !== undefined && secret.length < SECRET_CHARACTERS_MIN) {
    warnings.push(
      `TOCSIN_SECRET has fewer than ${SECRET_CHARACTERS_MIN} characters and could be guessed; use a long random one.`,
    );
  }
  if (slackWebhookUrl !== undefined) {
    warnings.push('SLACK_WEBHOOK_URL is set, but Slack is not a channel yet; nothing is sent there.');
  }
  return {
    ...(databaseUrl !== undefined && { databaseUrl }),
    ...(jobsDatabaseUrl !== undefined && { jobsDatabaseUrl }),
    ...(janitorDatabaseUrl !== undefined && { janitorDatabaseUrl }),
    ...(emailTo !== undefined && { emailTo }),
    ...(emailFrom !== undefined && { emailFrom }),
    ...(sendgridApiKey !== undefined && { sendgridApiKey }),
    ...(sendgridBaseUrl !== undefined && { sendgridBaseUrl }),
    ...(smtpUrl !== undefined && { smtpUrl }),
    ...(slackWebhookUrl !== undefined && { slackWebhookUrl }),
    ...(adminUrl !== undefined && { adminUrl }),
    ...(publicUrl !== undefined && { publicUrl }),
    ...(secret !== undefined && { secret }),
    ...(digestWindowMs !== undefined && { digestWindowMs }),
    logLevel,
    wrong,
    problems,
    warnings,
  };
}

function logLevelProblem(value: string): string | undefined {
  const level = value.toLowerCase();
  if (LOG_LEVELS.some((known) => known === level)) return undefined;
  return `must be one of ${LOG_LEVELS.join(', ')}${suggestName(level, LOG_LEVELS).replace(/^; valid:.*/, '')}`;
}

function publicUrlProblem(value: string): string | undefined {
  const problem = urlProblem(value, HTTP_PROTOCOLS);
  if (problem !== undefined) return problem;
  return /[?#]/.test(value) ? 'must not have a query or fragment, since paths are added to it' : undefined;
}

function mistypedVariables(env: EnvironmentVariables): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('TOCSIN_') && !OWN_VARIABLES.includes(name))
    .flatMap((name) => {
      const near = OWN_VARIABLES.find((known) => nearestName(name.slice(7), [known.slice(7)]) !== undefined);
      return near === undefined ? [] : [`The environment variable ${name} means nothing; did you mean ${near}?`];
    });
}

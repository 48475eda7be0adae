import pino from 'pino';
import type { LogLevel } from './config/config.ts';

/** Something to write finished log lines to; each ends with a line feed. */
export type LogDestination = { readonly write: (line: string) => void };

/** Writes one entry: facts first, then a sentence for people. */
export type LogMethod = {
  (fields: Readonly<Record<string, unknown>>, message: string): void;
  (message: string): void;
};

/** What the product knows of a logger, so that any part can be given another one. An error goes under the key `err`. */
export type Logger = {
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  readonly fatal: LogMethod;
  /** The same logger with these facts on every entry. */
  readonly child: (fields: Readonly<Record<string, unknown>>) => Logger;
};

export type LoggerOptions = {
  readonly level: LogLevel;
  /** The process or part that speaks, such as `detector`. */
  readonly name: string;
  /** Default: standard output, written synchronously, so that the last words of a dying process are not lost. */
  readonly destination?: LogDestination;
  /** Literal secrets (`configSecrets`); wherever one occurs in a text of an entry, `[secret]` is written. */
  readonly secretValues?: readonly string[];
};

/** Shorter secrets are not looked for: they would occur by chance in every other word. */
export const SECRET_VALUE_CHARACTERS_MIN = 4;

/** How many causes of an error, and how many errors of an aggregate, are written. */
const CAUSES_MAX = 5;

const REPLACEMENT = '[secret]';

const SECRET_KEYS =
  'password pass secret token apiKey api_key authorization Authorization cookie headers databaseUrl connectionString smtpUrl slackWebhookUrl signingSecret routingKey dsn deadmanUrl'.split(
    ' ',
  );

/**
 * A logger of JSON lines: `level` as a word, `time` in ISO-8601 UTC, `name`, `pid`, the facts, `msg`. Keys that hold secrets are
 * redacted down to the second level, and literal secrets everywhere. Errors (`err`, `error`) are written by a list of
 * known fields, so that neither the headers nor the request of a failed HTTP call, nor the row values of a failed
 * statement, get into a log.
 */
export function createLogger({ level, name, destination, secretValues = [] }: LoggerOptions): Logger {
  const secrets = secretValues
    .filter((secret) => secret.length >= SECRET_VALUE_CHARACTERS_MIN)
    .toSorted((a, b) => b.length - a.length);
  return pino(
    {
      name,
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeError, error: serializeError },
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: REPLACEMENT },
      ...(secrets.length > 0 && { hooks: { streamWrite: (line: string) => withoutSecrets(line, secrets) } }),
    },
    destination ?? pino.destination({ dest: 1, sync: true }),
  );
}

/** The fields of an error that may be logged. A thrown text or number stays as it is; of any other thing only its type is told. */
export function serializeError(error: unknown): unknown {
  return serializeCause(error, 0);
}

function serializeCause(error: unknown, depth: number): unknown {
  if (typeof error === 'string' || typeof error === 'number') return error;
  if (!(error instanceof Error)) return `no Error but of type ${typeof error}`;
  const { code, statusCode, status, constraint } = error as Partial<
    Record<'code' | 'statusCode' | 'status' | 'constraint', unknown>
  >;
  const goesOn = depth < CAUSES_MAX;
  return {
    type: error.name,
    message: error.message,
    ...simple('code', code),
    ...simple('statusCode', statusCode ?? status),
    ...simple('constraint', constraint),
    stack: error.stack,
    ...(goesOn && error.cause !== undefined && { cause: serializeCause(error.cause, depth + 1) }),
    ...(goesOn &&
      error instanceof AggregateError && {
        errors: error.errors.slice(0, CAUSES_MAX).map((inner) => serializeCause(inner, depth + 1)),
      }),
  };
}

function simple(key: string, value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'string' || typeof value === 'number' ? { [key]: value } : {};
}

/** Only texts are changed, never numbers or keys, so that the line stays JSON whatever a secret looks like. */
function withoutSecrets(line: string, secrets: readonly string[]): string {
  if (!secrets.some((secret) => line.includes(JSON.stringify(secret).slice(1, -1)))) return line;
  const cleaned: unknown = JSON.parse(line, (_, value: unknown) =>
    typeof value === 'string' ? secrets.reduce((text, secret) => text.replaceAll(secret, REPLACEMENT), value) : value,
  );
  return `${JSON.stringify(cleaned)}\n`;
}

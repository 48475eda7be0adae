import { TocsinError } from './errors.ts';
import { databaseErrorKind } from './postgres-errors.ts';
import type { DatabaseErrorKind } from './postgres-errors.ts';

/** Where a connection string points to, and the files it names. Holds no password. */
type Target = {
  readonly host: string;
  readonly port: string;
  readonly database: string;
  readonly user: string;
  readonly files: readonly string[];
};

/** The options of an address that name files (node-postgres reads them relative to the working directory). */
const fileOptions = ['sslrootcert', 'sslcert', 'sslkey'] as const;

/**
 * Says what is wrong with a database and how to put it right: which host, port, database and user were tried, never
 * the password. `variable` is the name under which the operator gave the address.
 */
export function describeDatabaseError(error: unknown, url: string, variable = 'DATABASE_URL'): string {
  const target = readTarget(url);
  if (target === undefined) {
    return `${variable} is not a Postgres address. Write it as postgres://USER:PASSWORD@HOST:PORT/DATABASE; special characters in the password must be percent-encoded.`;
  }
  return describeKind(databaseErrorKind(error), target, variable, messageOf(error));
}

/**
 * The same as an error to throw: code `DATABASE_` and the kind (`DATABASE_INVALID_PASSWORD`, `DATABASE_CONNECTION_REFUSED` …;
 * `DATABASE_FAILED` for the unknown, `DATABASE_URL_INVALID`), the original as `cause`.
 */
export function toDatabaseError(error: unknown, url: string, variable = 'DATABASE_URL'): TocsinError {
  const description = describeDatabaseError(error, url, variable);
  // Node's ERR_INVALID_URL carries the whole address, password included, so it is not kept as the cause.
  if (readTarget(url) === undefined) return new TocsinError('DATABASE_URL_INVALID', description);
  const kind = databaseErrorKind(error) ?? 'failed';
  return new TocsinError(`DATABASE_${kind.toUpperCase()}`, description, { cause: error });
}

function describeKind(kind: DatabaseErrorKind | undefined, target: Target, variable: string, message: string): string {
  const at = `${target.host}:${target.port}`;
  const where = `${at} (database "${target.database}", user "${target.user}")`;
  switch (kind) {
    case 'connection_refused':
      return `No PostgreSQL answers at ${where}: ${message}. Start the server, or correct host and port in ${variable}.`;
    case 'host_unknown':
      return `The host "${target.host}" is unknown (${message}). Correct the host in ${variable}, or check the name service.`;
    case 'connection_timeout':
      return `PostgreSQL at ${where} did not answer in time (${message}). Check firewall and load, or correct host and port in ${variable}.`;
    case 'connection_lost':
      return `The connection to PostgreSQL at ${where} was lost (${message}). It was restarted, or something between closed it; see the server's log.`;
    case 'cannot_connect_now':
      return `PostgreSQL at ${where} is starting or shutting down (${message}). Try again in a moment.`;
    case 'too_many_connections':
      return `PostgreSQL at ${where} has no connection left (${message}). Raise max_connections, or close connections of others.`;
    case 'invalid_password':
      return `PostgreSQL at ${at} refuses the user "${target.user}" for database "${target.database}" (${message}). Correct user and password in ${variable}, or the server's pg_hba.conf.`;
    case 'undefined_database':
      return `There is no database "${target.database}" at ${at}. Create it (createdb ${target.database}), or correct the name in ${variable}.`;
    case 'insufficient_privilege':
      return `The user "${target.user}" may not do this in database "${target.database}" at ${at} (${message}). Grant the privilege, or use another user in ${variable}.`;
    case 'read_only':
      return `PostgreSQL at ${where} only allows reading (${message}). Use the address of the primary server in ${variable}.`;
    case 'certificate_invalid':
      return `The TLS certificate of PostgreSQL at ${at} is not trusted (${message}). Give its authority with sslrootcert=FILE in ${variable}, or correct the host name.`;
    case 'tls_file_unreadable':
      return `A file that ${variable} names for TLS cannot be read: ${target.files.join(', ') || 'it names none'} (${message}). Put the file there and let this user read it, or correct the path; a relative one begins at ${process.cwd()}.`;
    case 'tls_refused':
      return `PostgreSQL at ${at} speaks no TLS (${message}). Switch TLS on in the server, or use sslmode=disable in ${variable} on a trusted network.`;
    case 'undefined_table':
    case 'undefined_column':
    case 'undefined_schema':
      return `PostgreSQL at ${where} lacks something (${message}). If it belongs to schema tocsin, run: npx tocsin migrate`;
    case 'lock_timeout':
      return `A lock in database "${target.database}" at ${at} was not free in time (${message}). Look in pg_stat_activity for a transaction that stays open.`;
    case 'statement_timeout':
      return `A statement took too long in database "${target.database}" at ${at} (${message}). Look for missing indexes, locks and load.`;
    case 'unique_violation':
    case 'foreign_key_violation':
    case 'check_violation':
    case 'not_null_violation':
    case 'restrict_violation':
    case 'serialization_failure':
    case 'deadlock':
    case undefined:
      return `PostgreSQL at ${where} answered: ${message}.`;
    default:
      return kind satisfies never;
  }
}

/** Reads what node-postgres would connect to; `undefined` if it is no Postgres URL. */
function readTarget(url: string): Target | undefined {
  const parsed = URL.parse(url);
  if (parsed === null || !['postgres:', 'postgresql:'].includes(parsed.protocol)) return undefined;
  try {
    decodeURIComponent(parsed.password);
    const user =
      decodeURIComponent(parsed.username) ||
      parsed.searchParams.get('user') ||
      process.env['PGUSER'] ||
      process.env['USER'] ||
      '';
    return {
      host: parsed.hostname || parsed.searchParams.get('host') || process.env['PGHOST'] || 'localhost',
      port: parsed.port || parsed.searchParams.get('port') || process.env['PGPORT'] || '5432',
      database: decodeURIComponent(parsed.pathname.slice(1)) || process.env['PGDATABASE'] || user,
      user,
      files: fileOptions.flatMap((option) => {
        const file = parsed.searchParams.get(option);
        return file === null ? [] : [`${option}=${file}`];
      }),
    };
  } catch {
    return undefined;
  }
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return messageOf((error.errors as unknown[])[0]);
  return error instanceof Error ? error.message : String(error);
}

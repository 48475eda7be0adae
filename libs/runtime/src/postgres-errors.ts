/**
 * The one place that recognises errors of Postgres and of the way to it: by SQLSTATE
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html), by Node's error code, and by constraint name.
 */

/** What went wrong, in the words of this product; the keys of what `describeDatabaseError` can explain. */
export type DatabaseErrorKind =
  | 'unique_violation'
  | 'foreign_key_violation'
  | 'check_violation'
  | 'not_null_violation'
  | 'restrict_violation'
  | 'undefined_table'
  | 'undefined_column'
  | 'undefined_schema'
  | 'undefined_database'
  | 'invalid_password'
  | 'insufficient_privilege'
  | 'read_only'
  | 'serialization_failure'
  | 'deadlock'
  | 'lock_timeout'
  | 'statement_timeout'
  | 'too_many_connections'
  | 'cannot_connect_now'
  | 'connection_refused'
  | 'connection_lost'
  | 'connection_timeout'
  | 'host_unknown'
  | 'certificate_invalid'
  | 'tls_file_unreadable'
  | 'tls_refused';

const kindBySqlState: Readonly<Record<string, DatabaseErrorKind>> = {
  '08000': 'connection_lost',
  '08003': 'connection_lost',
  '08006': 'connection_lost',
  '08001': 'connection_refused',
  '08004': 'connection_refused',
  '23001': 'restrict_violation',
  '23502': 'not_null_violation',
  '23503': 'foreign_key_violation',
  '23505': 'unique_violation',
  '23514': 'check_violation',
  '25006': 'read_only',
  // idle_in_transaction_session_timeout, transaction_timeout: the server has closed the connection.
  '25P03': 'connection_lost',
  '25P04': 'connection_lost',
  '28000': 'invalid_password',
  '28P01': 'invalid_password',
  '3D000': 'undefined_database',
  '3F000': 'undefined_schema',
  '40001': 'serialization_failure',
  '40P01': 'deadlock',
  '42501': 'insufficient_privilege',
  '42703': 'undefined_column',
  '42P01': 'undefined_table',
  '53300': 'too_many_connections',
  '55P03': 'lock_timeout',
  '57014': 'statement_timeout',
  '57P01': 'connection_lost',
  '57P02': 'connection_lost',
  '57P03': 'cannot_connect_now',
  '57P05': 'connection_lost',
};

const kindByNodeCode: Readonly<Record<string, DatabaseErrorKind>> = {
  ECONNREFUSED: 'connection_refused',
  ENOENT: 'connection_refused',
  ECONNRESET: 'connection_lost',
  EPIPE: 'connection_lost',
  ETIMEDOUT: 'connection_timeout',
  EHOSTUNREACH: 'connection_refused',
  ENETUNREACH: 'connection_refused',
  ENOTFOUND: 'host_unknown',
  EAI_AGAIN: 'host_unknown',
  CERT_HAS_EXPIRED: 'certificate_invalid',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate_invalid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate_invalid',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate_invalid',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate_invalid',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate_invalid',
};

/**
 * Codes of the system calls that read a file. node-postgres reads `sslrootcert`, `sslcert` and `sslkey` before it connects;
 * only the call tells a file that is not there from a Unix socket that is not there, which is `ENOENT`, too.
 */
const fileCalls: ReadonlySet<string | undefined> = new Set(['open', 'read']);
const fileCodes: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM']);

/** node-postgres and pg-pool give these errors no code, so here, and only here, the text has to do (pg 8.23, pg-pool 3). */
const kindByDriverMessage: Readonly<Record<string, DatabaseErrorKind>> = {
  'Connection terminated': 'connection_lost',
  'Connection terminated unexpectedly': 'connection_lost',
  'Client has encountered a connection error and is not queryable': 'connection_lost',
  'Client was closed and is not queryable': 'connection_lost',
  'Connection terminated due to connection timeout': 'connection_timeout',
  'timeout expired': 'connection_timeout',
  'timeout exceeded when trying to connect': 'connection_timeout',
  'Query read timeout': 'connection_timeout',
  'The server does not support SSL connections': 'tls_refused',
  'There was an error establishing an SSL connection': 'tls_refused',
};

const passesByItself: ReadonlySet<DatabaseErrorKind> = new Set<DatabaseErrorKind>([
  'serialization_failure',
  'deadlock',
  'lock_timeout',
  'too_many_connections',
  'cannot_connect_now',
  'connection_refused',
  'connection_lost',
  'connection_timeout',
  'host_unknown',
]);

const connectionKinds: ReadonlySet<DatabaseErrorKind> = new Set<DatabaseErrorKind>([
  'too_many_connections',
  'cannot_connect_now',
  'connection_refused',
  'connection_lost',
  'connection_timeout',
  'host_unknown',
  'certificate_invalid',
  'tls_file_unreadable',
  'tls_refused',
]);

const causesMax = 8;

/**
 * The kind of a database error, looked for in the error itself, then in its causes (and, where several addresses of a
 * host were tried, in the first of their errors). `undefined` for everything unknown, also for errors of other origin.
 */
export function databaseErrorKind(error: unknown): DatabaseErrorKind | undefined {
  for (const candidate of withCauses(error)) {
    const code = textField(candidate, 'code');
    if (fileCodes.has(code) && fileCalls.has(textField(candidate, 'syscall'))) return 'tls_file_unreadable';
    const kind =
      (code === undefined ? undefined : (kindBySqlState[code] ?? kindByNodeCode[code])) ??
      kindByDriverMessage[candidate.message];
    if (kind !== undefined) return kind;
  }
  return undefined;
}

/** Whether a unique constraint or unique index was hit; of this name, if one is given. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return withCauses(error).some(
    (candidate) =>
      textField(candidate, 'code') === '23505' &&
      (constraint === undefined || textField(candidate, 'constraint') === constraint),
  );
}

/** Whether the same call may succeed a moment later: conflicts between transactions and trouble with the connection. */
export function isTransientDatabaseError(error: unknown): boolean {
  const kind = databaseErrorKind(error);
  return kind !== undefined && passesByItself.has(kind);
}

/** Whether the server could not be reached or talked to, as opposed to a statement it refused. */
export function isConnectionError(error: unknown): boolean {
  const kind = databaseErrorKind(error);
  return kind !== undefined && connectionKinds.has(kind);
}

function withCauses(error: unknown): readonly Error[] {
  const found: Error[] = [];
  let candidate: unknown = error;
  while (candidate instanceof Error && found.length < causesMax) {
    found.push(candidate);
    candidate =
      candidate.cause ?? (candidate instanceof AggregateError ? (candidate.errors as unknown[])[0] : undefined);
  }
  return found;
}

function textField(error: Error, name: 'code' | 'constraint' | 'syscall'): string | undefined {
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : undefined;
}

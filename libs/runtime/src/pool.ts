import pg from 'pg';
import { postgresTypes } from './postgres-values.ts';

/** What a statement came to. `rowCount` counts the rows returned or changed. */
export type QueryOutcome<Row> = { readonly rows: Row[]; readonly rowCount: number };

/**
 * Anything a statement can be sent to: a pool, one of its clients, a transaction. `values` fill `$1`, `$2` … The row
 * type is a claim, not a check: parse rows that come from outside.
 */
export type Queryable = {
  query<Row extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<QueryOutcome<Row>>;
};

declare const transactionBrand: unique symbol;

/** A Queryable inside an open transaction. Made by `inTransaction` only, so a function that asks for one gets one. */
export type Transaction = Queryable & { readonly [transactionBrand]: true };

/** One connection taken out of a pool. `release(true)` closes it instead of giving it back. */
export type PooledClient = {
  query(
    text: string,
    values?: readonly unknown[],
  ): Promise<QueryOutcome<Record<string, unknown>> & { readonly command: string }>;
  release(destroy?: boolean): void;
};

/** Connections to one database. `end` waits for statements under way and may be called twice. */
export type Pool = Queryable & {
  connect(): Promise<PooledClient>;
  end(): Promise<void>;
  /** Connections open, of these idle, and callers that wait for one; for metrics. */
  usage(): { readonly open: number; readonly idle: number; readonly waiting: number };
};

export type PoolOptions = {
  readonly connectionString: string;
  /** Connections at most. */
  readonly max: number;
  /** Shown in pg_stat_activity, so that an operator knows whose connection it is. */
  readonly applicationName: string;
  /** Told of connections that broke while idle. The pool has already replaced them: log it, do nothing else. */
  readonly onError: (error: Error) => void;
  /** Milliseconds a statement may run; the server ends it. Default 30,000. */
  readonly statementTimeoutMs?: number;
  /** Milliseconds a statement may wait for a lock. Default 10,000. */
  readonly lockTimeoutMs?: number;
};

const statementTimeoutDefaultMs = 30_000;
const lockTimeoutDefaultMs = 10_000;
const idleInTransactionTimeoutMs = 15_000;
/** Bounds both the opening of a connection and the wait for a free one. */
const connectTimeoutMs = 10_000;
/**
 * Beyond the time in which the server ends a statement, in milliseconds. What is not answered by then will not be: the
 * connection is half open (a cable pulled, a firewall that forgot it), which TCP alone would take a quarter of an hour to see.
 */
const answerMarginMs = 5_000;
const keepAliveInitialDelayMs = 10_000;
const idleConnectionMaxMs = 60_000;

/**
 * Opens a pool; connections are made when first needed, so a wrong address shows at the first statement. Every timeout
 * is kept by the server too, so that a client which hangs or dies holds no lock for ever. A lost connection fails the
 * statement it was busy with and is replaced; it never ends the process.
 */
export function createPool(options: PoolOptions): Pool {
  const statementTimeoutMs = options.statementTimeoutMs ?? statementTimeoutDefaultMs;
  const pool = new pg.Pool({
    connectionString: options.connectionString,
    max: options.max,
    application_name: options.applicationName,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: idleConnectionMaxMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveInitialDelayMs,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + answerMarginMs,
    lock_timeout: options.lockTimeoutMs ?? lockTimeoutDefaultMs,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    types: postgresTypes,
  });
  pool.on('error', (error) => options.onError(error));
  // A client that is checked out has no listener of the pool's; without one Node ends the process when its connection
  // breaks between two statements. The next statement on it fails, and that is how its holder learns of it.
  pool.on('connect', (client) => client.on('error', () => {}));

  let ended: Promise<void> | undefined;
  return {
    query: async <Row extends object>(text: string, values?: readonly unknown[]) => {
      const result = await pool.query<Row>(text, values as unknown[] | undefined);
      return { rows: result.rows, rowCount: result.rowCount ?? 0 };
    },
    connect: async () => {
      const client = await pool.connect();
      return {
        query: async (text, values) => {
          const result = await client.query<Record<string, unknown>>(text, values as unknown[] | undefined);
          return { rows: result.rows, rowCount: result.rowCount ?? 0, command: result.command };
        },
        release: (destroy = false) => client.release(destroy),
      };
    },
    end: () => (ended ??= pool.end()),
    usage: () => ({ open: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
  };
}

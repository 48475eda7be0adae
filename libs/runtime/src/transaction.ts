import { setTimeout as delay } from 'node:timers/promises';
import { crashPoint } from './crash-point.ts';
import { InvariantError } from './errors.ts';
import type { Pool, PooledClient, Transaction } from './pool.ts';
import { isConnectionError, isTransientDatabaseError } from './postgres-errors.ts';

/** Isolation levels of https://www.postgresql.org/docs/current/transaction-iso.html; read committed is the server's default. */
export type Isolation = 'read committed' | 'repeatable read' | 'serializable';

const beginStatement: Readonly<Record<Isolation, string>> = {
  'read committed': 'begin isolation level read committed',
  'repeatable read': 'begin isolation level repeatable read',
  serializable: 'begin isolation level serializable',
};

/**
 * Runs `work` in one transaction: commits when it returns, rolls back and rethrows when it throws. `name` names the
 * crash points `NAME.before_commit` and `NAME.after_commit`. No network call but to this database belongs inside.
 *
 * When the connection breaks during the commit, the error does not tell whether the commit happened; whoever retries
 * must be able to run twice. Throws InvariantError if `work` hid a failed statement (the server then turns the commit
 * into a rollback without an error) or if the transaction is used after its end.
 */
export async function inTransaction<Result>(
  pool: Pool,
  name: string,
  work: (transaction: Transaction) => Promise<Result>,
  options: { readonly isolation?: Isolation; readonly readOnly?: boolean } = {},
): Promise<Result> {
  const client = await pool.connect();
  let open = true;
  const transaction = {
    query: (text: string, values?: readonly unknown[]) => {
      if (!open)
        throw new InvariantError(`Transaction ${name} was used after its end; await every statement inside it.`);
      return client.query(text, values);
    },
  } as unknown as Transaction;

  try {
    const begin = beginStatement[options.isolation ?? 'read committed'];
    await client.query(options.readOnly === true ? `${begin} read only` : begin);
    const result = await work(transaction);
    open = false;
    crashPoint(`${name}.before_commit`);
    const { command } = await client.query('commit');
    if (command !== 'COMMIT') {
      throw new InvariantError(
        `Transaction ${name} was rolled back at commit: a statement in it failed and its error was not passed on.`,
      );
    }
    crashPoint(`${name}.after_commit`);
    client.release();
    return result;
  } catch (error) {
    open = false;
    // Of a connection that does not answer nothing more is asked: the server rolls back by itself when it is gone.
    if (isConnectionError(error)) client.release(true);
    else await abandon(client);
    throw error;
  }
}

/** Rolls back and gives the client back; a client that cannot even do that is closed. */
async function abandon(client: PooledClient): Promise<void> {
  try {
    await client.query('rollback');
    client.release();
  } catch {
    // The error that brought us here is the one to report; this one only says that the connection is of no more use.
    client.release(true);
  }
}

const retryDelayFirstMs = 20;
const retryDelayMaxMs = 2_000;

/** How often `withRetries` tries, the first time included, if not told otherwise. */
export const transactionAttemptsMax = 5;

/**
 * Runs `work`, and again while it fails with what passes by itself: a serialization failure, a deadlock, a lock or
 * pool wait that timed out, a lost or refused connection. Waits 20 ms, 40 ms, 80 ms … (at most 2 s, half of it by
 * chance) between tries. Every other error, and the last one, is thrown as it is. `work` may have been committed
 * although it threw (see `inTransaction`), so it must be safe to run twice.
 */
export async function withRetries<Result>(
  work: (attempt: number) => Promise<Result>,
  options: {
    /** Tries at most, the first included. Default {@link transactionAttemptsMax}. */
    readonly attemptsMax?: number;
    readonly isRetryable?: (error: unknown) => boolean;
    /** Told of each failure that will be tried again; `attempt` counts from 1. */
    readonly onRetry?: (error: unknown, attempt: number) => void;
    /** Ends the waiting; the last error is thrown then. */
    readonly signal?: AbortSignal;
  } = {},
): Promise<Result> {
  const attemptsMax = options.attemptsMax ?? transactionAttemptsMax;
  const isRetryable = options.isRetryable ?? isTransientDatabaseError;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      if (attempt >= attemptsMax || !isRetryable(error) || options.signal?.aborted) throw error;
      options.onRetry?.(error, attempt);
      const boundMs = Math.min(retryDelayMaxMs, retryDelayFirstMs * 2 ** (attempt - 1));
      try {
        await delay(
          boundMs / 2 + (Math.random() * boundMs) / 2,
          undefined,
          options.signal ? { signal: options.signal } : {},
        );
      } catch {
        throw error;
      }
    }
  }
}

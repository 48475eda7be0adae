import type { Queryable } from '@tocsin/runtime';

/** The advisory lock that writers of the log take: "tocsin" in ASCII, so that it is recognised in pg_locks. */
export const logLockKey = '128021758699886';

/**
 * Lets one transaction at a time write the log, until it ends. Positions are then handed out in the order of commits,
 * and what was loaded after the lock is still true when it is decided upon. The wait is bounded by the connection's
 * `lock_timeout`; SQLSTATE 55P03 then means "try again", like any lock.
 */
export const lockLog = async (tx: Queryable): Promise<void> => {
  await tx.query('select pg_advisory_xact_lock($1::bigint)', [logLockKey]);
};

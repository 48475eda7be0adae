import type { Pool, PoolClient } from 'pg';

/** Runs `work` in one transaction: committed when it returns, rolled back when it throws. */
export async function inTransaction<T>(db: Pool, work: (tx: PoolClient) => Promise<T>): Promise<T> {
  const tx = await db.connect();
  try {
    await tx.query('begin');
    const value = await work(tx);
    await tx.query('commit');
    tx.release();
    return value;
  } catch (error) {
    // A connection that cannot even roll back is broken and must not go back to the pool.
    const rollback = await tx.query('rollback').catch((broken: unknown) => broken);
    tx.release(rollback instanceof Error);
    throw error;
  }
}

import { inTransaction } from '@tocsin/runtime';
import type { Pool } from '@tocsin/runtime';
import type { FoldAlert } from './fold.ts';
import { postgresSession } from './postgres-session.ts';
import type { PostgresSession } from './postgres-session.ts';

/** Tocsin's own tables, reached through transactions only. */
export interface PostgresStore {
  /**
   * Runs `work` in one transaction (read committed): all of it is committed, or nothing. `name` names the crash points
   * `NAME.before_commit` and `NAME.after_commit`. After VersionConflict or OpenKeyConflict the transaction is lost: let
   * the error out and run the whole of `work` again.
   */
  readonly transaction: <Result>(name: string, work: (session: PostgresSession) => Promise<Result>) => Promise<Result>;
  /**
   * Runs `work` in a transaction that reads one snapshot and refuses to write. What it reads may be outdated a moment
   * later; decide upon what was loaded in the transaction that writes.
   */
  readonly read: <Result>(work: (session: PostgresSession) => Promise<Result>) => Promise<Result>;
}

/** The store on Postgres. `foldAlert` and `modelVersion` are `evolveAlert` and `alertModelVersion` of the running model. */
export const createPostgresStore = (options: {
  readonly pool: Pool;
  readonly foldAlert: FoldAlert;
  readonly modelVersion: number;
}): PostgresStore => {
  const model = { foldAlert: options.foldAlert, version: options.modelVersion };
  return {
    transaction: (name, work) => inTransaction(options.pool, name, (tx) => work(postgresSession(tx, model))),
    read: (work) =>
      inTransaction(options.pool, 'read', (tx) => work(postgresSession(tx, model)), {
        isolation: 'repeatable read',
        readOnly: true,
      }),
  };
};

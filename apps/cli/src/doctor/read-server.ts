import type { Queryable } from '@tocsin/runtime';

/** What the server of Tocsin's own database is. */
export interface Server {
  readonly version: string;
  /** As `server_version_num`: 180004 is 18.4. */
  readonly versionNumber: number;
  readonly inRecovery: boolean;
  readonly database: string;
  readonly user: string;
}

const text = `
select
  current_setting('server_version') as version,
  current_setting('server_version_num')::integer as "versionNumber",
  pg_is_in_recovery() as "inRecovery",
  current_database() as database,
  current_user as user`;

export const readServer = async (queryable: Queryable): Promise<Server | undefined> =>
  (await queryable.query<Server>(text)).rows[0];

import type { JobField, JobSource } from '@tocsin/job-sources';
import { createPool, describeDatabaseError, maskUrl } from '@tocsin/runtime';
import type { Config, Queryable, RuleConfig } from '@tocsin/runtime';
import { listed } from '../printing/lines.ts';
import { fail, ok } from './finding.ts';
import type { Finding } from './finding.ts';
import type { WatchedTable } from './watched-tables.ts';

type Action = NonNullable<RuleConfig['onStuck']>['action'];

/** Fields that each action sets where the table has them as plain columns. */
const changes: Readonly<Record<Exclude<Action, 'alert'>, readonly JobField[]>> = {
  mark_dead: ['status', 'error', 'finishedAt', 'changedAt'],
  requeue: ['status', 'dueAt', 'startedAt', 'heartbeatAt', 'finishedAt', 'changedAt'],
};

/** Where there is a janitor: does its connection lead to the watched table, and may it do what the rules say? */
export const checkJanitor = async (config: Config, tables: readonly WatchedTable[]): Promise<readonly Finding[]> => {
  const actions = new Set(config.rules.map(({ onStuck }) => onStuck?.action ?? 'alert'));
  const fields = [...new Set([...actions].flatMap((action) => (action === 'alert' ? [] : changes[action])))];
  const findings: Finding[] = [];
  for (const { job, pool, inspection } of tables)
    if (job.janitorDatabaseUrl !== undefined && inspection?.source != null)
      findings.push(await checkTable(job.janitorDatabaseUrl, pool, inspection.source, fields));
  return findings;
};

const checkTable = async (
  url: string,
  jobsPool: Queryable,
  source: JobSource,
  fields: readonly JobField[],
): Promise<Finding> => {
  const where = `of ${source.name}`;
  if (source.isRelation || (source.resolved.status?.column ?? null) === null)
    return fail(
      'janitor',
      `stuck jobs ${where} cannot be repaired: in tables of ${source.mapping.title} a job's state is not one column of its row`,
      `say on_stuck: alert for them, and let ${source.mapping.title} rescue its own jobs`,
    );
  const columns = fields.flatMap((field) => source.resolved[field]?.column ?? []);
  const pool = createPool({ connectionString: url, max: 1, applicationName: 'tocsin-doctor', onError: () => {} });
  try {
    const [own, theirs] = [await look(pool, source, columns), await look(jobsPool, source, [])];
    if (own === undefined || own.table === null || own.identity !== theirs?.identity)
      return fail(
        'janitor',
        `the janitor's connection ${where} (${maskUrl(url)}) leads to another database than the watched table's`,
        'correct JANITOR_DATABASE_URL or jobs[].janitor_database_url',
      );
    const lacks = [
      ...(own.canRead === true ? [] : [`select on ${source.table}`]),
      ...(own.missing.length === 0 ? [] : [`update (${own.missing.join(', ')}) on ${source.table}`]),
    ];
    return lacks.length === 0
      ? ok('janitor', `${own.user} may repair stuck jobs ${where}`)
      : fail(
          'janitor',
          `the janitor's user ${own.user} lacks ${listed(lacks)}`,
          'grant it; see docs/roles/janitor.sql',
        );
  } catch (error) {
    return fail(
      'janitor',
      `${source.name}: ${describeDatabaseError(error, url, 'JANITOR_DATABASE_URL')}`,
      'until then its stuck jobs are only told',
    );
  } finally {
    await pool.end();
  }
};

interface Look {
  readonly user: string;
  readonly table: string | null;
  /** The same for two connections if they see the same table of the same server. */
  readonly identity: string;
  readonly canRead: boolean | null;
  /** Columns that may not be updated, quoted. */
  readonly missing: readonly string[];
}

const text = `
select
  current_user as user,
  to_regclass($1)::text as table,
  concat_ws('/', extract(epoch from pg_postmaster_start_time()), current_database(), to_regclass($1)::oid) as identity,
  has_table_privilege(to_regclass($1), 'select') as "canRead",
  array(
    select quote_ident(needed.name)
    from unnest($2::text[]) as needed (name)
    where not has_column_privilege(to_regclass($1), needed.name, 'update')
  ) as missing`;

const look = async (queryable: Queryable, source: JobSource, columns: readonly string[]): Promise<Look | undefined> =>
  (await queryable.query<Look>(text, [source.table, columns])).rows[0];

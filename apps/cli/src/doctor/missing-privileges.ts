import type { Queryable } from '@tocsin/runtime';

/** What the processes do with each table; what is past its retention is locked (which takes `update`) and deleted. */
const needs: readonly (readonly [table: string, privileges: readonly string[]])[] = [
  ['tocsin.events', ['select', 'insert']],
  ['tocsin.alerts', ['select', 'insert', 'update']],
  ['tocsin.digests', ['select', 'insert', 'update']],
  ['tocsin.outcomes', ['select', 'insert', 'update', 'delete']],
  ['tocsin.held_failures', ['select', 'insert', 'delete']],
  ['tocsin.repairs', ['select', 'update', 'delete']],
  ['tocsin.table_activity', ['select', 'delete']],
  ['tocsin.recent_successes', ['select', 'insert', 'update', 'delete']],
  ['tocsin.deliveries', ['select', 'insert', 'update', 'delete']],
  ['tocsin.delivery_attempts', ['select', 'insert', 'update', 'delete']],
  ['tocsin.cursors', ['select', 'insert', 'update']],
  ['tocsin.heartbeats', ['select', 'insert', 'update']],
  ['tocsin.quarantine', ['select', 'insert']],
  ['pgboss.job', ['select', 'insert', 'update', 'delete']],
  ['pgboss.queue', ['select']],
];

const text = `
select format('%s on %s', need.privilege, need.relation) as missing
from unnest($1::text[], $2::text[]) as need (relation, privilege)
where to_regclass(need.relation) is null
  or not has_schema_privilege(split_part(need.relation, '.', 1), 'usage')
  or not has_table_privilege(need.relation, need.privilege)
order by need.relation, need.privilege`;

/** Privileges that the user of this connection lacks, such as `insert on tocsin.events`. */
export const missingPrivileges = async (queryable: Queryable): Promise<readonly string[]> => {
  const pairs = needs.flatMap(([table, privileges]) => privileges.map((privilege) => [table, privilege] as const));
  const { rows } = await queryable.query<{ readonly missing: string }>(text, [
    pairs.map(([table]) => table),
    pairs.map(([, privilege]) => privilege),
  ]);
  return rows.map(({ missing }) => missing);
};

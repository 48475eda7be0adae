import type { Queryable } from '@tocsin/runtime';

/** What the processes do with each table; what is past its retention is locked (which takes `update`) and deleted. */
const needs: readonly (readonly [table: string, privileges: readonly string[]])[] = [
  ['tocsin.migrations', ['select']],
  ['tocsin.events', ['select', 'insert']],
  ['tocsin.alerts', ['select', 'insert', 'update']],
  ['tocsin.digests', ['select', 'insert', 'update']],
  ['tocsin.outcomes', ['select', 'insert', 'update', 'delete']],
  ['tocsin.held_failures', ['select', 'insert', 'delete']],
  ['tocsin.repairs', ['select', 'update', 'delete']],
  ['tocsin.recent_successes', ['select', 'insert', 'update', 'delete']],
  ['tocsin.deliveries', ['select', 'insert', 'update', 'delete']],
  ['tocsin.delivery_attempts', ['select', 'insert', 'update', 'delete']],
  ['tocsin.provider_events', ['select', 'insert', 'update', 'delete']],
  ['tocsin.silences', ['select', 'insert', 'update', 'delete']],
  ['tocsin.canary_jobs', ['select', 'insert', 'update', 'delete']],
  ['tocsin.channel_states', ['select', 'insert', 'update']],
  ['tocsin.cursors', ['select', 'insert', 'update']],
  ['tocsin.heartbeats', ['select', 'insert', 'update']],
  ['tocsin.quarantine', ['select', 'insert']],
  ['pgboss.version', ['select']],
  ['pgboss.job', ['select', 'insert', 'update', 'delete']],
  ['pgboss.queue', ['select']],
];

/** A privilege that a user lacks on a schema or a table, as `grant` names them. */
export interface MissingPrivilege {
  readonly privilege: string;
  /** `schema tocsin` or `tocsin.events`. */
  readonly object: string;
}

// By the catalogue: to_regclass and names in has_table_privilege are refused in a schema without `usage`.
const text = `
with need as (
  select privilege, split_part(relation, '.', 1) as schema, split_part(relation, '.', 2) as name
  from unnest($1::text[], $2::text[]) as given (relation, privilege)
)
select distinct true as of_schema, 'usage' as privilege, format('schema %I', nspname) as object
from pg_catalog.pg_namespace
where nspname in (select schema from need)
  and not has_schema_privilege(oid, 'usage')
union all
select false, need.privilege, format('%I.%I', need.schema, need.name)
from need
join pg_catalog.pg_namespace on pg_namespace.nspname = need.schema
join pg_catalog.pg_class on pg_class.relnamespace = pg_namespace.oid and pg_class.relname = need.name
where not has_table_privilege(pg_class.oid, need.privilege)
order by of_schema desc, object, privilege`;

/**
 * Privileges that the user of this connection lacks on the schemas and tables that are there; a table that is not there is
 * missing to the check of the schema's version. It needs no privilege itself.
 */
export const missingPrivileges = async (queryable: Queryable): Promise<readonly MissingPrivilege[]> => {
  const pairs = needs.flatMap(([table, privileges]) => privileges.map((privilege) => [table, privilege] as const));
  const { rows } = await queryable.query<MissingPrivilege & { readonly of_schema: boolean }>(text, [
    pairs.map(([table]) => table),
    pairs.map(([, privilege]) => privilege),
  ]);
  return rows.map(({ privilege, object }) => ({ privilege, object }));
};

/** The statements that grant them to the role, whose name is quoted already; one for each set of privileges. */
export const grantsOf = (missing: readonly MissingPrivilege[], quotedRole: string): string => {
  const privilegesOf = Map.groupBy(missing, ({ object }) => object);
  const objectsOf = Map.groupBy(privilegesOf, ([, lacked]) => lacked.map(({ privilege }) => privilege).join(', '));
  return [...objectsOf]
    .map(([privileges, objects]) => {
      const names = objects.map(([object], index) => (index > 0 ? object.replace(/^schema /, '') : object));
      return `grant ${privileges} on ${names.join(', ')} to ${quotedRole};`;
    })
    .join(' ');
};

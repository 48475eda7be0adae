import { isConnectionError } from '@tocsin/runtime';
import type { Queryable } from '@tocsin/runtime';
import type { AdapterMapping } from './adapter-mapping.ts';
import { relationText } from './choose-relation.ts';
import type { CatalogTable } from './read-catalog.ts';

/**
 * A warning when the installed version of the job system is another than the mapping was tested with; none when it
 * cannot be found out. Never an error: a newer version most likely has the same columns, and these were checked.
 */
export const probeVersion = async (
  queryable: Queryable,
  mapping: AdapterMapping,
  watched: Pick<CatalogTable, 'schema' | 'table'>,
): Promise<readonly string[]> => {
  const { version } = mapping;
  if (version === null) return [];
  const named = `${watched.schema}${watched.table}`;
  // Probes write the table's name into a literal; such a name is too odd to be a library's.
  if (named.includes("'")) return [];
  let text: string | null | undefined;
  try {
    const { rows } = await queryable.query<{ readonly version: string | number | null }>(
      relationText(version.sql, watched),
    );
    text = rows[0]?.version === undefined ? undefined : String(rows[0].version ?? '');
  } catch (error) {
    if (isConnectionError(error)) throw error;
  }
  const number = /^\d{1,15}$/.test(text ?? '') ? Number(text) : null;
  if (number === null || (number >= version.from && number <= version.to)) return [];
  return [
    `The ${version.of} is ${number}; adapter ${mapping.adapter} was tested with ${version.from} to ${version.to}. ` +
      `It is watched all the same; compare docs/adapters/${mapping.adapter.replaceAll('_', '-')}.md, and look for a newer Tocsin.`,
  ];
};

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Queryable } from '@tocsin/runtime';
import { quoteIdentifier } from './database-names.ts';

const rolesFolder = join(import.meta.dirname, '..', '..', '..', 'docs', 'roles');

/**
 * Runs a file of docs/roles as `psql -v name=value … -f FILE` would, in one transaction.
 *
 * Throws if the file names a variable that is not given, or if one is given that it does not name.
 */
export async function runRoleFile(
  queryable: Queryable,
  file: string,
  variables: Readonly<Record<string, string>>,
): Promise<void> {
  const text = await readFile(join(rolesFolder, file), 'utf8');
  const used = new Set<string>();
  // As psql does: `:"name"` is an identifier, `:'name'` a literal. Comments are left out, where it replaces nothing.
  const statements = text.replace(/--.*$/gmu, '').replace(/:(["'])(\w+)\1/gu, (_found, quote: string, name: string) => {
    const value = variables[name];
    if (value === undefined) throw new Error(`docs/roles/${file} needs the variable ${name}.`);
    used.add(name);
    return quote === '"' ? quoteIdentifier(value) : `'${value.replaceAll("'", "''")}'`;
  });
  const unused = Object.keys(variables).filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`docs/roles/${file} has no variable ${unused.join(', ')}.`);
  await queryable.query(statements);
}

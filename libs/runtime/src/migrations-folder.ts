import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** `migrations/` at the root of the repository; src and dist of this library lie equally deep. */
export const migrationsFolder: string = fileURLToPath(new URL('../../../migrations', import.meta.url));

/** The pattern of a migration's file name; its number decides the order. Other files there (schema.sql) are not run. */
export const migrationFilePattern = '\\d{4}_[a-z0-9_]+\\.sql';

/** Names (`0001_create_event_log`) of the migrations this version of the product brings, in the order they run. */
export async function knownMigrations(): Promise<readonly string[]> {
  const pattern = new RegExp(`^${migrationFilePattern}$`);
  const files = await readdir(migrationsFolder);
  return files
    .filter((file) => pattern.test(file))
    .map((file) => file.slice(0, -'.sql'.length))
    .toSorted();
}

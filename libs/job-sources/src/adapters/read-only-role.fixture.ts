import { createPool } from '@tocsin/runtime';
import type { Pool } from '@tocsin/runtime';
import type { WatchedAdapter } from '../adapter.fixture.ts';
import { grantsOnPage } from './adapter-page.fixture.ts';

/** Makes the role with the grants of the adapter's page, hands out a pool of it, and removes the role. */
export const asReader = async (
  watched: WatchedAdapter,
  adapter: string,
  use: (reader: Pool) => Promise<void>,
): Promise<void> => {
  // Roles belong to the server, and other test files make theirs at the same time.
  const role = `reader_of_${adapter.replaceAll('-', '_')}`;
  await watched.pool.query(grantsOnPage(adapter).replaceAll('tocsin_reader', role));
  // A reader may switch its own setting off; what keeps it from writing must be the grants.
  await watched.pool.query(`alter role ${role} password 'reader-pw'`);
  await watched.pool.query(`alter role ${role} reset default_transaction_read_only`);
  const url = new URL(watched.connectionString);
  url.username = role;
  url.password = 'reader-pw';
  const reader = createPool({ connectionString: url.href, max: 1, applicationName: 'test', onError: () => {} });
  try {
    await use(reader);
  } finally {
    await reader.end();
    await watched.pool.query(`drop owned by ${role}`);
    await watched.pool.query(`drop role ${role}`);
  }
};

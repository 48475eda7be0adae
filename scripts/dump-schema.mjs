// Writes down what the migrations produce, for migrations/schema.sql. Part of `npm run gen`.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool, migrate, startEmbeddedPostgres } from '../libs/runtime/dist/index.js';
import { dumpSchema } from '../libs/testing/dist/dump-schema.js';

/** The text of migrations/schema.sql, from a database made for this purpose on the embedded server. */
export async function generateSchema() {
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-gen-'));
  const server = await startEmbeddedPostgres({ directory, durable: false });
  try {
    const { connectionString } = server;
    await migrate({ connectionString, log: () => {} });
    const pool = createPool({ connectionString, max: 1, applicationName: 'tocsin gen', onError: () => {} });
    try {
      return await dumpSchema(pool);
    } finally {
      await pool.end();
    }
  } finally {
    await server.remove();
    await rm(directory, { recursive: true, force: true });
  }
}

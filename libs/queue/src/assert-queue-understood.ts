import { createPool, type Queryable } from '@tocsin/runtime';
import pgBossPackage from 'pg-boss/package.json' with { type: 'json' };
import { QueueNotUnderstoodError } from './queue-errors.ts';
import { QUEUE_SCHEMA, QUEUE_SETTINGS } from './queue-settings.ts';

/** The version of pg-boss's tables that the installed pg-boss works with. */
const UNDERSTOOD_VERSION: number = pgBossPackage.pgboss.schema;

const CURE = 'Run: npx tocsin migrate';

/**
 * Throws QueueNotUnderstoodError, which says what to run, unless the queue's tables are of exactly the version that this
 * program knows and every queue is there. Reads only.
 */
export async function assertQueueUnderstood(db: Queryable): Promise<void> {
  const installed = await db.query<{ installed: boolean }>(
    `select to_regclass('${QUEUE_SCHEMA}.version') is not null as installed`,
  );
  if (installed.rows[0]?.installed !== true) {
    throw new QueueNotUnderstoodError(`The job queue (schema ${QUEUE_SCHEMA}) is not in this database. ${CURE}`);
  }
  const stored = await db.query<{ version: string }>(`select version::text from ${QUEUE_SCHEMA}.version`);
  const version = Number(stored.rows[0]?.version ?? 0);
  if (version > UNDERSTOOD_VERSION) {
    throw new QueueNotUnderstoodError(
      `The job queue (schema ${QUEUE_SCHEMA}) has version ${version}, this program knows only ${UNDERSTOOD_VERSION}. ` +
        'A newer Tocsin has migrated this database: upgrade this one too.',
    );
  }
  if (version < UNDERSTOOD_VERSION) {
    throw new QueueNotUnderstoodError(
      `The job queue (schema ${QUEUE_SCHEMA}) has version ${version}, this program needs ${UNDERSTOOD_VERSION}. ${CURE}`,
    );
  }
  const present = await db.query<{ name: string }>(`select name from ${QUEUE_SCHEMA}.queue`);
  const names = new Set(present.rows.map((row) => row.name));
  const missing = QUEUE_SETTINGS.filter((queue) => !names.has(queue.name)).map((queue) => queue.name);
  if (missing.length > 0) {
    throw new QueueNotUnderstoodError(`The job queue lacks ${missing.join(', ')}. ${CURE}`);
  }
}

/** The same over a connection of its own, which is closed again. A database that cannot be reached throws its own error. */
export async function assertUnderstoodAt(connectionString: string, applicationName: string): Promise<void> {
  // The connection is never idle before it is closed, so there is nothing to hear of it but the answer.
  const pool = createPool({ connectionString, applicationName, max: 1, onError: () => {} });
  try {
    await assertQueueUnderstood(pool);
  } finally {
    await pool.end();
  }
}

import { setTimeout as pause } from 'node:timers/promises';
import { TocsinError } from '@tocsin/runtime';
import { PgBoss } from 'pg-boss';
import { assertUnderstoodAt } from './assert-queue-understood.ts';
import { QUEUE_SCHEMA, QUEUE_SETTINGS } from './queue-settings.ts';

const APPLICATION_NAME = 'tocsin-migrate';

/** Index builds that pg-boss does beside a migration; one at a time, one every 10 s. */
const INDEX_BUILDS_SECONDS_MAX = 1_800;
const INDEX_BUILD_POLL_SECONDS = 1;
const INDEX_BUILD_INTERVAL_SECONDS = 10;

export interface MigrateQueueOptions {
  /** Connects as a role that may create the schema `pgboss`, or that owns it. */
  readonly connectionString: string;
}

/**
 * Creates or migrates the queue's tables and brings every queue to its settings. Idempotent, and safe when several run
 * at once: pg-boss holds an advisory lock while it changes anything. Waits up to half an hour for index builds that a
 * migration may leave behind, because the workers do not do them. Jobs are kept.
 *
 * Throws QueueNotUnderstoodError if the tables are newer than this program, and whatever Postgres throws otherwise.
 */
export async function migrateQueue(options: MigrateQueueOptions): Promise<void> {
  const boss = new PgBoss({
    connectionString: options.connectionString,
    schema: QUEUE_SCHEMA,
    application_name: APPLICATION_NAME,
    max: 2,
    migrate: true,
    supervise: false,
    schedule: false,
    bamIntervalSeconds: INDEX_BUILD_INTERVAL_SECONDS,
  });
  const errors: unknown[] = [];
  boss.on('error', (error) => errors.push(error));
  try {
    await boss.start();
    for (const { name, options: settings } of QUEUE_SETTINGS) {
      await boss.createQueue(name, settings);
      await boss.updateQueue(name, settings);
    }
    await assertUnderstoodAt(options.connectionString, APPLICATION_NAME);
    await waitForIndexBuilds(boss, errors);
  } finally {
    await boss.stop({ graceful: false });
  }
}

async function waitForIndexBuilds(boss: PgBoss, errors: readonly unknown[]): Promise<void> {
  for (let waited = 0; waited < INDEX_BUILDS_SECONDS_MAX; waited += INDEX_BUILD_POLL_SECONDS) {
    const statuses = await boss.getBamStatus();
    if (statuses.every((entry) => entry.status === 'completed')) return;
    await pause(INDEX_BUILD_POLL_SECONDS * 1000);
  }
  throw new TocsinError(
    'QUEUE_INDEX_BUILD',
    `The indexes of the job queue were not built within ${INDEX_BUILDS_SECONDS_MAX} s; see table ${QUEUE_SCHEMA}.bam, ` +
      'put right what it reports and run npx tocsin migrate again.',
    { cause: errors.at(-1) },
  );
}

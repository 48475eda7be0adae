/**
 * A pg-boss worker process for tests that kill it: takes a job of a queue, says its id on stdout, and never ends it.
 * Usage: node pg-boss-worker.fixture.ts CONNECTION_STRING QUEUE
 */
import { PgBoss } from 'pg-boss';

const [, , connectionString = '', queue = ''] = process.argv;
const boss = new PgBoss({ connectionString, supervise: false, schedule: false });
boss.on('error', (error) => process.stderr.write(`${error.message}\n`));
await boss.start();
await boss.work(queue, async ([job]) => {
  process.stdout.write(`${job?.id}\n`);
  await new Promise(() => {});
});

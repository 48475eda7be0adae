/**
 * Program: enqueues one chain run, as a weekly cron entry would, and exits. The database is that of the example running
 * in the directory the command was called from (`.tocsin/database-url`); if none runs there, `DATABASE_URL`. In this
 * order, because a DATABASE_URL lying in a shell usually belongs to something that should not get the example's jobs.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Client } from 'pg';
import { enqueueChainRun } from './scheduler/enqueue-chain-run.ts';

const client = new Client({ connectionString: await readDatabaseUrl(), application_name: 'apple-catalog-scheduler' });
try {
  await client.connect();
  const run = await enqueueChainRun(client);
  console.log(`enqueued the chain run of ${run.chainStartedAt}: ${run.jobIds.length} refresh_catalog jobs`);
} catch (error) {
  console.error(`nothing was enqueued: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await client.end();
}

async function readDatabaseUrl(): Promise<string> {
  // npm runs workspace scripts in the folder of the workspace and says in INIT_CWD where it was called from.
  const directory = process.env['TOCSIN_EXAMPLE_DIR'] ?? process.env['INIT_CWD'] ?? process.cwd();
  const file = path.join(directory, '.tocsin', 'database-url');
  const fromFile = await readFile(file, 'utf8').catch(() => '');
  const url = fromFile.trim() === '' ? process.env['DATABASE_URL'] : fromFile.trim();
  if (url !== undefined && url !== '') return url;
  console.error(`No ${file} and no DATABASE_URL: start the example first (npm start), in the same directory.`);
  process.exit(2);
}

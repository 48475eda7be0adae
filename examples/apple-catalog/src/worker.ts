/**
 * Program: the worker. It works through `public.research_jobs` and knows nothing of Tocsin. Environment: `DATABASE_URL`,
 * `SOURCE_URL`, `STUCK_RUNNING_AFTER_SECONDS` (default 5). SIGTERM, SIGINT, or the end of its parent stop it after the job at hand.
 */
import { Pool } from 'pg';
import { onStopSignal } from './stop-signal.ts';
import { workLoop } from './worker/work-loop.ts';

const connectionString = required('DATABASE_URL');
const sourceUrl = required('SOURCE_URL').replace(/\/+$/, '');
const stuckRunningAfterSeconds = Number(process.env['STUCK_RUNNING_AFTER_SECONDS'] ?? 5);
if (!(stuckRunningAfterSeconds >= 2)) {
  console.error('STUCK_RUNNING_AFTER_SECONDS must be a number, at least 2 (a heartbeat is sent every second)');
  process.exit(2);
}

const db = new Pool({ connectionString, max: 3, application_name: 'apple-catalog-worker' });
// Without a listener, an idle connection that the server closes would end the process.
db.on('error', (error) => log(`connection lost: ${error.message}`));

const stop = new AbortController();
onStopSignal((reason) => {
  log(`stopping after ${reason}`);
  stop.abort();
});

log('ready');
await workLoop(
  db,
  {
    sourceUrl,
    pollMs: 500,
    heartbeatMs: 1000,
    backoffMs: 1000,
    stuckRunningAfterMs: stuckRunningAfterSeconds * 1000,
  },
  stop.signal,
  log,
);
await db.end();
log('stopped');
process.exit(0);

function log(line: string): void {
  console.log(`${new Date().toISOString()} worker: ${line}`);
}

function required(name: string): string {
  const value = process.env[name];
  if (value !== undefined && value !== '') return value;
  console.error(`${name} is not set: the worker does not know where to connect`);
  process.exit(2);
}

import { mkdtemp } from 'node:fs/promises';
import { createPool, startEmbeddedPostgres, migrate, createLogger } from '@tocsin/runtime';
import { migrateQueue, createQueue } from '@tocsin/queue';
import { createPostgresStore } from '@tocsin/event-store';
import { alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import { inspectTable, findMapping, scanFailures, readIdentities } from '@tocsin/job-sources';
import { createDetector } from './src/detector.ts';
const dir = await mkdtemp('/tmp/tocsin-measure-');
const server = await startEmbeddedPostgres({ directory: dir, durable: false } as never);
const pool = createPool({ connectionString: server.connectionString, max: 4, applicationName: 'm', onError: () => {}, statementTimeoutMs: 600000 });
await migrate({ connectionString: server.connectionString, log: () => {} });
await migrateQueue({ connectionString: server.connectionString });
const sizes = process.argv.slice(2).map(Number);
let n0 = 0;
const med = (a: number[]) => a.toSorted((x, y) => x - y)[Math.floor(a.length / 2)]!;
for (const size of sizes) {
  await pool.query(`insert into public.research_jobs (source, job_type, target_id, status, attempts, payload, error, finished_at, created_at, updated_at)
   select 'source '||n%20,'type '||n%7,'target '||n%1000, case when n%100=0 then 'failed' else 'succeeded' end, 3, '{}', case when n%100=0 then repeat('x', 300) end, at, at, at
   from (select n, now() - interval '1 day' - n * interval '1 second' as at from generate_series(${n0 + 1}, ${size}) n) x`);
  n0 = size;
  await pool.query('vacuum analyze public.research_jobs');
  const { source } = await inspectTable(pool, findMapping('research_jobs')!, { name: 'j', table: 'public.research_jobs' });
  const times: number[] = [], idle: number[] = [];
  for (let i = 0; i < 60; i++) {
    const { rows } = await pool.query("select to_char(clock_timestamp() at time zone 'UTC','YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') as n");
    await pool.query(`insert into public.research_jobs (source, job_type, target_id, status, attempts, error, finished_at, updated_at) select 'a','b',n::text,'failed',3,repeat('connection refused ',20),clock_timestamp(),clock_timestamp() from generate_series(1,100) n`);
    const t = performance.now();
    const page = await scanFailures(pool, source!, { after: rows[0]!['n'] as string, limit: 500, isKnown: () => false });
    times.push(performance.now() - t);
    if (page.failures.length !== 100) throw new Error(String(page.failures.length));
    const u = performance.now();
    await scanFailures(pool, source!, { after: new Date(Date.now() + 3600e3).toISOString(), limit: 500, isKnown: () => false });
    idle.push(performance.now() - u);
  }
  const w = performance.now(); let pos = null, pages = 0, rowsRead = 0;
  do { const p = await readIdentities(pool, source!, pos, { lookBackMs: 14 * 86400e3 }); pos = p.next; pages++; rowsRead += p.rowsRead; } while (pos);
  console.log(`${size} rows: scan of 100 new ${med(times).toFixed(2)} ms median, ${Math.max(...times.slice(5)).toFixed(1)} max; idle scan ${med(idle).toFixed(2)} ms; whole comparison ${(performance.now() - w).toFixed(0)} ms, ${pages} pages, ${rowsRead} failures`);
  await pool.query("delete from public.research_jobs where source='a'");
  await pool.query('vacuum public.research_jobs');
}
await pool.query("truncate public.research_jobs");
await pool.query(`insert into public.research_jobs (source, job_type, target_id, status, attempts, error, finished_at, updated_at) select 'a','b',n::text,'failed',3,repeat('connection refused ',20)||n,now(),now() from generate_series(1,100000) n`);
const queue = createQueue({ connectionString: server.connectionString, listen: false, parse: { signals: (d) => d, timers: (d) => d, deliveries: (d) => d }, onUnreadable: () => {}, onError: () => {} });
await queue.start();
const log = createLogger({ level: 'silent', name: 'm' });
const own = createPool({ connectionString: server.connectionString, max: 2, applicationName: 'own', onError: () => {} });
const store = createPostgresStore({ pool: own, foldAlert: evolveAlert, modelVersion: alertModelVersion });
const detector = createDetector({ tables: [{ name: 'j', table: 'public.research_jobs', adapter: 'research_jobs', pollMs: 2000, reconcileMs: 60000, lookBackMs: 14 * 86400e3, batch: 500, pool }], store, queue, log, instance: 'm' });
const t = performance.now(); let more = true, sent = 0, polls = 0;
while (more) { const r = (await detector.pollOnce()).tables[0]!; more = r.more; sent += r.scan?.sent ?? 0; polls++; if (r.problem) throw new Error(r.problem); }
console.log(`storm: ${sent} sent in ${((performance.now() - t) / 1000).toFixed(1)} s, ${polls} polls, rss ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`);
const v = performance.now(); more = true;
while (more) more = (await detector.pollOnce()).tables[0]!.more;
console.log(`re-read of the overlap: ${((performance.now() - v) / 1000).toFixed(2)} s, rss ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`);
await queue.stop(); await own.end(); await pool.end(); await server.remove();

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import { createTestDatabase } from '@tocsin/testing';
import { Pool } from 'pg';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { enqueueChainRun } from './scheduler/enqueue-chain-run.ts';
import { startCatalogueServer, type CatalogueServer } from './source/catalogue-server.ts';
import type { SourceModes } from './source/source-modes.ts';
import { workLoop, type WorkerSettings } from './worker/work-loop.ts';

interface Row {
  readonly id: string;
  readonly step: string;
  readonly status: string;
  readonly attempts: number;
  readonly error: string | null;
  readonly result: Readonly<Record<string, number>> | null;
  readonly has_beaten: boolean;
}

const waiting = { timeout: 20_000, interval: 50 };

const database = await createTestDatabase();
const db = new Pool({ connectionString: database.connectionString, max: 8 });
let source: CatalogueServer;
/** What a test has to undo, last thing first; opened gates before everything, as a worker waits for its job. */
let cleanUp: (() => Promise<void>)[] = [];
let openGates: (() => void)[] = [];

beforeEach(async () => {
  await db.query('drop schema if exists apple_catalog cascade');
  await db.query('delete from public.research_jobs');
  source = await startCatalogueServer();
  openGates = [];
  cleanUp = [() => source.close()];
});

afterEach(async () => {
  for (const open of openGates) open();
  for (const step of cleanUp.toReversed()) await step();
});

afterAll(() => db.end());

test('loads the four steps of a healthy run and builds an index that can be searched', async () => {
  startWorker();
  await enqueueChainRun(db);
  await expect
    .poll(async () => (await rows()).map(({ step, status }) => `${step} ${status}`), waiting)
    .toEqual(['albums succeeded', 'artists succeeded', 'rebuild_index succeeded', 'songs succeeded']);
  const [albums, artists, index, songs] = await rows();
  const loaded = [albums, artists, songs].map((row) => row?.result?.['total'] ?? 0);
  expect(loaded.every((total) => total > 100)).toBe(true);
  const sum = loaded.reduce((left, right) => left + right);
  expect(index?.result).toEqual({ total: sum, failed: 0, written: sum });
  const hits = await db.query(
    `select from apple_catalog.search_index where document @@ plainto_tsquery('simple', 'lantern')`,
  );
  expect(hits.rowCount).toBeGreaterThan(0);
});

test('writes nothing when the same files are loaded again', async () => {
  startWorker();
  await enqueueChainRun(db);
  await allSucceeded(4);
  await enqueueChainRun(db);
  await allSucceeded(8);
  const again = await db.query<{ written: number }>(
    `select (result ->> 'written')::integer as written
     from public.research_jobs
     where job_type = 'refresh_catalog'
     order by finished_at desc
     limit 3`,
  );
  expect(again.rows.map((row) => row.written)).toEqual([0, 0, 0]);
});

test('retries a source that answers 503, fails for good after the third attempt, and never enqueues rebuild_index', async () => {
  await switchSource({ songs: 'unavailable' });
  startWorker();
  await enqueueChainRun(db);
  await expect.poll(() => statusOf('songs'), waiting).toBe('failed');
  await expect.poll(() => statusOf('artists'), waiting).toBe('succeeded');
  const songs = await row('songs');
  expect(songs.attempts).toBe(3);
  expect(songs.error).toMatch(/answered 503 Service Unavailable, Retry-After: 1 s: .+\n {4}at downloadCatalogue/);
  expect((await rows()).map((each) => each.step)).toEqual(['albums', 'artists', 'songs']);
});

test('keeps the error of an attempt that will be repeated, and forgets it when the repetition succeeds', async () => {
  await switchSource({ songs: 'unavailable' });
  startWorker({ backoffMs: 500 });
  await enqueueChainRun(db);
  await expect.poll(async () => (await row('songs')).error, waiting).toMatch('503');
  expect(await statusOf('songs')).not.toBe('failed');
  await switchSource({ songs: 'healthy' });
  await allSucceeded(4);
  expect((await row('songs')).error).toBeNull();
});

test("fails with the parser's own error when the file is cut off, and keeps the rows of the last good load", async () => {
  startWorker();
  await enqueueChainRun(db);
  await allSucceeded(4);
  const before = await countOf('artists');
  await db.query('delete from public.research_jobs');
  await switchSource({ artists: 'corrupt' });
  await enqueueChainRun(db);
  await expect.poll(() => statusOf('artists'), waiting).toBe('failed');
  expect((await row('artists')).error).toMatch(/^SyntaxError: artists\.json .+ in JSON at position \d+/);
  expect(await countOf('artists')).toBe(before);
});

test('fails with the reason of the network when the source is down', async () => {
  startWorker({ sourceUrl: 'http://127.0.0.1:1' });
  await enqueueChainRun(db);
  await expect.poll(() => statusOf('albums'), waiting).toBe('failed');
  expect((await row('albums')).error).toMatch(/got no answer: is the source up\?\ncaused by /);
});

test('refuses to build an index from loads that are older than the run', async () => {
  startWorker();
  await enqueueChainRun(db);
  await allSucceeded(4);
  await db.query(
    `insert into public.research_jobs (source, job_type, max_attempts, payload)
     values ('apple', 'rebuild_index', 1, jsonb_build_object('chain_started_at', now() + interval '1 second'))`,
  );
  await expect.poll(() => statusesOf('rebuild_index'), waiting).toEqual(['failed', 'succeeded']);
  const refused = (await rows()).find((each) => each.status === 'failed');
  expect(refused?.error).toMatch(
    /^Error: refused to index stale rows: albums was last loaded at .+ songs was .+ artists was /,
  );
});

test('a killed worker leaves its job running, and the janitor of another marks it dead', async () => {
  await switchSource({ albums: 'slow' });
  const worker = spawnWorker();
  await enqueueChainRun(db);
  await expect.poll(async () => (await row('albums')).has_beaten, waiting).toBe(true);
  worker.kill('SIGKILL');
  await once(worker, 'exit');
  expect(await statusOf('albums')).toBe('running');
  startWorker({ stuckRunningAfterMs: 2000 });
  await expect.poll(() => statusOf('albums'), waiting).toBe('dead');
  const albums = await row('albums');
  expect(albums.attempts).toBe(1);
  expect(albums.error).toMatch(
    /^no heartbeat since \S+Z, longer than STUCK_RUNNING_AFTER \(2 s\): the worker is gone$/,
  );
  await expect.poll(() => statusOf('songs'), waiting).toBe('succeeded');
});

test('the janitor leaves a slow job alone as long as its worker is alive', async () => {
  const gate = await startGatedSource();
  startWorker({ sourceUrl: gate.url, heartbeatMs: 50, stuckRunningAfterMs: 600 });
  await enqueueArtists();
  await expect.poll(() => statusOf('artists'), waiting).toBe('running');
  startWorker({ stuckRunningAfterMs: 600 });
  const longer = `select from public.research_jobs where clock_timestamp() > started_at + interval '1500 milliseconds'`;
  await expect.poll(async () => (await db.query(longer)).rowCount, waiting).toBe(1);
  expect(await statusOf('artists')).toBe('running');
  gate.open();
  await expect.poll(() => statusOf('artists'), waiting).toBe('succeeded');
});

test('gives up a job that was taken away, and stores nothing of it', async () => {
  const gate = await startGatedSource();
  const lines: string[] = [];
  startWorker({ sourceUrl: gate.url, heartbeatMs: 50 }, (line) => lines.push(line));
  await enqueueArtists();
  await expect.poll(() => statusOf('artists'), waiting).toBe('running');
  await db.query(`update public.research_jobs set status = 'canceled'`);
  await expect.poll(() => lines.some((line) => line.includes('given up')), waiting).toBe(true);
  gate.open();
  expect(await statusOf('artists')).toBe('canceled');
  expect(await countOf('artists')).toBe(0);
});

test('finishes the job at hand when it is told to stop, and takes no other', async () => {
  const gate = await startGatedSource();
  const worker = startWorker({ sourceUrl: gate.url });
  await enqueueArtists();
  await expect.poll(() => statusOf('artists'), waiting).toBe('running');
  await enqueueChainRun(db);
  worker.stop();
  gate.open();
  await worker.ended;
  expect(await statusesOf('artists')).toEqual(['pending', 'succeeded']);
});

test('the program stops with exit code 0 on SIGTERM', async () => {
  const worker = spawnWorker();
  await once(worker.stdout!, 'data');
  worker.kill('SIGTERM');
  expect(await once(worker, 'exit')).toEqual([0, null]);
});

function startWorker(
  changes: Partial<WorkerSettings> = {},
  log: (line: string) => void = () => undefined,
): { readonly stop: () => void; readonly ended: Promise<void> } {
  const stop = new AbortController();
  const settings: WorkerSettings = {
    sourceUrl: source.url,
    pollMs: 20,
    heartbeatMs: 200,
    backoffMs: 10,
    stuckRunningAfterMs: 30_000,
    ...changes,
  };
  const ended = workLoop(db, settings, stop.signal, log);
  cleanUp.push(async () => {
    stop.abort();
    await ended;
  });
  return { stop: () => stop.abort(), ended };
}

function spawnWorker(): ChildProcess {
  const worker = spawn(process.execPath, [path.join(import.meta.dirname, 'worker.ts')], {
    env: { ...process.env, NODE_OPTIONS: '', DATABASE_URL: database.connectionString, SOURCE_URL: source.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanUp.push(async () => {
    if (worker.exitCode !== null || worker.signalCode !== null) return;
    worker.kill('SIGKILL');
    await once(worker, 'exit');
  });
  return worker;
}

/** A source that answers with one artist, but not before `open` was called. */
async function startGatedSource(): Promise<{ readonly url: string; readonly open: () => void }> {
  const gate = Promise.withResolvers<void>();
  const artist = { id: 'art-1', name: 'The Amber Lantern Trio', genre: 'Folk', formed: 1999 };
  const server: Server = createServer((_request, response) => {
    void gate.promise.then(() => response.end(JSON.stringify({ target: 'artists', count: 1, entries: [artist] })));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  openGates.push(gate.resolve);
  return { url: `http://127.0.0.1:${address.port}`, open: gate.resolve };
}

async function enqueueArtists(): Promise<void> {
  await db.query(
    `insert into public.research_jobs (source, job_type, target_id) values ('apple', 'refresh_catalog', 'artists')`,
  );
}

async function switchSource(modes: Partial<SourceModes>): Promise<void> {
  const response = await fetch(`${source.url}/mode`, { method: 'POST', body: JSON.stringify(modes) });
  expect(response.status).toBe(200);
}

async function rows(): Promise<readonly Row[]> {
  const found = await db.query<Row>(
    `select
       id,
       coalesce(target_id, job_type) as step,
       status,
       attempts,
       error,
       result,
       coalesce(heartbeat_at > started_at, false) as has_beaten
     from public.research_jobs
     order by step, status`,
  );
  return found.rows;
}

async function row(step: string): Promise<Row> {
  const found = (await rows()).filter((each) => each.step === step);
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} rows of ${step}`);
  return found[0];
}

async function statusOf(step: string): Promise<string> {
  return (await row(step)).status;
}

async function statusesOf(step: string): Promise<readonly string[]> {
  return (await rows()).filter((each) => each.step === step).map((each) => each.status);
}

async function countOf(table: 'artists'): Promise<number> {
  const found = await db.query<{ count: number }>(`select count(*)::integer as count from apple_catalog.${table}`);
  return found.rows[0]?.count ?? 0;
}

async function allSucceeded(count: number): Promise<void> {
  const expected = Array.from({ length: count }, () => 'succeeded');
  await expect.poll(async () => (await rows()).map((each) => each.status), waiting).toEqual(expected);
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignalBatch } from '@tocsin/alert-model';
import { createLogger, createPool, loadConfig } from '@tocsin/runtime';
import type { Pool } from '@tocsin/runtime';
import { createTestDatabase, createTestRole, insertFailedResearchJob, insertResearchJob } from '@tocsin/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { openDetector } from './open-detector.ts';
import type { OpenedDetector } from './open-detector.ts';

const jobs = await createTestDatabase();
const own = await createTestDatabase();
const table = { schema: 'public', table: 'research_jobs' };

const reader = await createTestRole(jobs, 'reader');
await reader.grant('jobs-reader.sql', table);
const bare = await createTestRole(jobs, 'bare');
const janitor = await createTestRole(jobs, 'janitor');
await janitor.grant('janitor.sql', table);
const detector = await createTestRole(own, 'detector');
await detector.grant('detector.sql');

const pools: Pool[] = [];
const poolOf = (connectionString: string): Pool => {
  const pool = createPool({ connectionString, max: 1, applicationName: 'least privilege', onError: () => {} });
  pools.push(pool);
  return pool;
};
const asReader = poolOf(reader.connectionString);
const asJanitor = poolOf(janitor.connectionString);
const asDetector = poolOf(detector.connectionString);
const directory = await mkdtemp(join(tmpdir(), 'tocsin-roles-'));
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  await rm(directory, { recursive: true, force: true });
});

await jobs.pool.query('create table public.customers (name text)');
const superuser = (await jobs.pool.query<{ readonly name: string }>('select current_user as name')).rows[0]?.name ?? '';

/** Privileges that no role of ours has. */
const ownership: readonly string[] = [
  'create table public.mine (id integer)',
  'create schema mine',
  'create function public.mine() returns integer language sql as $$ select 1 $$',
  `set role "${superuser}"`,
  `set session authorization "${superuser}"`,
  'create role mine',
  'alter role current_user superuser',
  'select * from pg_catalog.pg_authid',
  "copy (select 1) to program 'true'",
  "select pg_catalog.pg_read_file('postgresql.conf')",
];

/** What the server answers to each statement: its SQLSTATE, or `allowed`. */
const answersTo = async (pool: Pool, statements: readonly string[]): Promise<readonly (readonly string[])[]> => {
  const answers: (readonly string[])[] = [];
  for (const statement of statements) {
    const answer = await pool.query(`begin; ${statement}; rollback`).then(
      () => 'allowed',
      (error: unknown) => (error instanceof Error ? String(Reflect.get(error, 'code')) : 'unknown'),
    );
    await pool.query('rollback');
    answers.push([statement, answer]);
  }
  return answers;
};
const insufficientPrivilege = '42501';
const expectRefused = async (pool: Pool, statements: readonly string[]): Promise<void> => {
  expect(await answersTo(pool, statements)).toEqual(statements.map((statement) => [statement, insufficientPrivilege]));
};
const expectAllowed = async (pool: Pool, statements: readonly string[]): Promise<void> => {
  expect(await answersTo(pool, statements)).toEqual(statements.map((statement) => [statement, 'allowed']));
};

type Entry = Readonly<Record<string, unknown>>;

/** The detector of production, with its own role in Tocsin's database. */
const openWith = (
  jobsDatabaseUrl: string,
  log: Entry[],
  env: Readonly<Record<string, string>> = {},
): Promise<OpenedDetector> =>
  openDetector(
    loadConfig({
      env: { DATABASE_URL: detector.connectionString, JOBS_DATABASE_URL: jobsDatabaseUrl, ...env },
      cwd: directory,
    }),
    createLogger({
      level: 'debug',
      name: 'test',
      destination: { write: (line) => log.push(JSON.parse(line) as Entry) },
    }),
  );

describe('the detector with the roles of docs/roles', () => {
  it('finds failures by scan and by comparison, sends them, and has nothing to complain of', async () => {
    const log: Entry[] = [];
    const opened = await openWith(reader.connectionString, log);
    try {
      const first = await insertFailedResearchJob(jobs.pool);
      const [scanned] = (await opened.detector.runOnce()).tables;
      expect(scanned).toMatchObject({ problem: null, scan: { sent: 1 } });
      // Behind the cursor, where only the comparison looks; and what is undecided makes it ask for the queue's depth.
      const anHourAgo = new Date(Date.now() - 3_600_000).toISOString();
      const second = await insertFailedResearchJob(jobs.pool, { updated_at: anHourAgo });
      const [compared] = (await opened.detector.runOnce()).tables;
      expect(compared).toMatchObject({ problem: null, reconciled: 1 });

      const { rows } = await own.pool.query("select data from pgboss.job where name = 'signals' order by created_on");
      const sent = rows.flatMap((row) => SignalBatch.parse(row['data']).signals);
      expect(sent).toMatchObject([{ jobId: first }, { jobId: second }]);
      const { rows: beats } = await own.pool.query("select data from tocsin.heartbeats where component = 'detector'");
      expect(beats).toMatchObject([
        {
          data: {
            tables: [
              { table: 'research_jobs', problem: null },
              { table: 'tocsin_canary', problem: null },
            ],
          },
        },
      ]);
      const complaints = log.filter(({ level }) => level === 'warn' || level === 'error');
      expect(complaints).toEqual([]);
    } finally {
      await opened.close();
    }
  });

  it('asks for exactly what docs/roles grants when it lacks it, and goes on once that is granted', async () => {
    const log: Entry[] = [];
    const opened = await openWith(bare.connectionString, log);
    const problem = async (): Promise<string | null | undefined> =>
      (await opened.detector.pollOnce()).tables[0]?.problem;
    const advice = (text: unknown): string => /run: (grant [^;]+;)/.exec(String(text))?.[1] ?? 'no advice';
    try {
      const asked = advice(await problem());
      expect(asked).toBe(`grant select on "public"."research_jobs" to "${bare.name}";`);
      await jobs.pool.query(asked);
      expect(await problem()).toBeNull();
      const wished = log.filter(({ level }) => level === 'warn').map(({ msg }) => advice(msg));
      expect(wished).toEqual([`grant pg_read_all_stats to "${bare.name}";`]);
      await bare.grant('jobs-reader.sql', table);
    } finally {
      await opened.close();
    }
    log.length = 0;
    const again = await openWith(bare.connectionString, log);
    await again.detector.pollOnce();
    await again.close();
    expect(log.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
  });
});

describe('the role that reads the watched table', () => {
  it('reads it, and sees how long others have been writing', async () => {
    await expectAllowed(asReader, ['select * from public.research_jobs', 'select * from pg_catalog.pg_stat_activity']);
    const { rows } = await asReader.query("select pg_has_role('pg_read_all_stats', 'usage') as sees");
    expect(rows).toEqual([{ sees: true }]);
  });

  it('changes nothing in it, holds up nobody by a lock, and reads no other table', async () => {
    await expectRefused(asReader, [
      "insert into public.research_jobs (source, job_type) values ('a', 'b')",
      "update public.research_jobs set status = 'pending'",
      'delete from public.research_jobs',
      'truncate public.research_jobs',
      'alter table public.research_jobs add column mine integer',
      'create index on public.research_jobs (error)',
      'drop table public.research_jobs',
      'select * from public.research_jobs for update',
      'lock table public.research_jobs in share mode',
      'select * from public.customers',
      'select * from tocsin.events',
      'select * from pgboss.job',
    ]);
  });

  it('owns nothing and becomes nobody else', async () => {
    await expectRefused(asReader, ownership);
  });
});

describe('the role that repairs stuck jobs', () => {
  it('is enough for the janitor, while the detector reads with its own', async () => {
    const file = join(directory, 'janitor.yaml');
    const rule = '{ match: { job_type: silent }, stuck_after: 15m, on_stuck: mark_dead }';
    await writeFile(file, `version: 1\nrules: [${rule}]\n`);
    const id = await insertResearchJob(jobs.pool, {
      job_type: 'silent',
      status: 'running',
      heartbeat_at: new Date(Date.now() - 7_200_000).toISOString(),
    });
    const log: Entry[] = [];
    const opened = await openWith(reader.connectionString, log, {
      TOCSIN_CONFIG: file,
      JANITOR_DATABASE_URL: janitor.connectionString,
    });
    try {
      await opened.detector.runOnce();
    } finally {
      await opened.close();
    }
    expect(log.filter(({ level }) => level === 'error')).toEqual([]);
    const { rows } = await jobs.pool.query('select status from public.research_jobs where id = $1', [id]);
    expect(rows).toEqual([{ status: 'dead' }]);
  });

  it('says where a job stands', async () => {
    await expectAllowed(asJanitor, [
      "update public.research_jobs set status = 'dead', error = 'no sign of life', finished_at = now(), updated_at = now() where status = 'running'",
      "update public.research_jobs set status = 'pending', run_after = now(), started_at = null, heartbeat_at = null, updated_at = now() where status = 'running'",
    ]);
  });

  it('neither adds nor removes jobs, nor changes what they are', async () => {
    await expectRefused(asJanitor, [
      "insert into public.research_jobs (source, job_type) values ('a', 'b')",
      'delete from public.research_jobs',
      'truncate public.research_jobs',
      "update public.research_jobs set payload = '{}'",
      "update public.research_jobs set source = 'other'",
      'update public.research_jobs set max_attempts = 100',
      'alter table public.research_jobs disable trigger all',
      'select * from public.customers',
      ...ownership,
    ]);
  });
});

describe("the detector's role in Tocsin's database", () => {
  it('writes neither the log nor what is made of it', async () => {
    await expectRefused(asDetector, [
      "insert into tocsin.events (stream_id) values ('alert-1')",
      "update tocsin.events set type = 'Other'",
      'delete from tocsin.events',
      'truncate tocsin.events',
      'alter table tocsin.events disable trigger all',
      "update tocsin.alerts set state = 'resolved'",
      'delete from tocsin.alerts',
      "insert into tocsin.digests (route) values ('mine')",
      "insert into tocsin.deliveries (channel) values ('mine')",
      "update tocsin.deliveries set state = 'accepted'",
      'delete from tocsin.delivery_attempts',
      'delete from tocsin.held_failures',
      'delete from tocsin.quarantine',
      'delete from tocsin.outcomes',
      "update tocsin.migrations set name = 'other'",
      "insert into tocsin.silences (id, match, made_by, starts_at) values (gen_random_uuid(), '{}', 'me', now())",
      'update tocsin.silences set ended_at = now()',
      "insert into tocsin.channel_states (channel) values ('mine')",
      'update tocsin.channel_states set parked_at = null',
      "insert into tocsin.provider_events (id) values ('mine')",
      'insert into tocsin.canary_jobs default values',
      "update tocsin.canary_jobs set status = 'succeeded'",
    ]);
  });

  it('reads the canaries', async () => {
    await expectAllowed(asDetector, ['select * from tocsin.canary_jobs']);
  });

  it('reads neither messages nor what is about to be told', async () => {
    await expectRefused(asDetector, [
      'select * from tocsin.deliveries',
      'select * from tocsin.digests',
      'select * from tocsin.held_failures',
      'select * from tocsin.silences',
      'select * from tocsin.channel_states',
      'select * from tocsin.provider_events',
      'select * from public.research_jobs',
    ]);
  });

  it('adds jobs to the queue and leaves those alone that are there', async () => {
    await expectRefused(asDetector, [
      "update pgboss.job set state = 'completed'",
      'delete from pgboss.job',
      'update pgboss.job_common set data = null',
      'delete from pgboss.queue',
      'update pgboss.version set version = 1',
    ]);
  });

  it('owns nothing and becomes nobody else', async () => {
    await expectRefused(asDetector, [
      ...ownership,
      'create table tocsin.mine (id integer)',
      'create table pgboss.mine (id integer)',
      'drop table tocsin.outcomes',
      'create or replace function tocsin.hint() returns void language sql as $$ select null::void $$',
    ]);
  });
});

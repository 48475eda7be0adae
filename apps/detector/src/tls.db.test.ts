import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, createPool, loadConfig, toDatabaseError } from '@tocsin/runtime';
import { certificatePath, createTestDatabase, insertFailedResearchJob, startTlsServer } from '@tocsin/testing';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { openDetector } from './open-detector.ts';
import type { OpenedDetector } from './open-detector.ts';

const server = await startTlsServer();
const plain = await createTestDatabase();
const directory = await mkdtemp(join(tmpdir(), 'tocsin-tls-'));
afterAll(() => rm(directory, { recursive: true, force: true }));
afterEach(() => server.present('localhost'));

/** The server's address with these options. */
const address = (options: Readonly<Record<string, string>>): string => {
  const url = new URL(server.connectionString);
  url.search = new URLSearchParams(options).toString();
  return url.href;
};
const sslrootcert = certificatePath('authority.pem');
const verified = address({ sslmode: 'verify-full', sslrootcert });

const open = (databaseUrl: string, jobsDatabaseUrl = databaseUrl): Promise<OpenedDetector> =>
  openDetector(
    loadConfig({
      env: { DATABASE_URL: databaseUrl, JOBS_DATABASE_URL: jobsDatabaseUrl, TOCSIN_DETECTOR_PORT: 'off' },
      cwd: directory,
    }),
    createLogger({ level: 'silent', name: 'test' }),
  );

/** What one statement at this address comes to: whether it went over TLS, or what is wrong and how to put it right. */
const tryOut = async (connectionString: string): Promise<string> => {
  const pool = createPool({ connectionString, max: 1, applicationName: 'tls', onError: () => {} });
  try {
    const { rows } = await pool.query<{ readonly ssl: boolean }>(
      'select ssl from pg_stat_ssl where pid = pg_backend_pid()',
    );
    return rows[0]?.ssl === true ? 'encrypted' : 'plain';
  } catch (error) {
    return toDatabaseError(error, connectionString).message;
  } finally {
    await pool.end();
  }
};

describe('a detector whose databases speak TLS only', () => {
  it('watches and sends over connections that are all encrypted and verified', async () => {
    const { detector, start, close } = await open(verified);
    const admin = createPool({ connectionString: verified, max: 1, applicationName: 'tls', onError: () => {} });
    try {
      const id = await insertFailedResearchJob(admin);
      expect((await detector.runOnce()).tables).toMatchObject([
        { table: 'research_jobs', problem: null, scan: { sent: 1 } },
        { table: 'tocsin_canary', problem: null },
      ]);
      const { rows } = await admin.query("select data -> 'signals' -> 0 ->> 'jobId' as id from pgboss.job");
      expect(rows).toEqual([{ id }]);
      const connections = async () =>
        (
          await admin.query(
            `select distinct application_name as name, ssl
             from pg_stat_activity join pg_stat_ssl using (pid)
             where application_name like 'tocsin-detector%'
             order by 1`,
          )
        ).rows;
      // The last kind of connection, that which listens for hints, is opened by a detector that goes on.
      await start();
      await vi.waitUntil(async () => (await connections()).length === 3, { timeout: 10_000 });
      expect(await connections()).toEqual([
        { name: 'tocsin-detector', ssl: true },
        { name: 'tocsin-detector-hints', ssl: true },
        { name: 'tocsin-detector-queue', ssl: true },
      ]);
    } finally {
      await admin.end();
      await close();
    }
  });

  it('refuses to start where the authority is another one, and says where to name the right one', async () => {
    const wrong = address({ sslmode: 'verify-full', sslrootcert: certificatePath('stranger.pem') });
    const error = await open(wrong).catch((thrown: unknown) => thrown);
    expect(toDatabaseError(error, wrong).message).toMatch(/TLS certificate .* is not trusted .*sslrootcert=FILE/);
  });

  it('goes on trying a watched database whose certificate is for another host, and says so', async () => {
    await server.present('elsewhere');
    const { detector, close } = await open(plain.connectionString, verified);
    try {
      const problem = (await detector.pollOnce()).tables[0]?.problem;
      expect(problem).toMatch(/is not trusted .*localhost.*db\.elsewhere\.test.*JOBS_DATABASE_URL.*host name/);
      await server.present('localhost');
      expect((await detector.pollOnce()).tables).toMatchObject([{ problem: null }, { problem: null }]);
    } finally {
      await close();
    }
  });
});

describe('what each sslmode means', () => {
  it('without one, and with `disable`, nothing is encrypted, so this server refuses', async () => {
    const refused = /no pg_hba\.conf entry .*no encryption/;
    expect(await tryOut(server.connectionString)).toMatch(refused);
    expect(await tryOut(address({ sslmode: 'disable' }))).toMatch(refused);
  });

  it.each(['prefer', 'require', 'verify-ca', 'verify-full'])(
    '`%s` is encrypted and verifies authority and host name',
    async (sslmode) => {
      expect(await tryOut(address({ sslmode, sslrootcert }))).toBe('encrypted');
      expect(await tryOut(address({ sslmode }))).toMatch(/is not trusted/);
      await server.present('elsewhere');
      expect(await tryOut(address({ sslmode, sslrootcert }))).toMatch(/is not trusted .*db\.elsewhere\.test/);
    },
  );

  it('`no-verify` is encrypted and trusts anybody', async () => {
    await server.present('elsewhere');
    expect(await tryOut(address({ sslmode: 'no-verify' }))).toBe('encrypted');
  });

  it('with `uselibpqcompat=true` they mean what they mean to psql', async () => {
    const uselibpqcompat = 'true';
    await server.present('elsewhere');
    expect(await tryOut(address({ sslmode: 'require', uselibpqcompat }))).toBe('encrypted');
    expect(await tryOut(address({ sslmode: 'verify-ca', sslrootcert, uselibpqcompat }))).toBe('encrypted');
    expect(await tryOut(address({ sslmode: 'verify-full', sslrootcert, uselibpqcompat }))).toMatch(/is not trusted/);
    const stranger = certificatePath('stranger.pem');
    expect(await tryOut(address({ sslmode: 'require', sslrootcert: stranger, uselibpqcompat }))).toMatch(
      /is not trusted/,
    );
  });

  it('a server without TLS is refused rather than talked to in the clear', async () => {
    const url = new URL(plain.connectionString);
    url.search = new URLSearchParams({ sslmode: 'verify-full', sslrootcert }).toString();
    expect(await tryOut(url.href)).toMatch(/speaks no TLS .*sslmode=disable .* on a trusted network/);
  });

  it('a file of authorities that is not there is named, with the setting that names it', async () => {
    expect(await tryOut(address({ sslmode: 'verify-full', sslrootcert: '/nowhere/ca.pem' }))).toMatch(
      /^A file that DATABASE_URL names for TLS cannot be read: sslrootcert=\/nowhere\/ca\.pem \(ENOENT/,
    );
  });
});

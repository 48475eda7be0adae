import { chmod, chown, copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateQueue } from '@tocsin/queue';
import { createPool, migrate, startEmbeddedPostgres } from '@tocsin/runtime';
import { afterAll, vi } from 'vitest';

/** A migrated database on a server of its own that refuses connections without TLS. */
export type TlsServer = {
  /** As `localhost`, without any `sslmode`; add what is to be tried. */
  readonly connectionString: string;
  /** The certificate the server shows from now on: that of `localhost` (at the beginning), or one of another name. */
  readonly present: (certificate: 'localhost' | 'elsewhere') => Promise<void>;
};

const certificates = join(import.meta.dirname, 'certificates');
const testTimeoutMs = 60_000;
/** uid and gid of `nobody`, which the embedded server runs as when this process is root. */
const nobody = 65_534;

/** A file of libs/testing/src/certificates: `authority.pem` signed what the server shows, `stranger.pem` did not. */
export const certificatePath = (name: 'authority.pem' | 'stranger.pem'): string => join(certificates, name);

/** Starts such a server for this test file; it is stopped and removed when the file is done. Always embedded. */
export async function startTlsServer(): Promise<TlsServer> {
  vi.setConfig({ testTimeout: testTimeoutMs, hookTimeout: testTimeoutMs });
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-tls-'));
  await chmod(directory, 0o755);
  const inDirectory = (name: string): string => join(directory, name);
  const show = async (certificate: string): Promise<void> => {
    await copyFile(join(certificates, `${certificate}.pem`), inDirectory('server.pem'));
    await copyFile(join(certificates, `${certificate}.key`), inDirectory('server.key'));
    // The server refuses a key that others may read.
    await chmod(inDirectory('server.key'), 0o600);
    if (process.getuid?.() === 0) await chown(inDirectory('server.key'), nobody, nobody);
  };
  const allow = (...lines: readonly string[]): Promise<void> =>
    writeFile(inDirectory('hba.conf'), lines.map((line) => `${line}\n`).join(''), { mode: 0o644 });

  await show('localhost');
  await allow('host all all 127.0.0.1/32 scram-sha-256');
  const server = await startEmbeddedPostgres({
    directory: inDirectory('server'),
    durable: false,
    settings: {
      ssl: 'on',
      ssl_cert_file: inDirectory('server.pem'),
      ssl_key_file: inDirectory('server.key'),
      hba_file: inDirectory('hba.conf'),
    },
  });
  afterAll(async () => {
    await server.remove();
    await rm(directory, { recursive: true, force: true });
  });
  await migrate({ connectionString: server.connectionString, log: () => {} });
  await migrateQueue({ connectionString: server.connectionString });

  // Made before plain connections are refused, and kept: it tells the server to read its files again.
  const admin = createPool({
    connectionString: server.connectionString,
    max: 1,
    applicationName: 'tocsin test set-up',
    onError: () => {},
  });
  afterAll(() => admin.end());
  const reload = async (): Promise<void> => {
    const loadedAt = async (): Promise<unknown> =>
      (await admin.query('select pg_conf_load_time()::text as at')).rows[0]?.['at'];
    const before = await loadedAt();
    await admin.query('select pg_reload_conf()');
    await vi.waitUntil(async () => (await loadedAt()) !== before, { timeout: 5_000, interval: 20 });
  };
  await allow('hostssl all all 127.0.0.1/32 scram-sha-256');
  await reload();

  const url = new URL(server.connectionString);
  url.hostname = 'localhost';
  url.search = '';
  return {
    connectionString: url.href,
    present: async (certificate) => {
      await show(certificate);
      await reload();
    },
  };
}

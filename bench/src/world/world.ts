import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startSendGridDouble } from '@tocsin/testing';
import type { SendGridDouble } from '@tocsin/testing';
import type { Lab, LabDatabase } from './lab.ts';
import { waitUntil } from './wait-until.ts';
import { startWorker } from './worker.ts';
import type { Worker } from './worker.ts';

const startTimeoutMs = 30_000;

/** Tocsin as it runs in production: a database, both workers, a mail provider. */
export interface World {
  readonly database: LabDatabase;
  readonly detector: Worker;
  readonly notifier: Worker;
  readonly provider: SendGridDouble;
  /** Connections of each worker to the database at this moment. */
  readonly connections: () => Promise<Connections>;
  /** Stops the workers and the provider; the database stays. */
  readonly stop: () => Promise<void>;
}

interface Connections {
  readonly detector: number;
  readonly notifier: number;
}

export interface WorldOptions {
  /** Pause between two looks at the job table, as the configuration spells it: `2s`. */
  readonly poll: string;
  /** Digest window of the only route: `0` tells at once. */
  readonly window: string;
  /**
   * What stands in tocsin.yaml besides, as text. Default: no storms, so that many failures are many messages, and no canaries
   * among the failures that are counted.
   */
  readonly settings?: string;
}

/** As an installation that says nothing of it has it. */
export const productionSettings = '';
const settingsDefault = `storm: off
self_watch: { canary: off }
`;

/** Starts a world on a fresh database and waits until both workers have given their first sign of life. */
export const startWorld = async (
  lab: Lab,
  { poll, window, settings = settingsDefault }: WorldOptions,
): Promise<World> => {
  const database = await lab.newDatabase();
  const directory = await lab.newDirectory('world');
  const config = join(directory, 'tocsin.yaml');
  await writeFile(
    config,
    `version: 1
jobs: [{ name: research_jobs, table: public.research_jobs, poll: ${poll} }]
routes: [{ name: everything, channels: [mail], digest: { window: ${window} } }]
channels: { mail: { type: sendgrid } }
${settings}`,
  );
  const provider = await startSendGridDouble();
  const env = {
    DATABASE_URL: database.connectionString,
    TOCSIN_CONFIG: config,
    ALERT_EMAIL_TO: 'on-call@example.com',
    SENDGRID_API_KEY: provider.apiKey,
    SENDGRID_BASE_URL: provider.baseUrl,
    // Whatever else runs on this machine.
    TOCSIN_DETECTOR_PORT: '0',
    TOCSIN_NOTIFIER_PORT: '0',
    ADMIN_URL: 'https://admin.example.com/jobs/{id}',
    PUBLIC_URL: 'https://tocsin.example.com',
  };
  const { nodeOptions } = lab;
  const detector = await startWorker('detector', { env, directory, nodeOptions });
  const notifier = await startWorker('notifier', { env, directory, nodeOptions });
  const { pool } = database;
  await waitUntil(
    'both workers to be up',
    async () => {
      detector.assertRunning();
      notifier.assertRunning();
      const { rows } = await pool.query('select distinct component from tocsin.heartbeats');
      return rows.length >= 2 ? true : undefined;
    },
    { timeoutMs: startTimeoutMs },
  );
  return {
    database,
    detector,
    notifier,
    provider,
    connections: async () => {
      const { rows } = await pool.query<Connections>(
        `select
           (count(*) filter (where application_name like 'tocsin-detector%'))::integer as detector,
           (count(*) filter (where application_name like 'tocsin-notifier%'))::integer as notifier
         from pg_stat_activity
         where datname = current_database() and backend_type = 'client backend'`,
      );
      return rows[0] ?? { detector: 0, notifier: 0 };
    },
    stop: async () => {
      await Promise.all([detector.stop(), notifier.stop()]);
      await provider.stop();
    },
  };
};

import { createPool } from '@tocsin/runtime';
import { startRestartableServer } from '@tocsin/testing';
import { afterAll, afterEach, expect, test } from 'vitest';
import { startFailingWork } from './harness/failing-work.ts';
import { expectBalance } from './harness/ledger.ts';
import { storyTimeoutMs, withStage, withoutStorms } from './harness/stage.ts';
import { waitUntil } from './harness/wait-until.ts';

const server = await startRestartableServer();
const { connectionString } = server;
const pool = createPool({ connectionString, max: 4, applicationName: 'tocsin e2e', onError: () => {} });
afterAll(() => pool.end());
afterEach(async () => {
  await pool.query(
    `alter table tocsin.events disable trigger all;
     truncate public.research_jobs, tocsin.events, tocsin.alerts, tocsin.digests, tocsin.deliveries, tocsin.delivery_attempts,
       tocsin.outcomes, tocsin.recent_successes, tocsin.quarantine, tocsin.cursors, tocsin.channel_states;
     alter table tocsin.events enable trigger all;
     delete from pgboss.job`,
  );
});

const workers = ['tocsin-detector', 'tocsin-notifier'];

/** Ends their connections, and those that take their place, as an administrator may. */
async function endConnectionsAgainAndAgain(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) {
    // Looked at first and ended then: a look that ends one worker's connections waits in vain for both.
    await waitUntil('both workers to be connected', async () => {
      const { rows } = await pool.query<{ readonly name: string }>(
        `select distinct application_name as name from pg_stat_activity where application_name = any ($1)`,
        [workers],
      );
      return rows.length === workers.length;
    });
    await pool.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = any ($1)`, [
      workers,
    ]);
  }
}

const secondsSince = (startMs: number): string => ((performance.now() - startMs) / 1_000).toFixed(1);

/** What happens to Postgres, or to the connections of both workers. */
const harms = [
  ['a restart of Postgres (fast)', () => server.restart('fast')],
  ['a crash of Postgres (immediate stop)', () => server.restart('immediate')],
  ['pg_terminate_backend of all their connections, five times', endConnectionsAgainAndAgain],
] as const;

test.each(harms)(
  'both workers survive %s while failures arrive: they recover by themselves, nothing is lost or doubled',
  { timeout: storyTimeoutMs },
  (what, harm) =>
    withStage(
      {
        database: { connectionString, pool },
        config: { ...withoutStorms, delivery: { attempt_timeout: '4s', unknown_retry: '1s' } },
        env: { TOCSIN_DIGEST_WINDOW: '1s' },
      },
      async (stage) => {
        // A database that is away is an error for whoever reads the log, and said once.
        stage.expectErrors((_, entry) => entry?.['decision'] === 'TableUnreadable');
        const { detector, notifier } = stage.startBoth();
        const work = startFailingWork(stage.jobs, { everyMs: 40, failures: 2, targets: 12 });
        try {
          await stage.smtp.waitForMessages(1, 60_000);
          await harm();
          const harmedMs = performance.now();
          const before = work.committed();
          await waitUntil('failures to arrive again', () => work.committed() >= before + 25);
          const told = stage.smtp.messages().length;
          await stage.smtp.waitForMessages(told + 2, 60_000);
          console.log(`${what}: told again ${secondsSince(harmedMs)} s after it`);
        } finally {
          await work.stop();
        }
        await stage.quiet(60_000);
        stage.takeMails();
        const balance = await expectBalance(pool, stage.smtp.messages());
        expect(balance).toMatchObject({ duplicates: 0, crashed: 0 });
        expect([detector.running(), notifier.running()]).toEqual([true, true]);
        expect(detector.log().filter(({ decision }) => decision === 'TableUnreadable').length).toBeLessThanOrEqual(6);
        console.log(`${what}: ${JSON.stringify(balance)}`);
      },
    ),
);

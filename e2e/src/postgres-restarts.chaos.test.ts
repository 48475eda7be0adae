import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createPool } from '@tocsin/runtime';
import { startRestartableServer } from '@tocsin/testing';
import { afterAll, expect, test } from 'vitest';
import { startFailingWork } from './harness/failing-work.ts';
import { expectBalance } from './harness/ledger.ts';
import { megabytes, memoryOf } from './harness/memory.ts';
import { createRandom } from './harness/random.ts';
import { withStage } from './harness/stage.ts';

/** How long Postgres is restarted again and again, in milliseconds. */
const restlessMs = 120_000;
/** Pause between restarts, in milliseconds. */
const restartPauseMs = { min: 5_000, max: 10_000 };
/** Failures per second, each of a piece of work of its own: an alert. */
const alertsPerSecond = 50;
const failuresPerTransaction = 5;
/** More pieces of work than there is time for. */
const targets = 20_000;
/** Longest time from the last restart until nothing is left to do, in milliseconds. */
const recoveryMaxMs = 90_000;
/** When memory is looked at for the first time, in milliseconds after the start: libraries are loaded by then. */
const warmMs = 20_000;
/** Most that a process may grow by from then on, in bytes. */
const growthMaxBytes = 96 * 1_048_576;

const seed = Number(process.env['TOCSIN_CHAOS_SEED'] ?? randomInt(2 ** 31));
const server = await startRestartableServer();
const { connectionString } = server;
const pool = createPool({ connectionString, max: 6, applicationName: 'tocsin chaos', onError: () => {} });
afterAll(() => pool.end());

test(
  'Postgres is restarted every 5 to 10 s for two minutes under 50 alerts a second: nothing is lost, nothing told twice, nobody has to help',
  { timeout: restlessMs + recoveryMaxMs + 120_000 },
  () =>
    withStage(
      {
        database: { connectionString, pool },
        // Message after message, rather than one about the storm that it is.
        config: { delivery: { attempt_timeout: '10s', unknown_retry: '1s' }, storm: 'off' },
        env: { TOCSIN_DIGEST_WINDOW: '1s' },
      },
      async (stage) => {
        console.log(`restarts: seed ${seed} (repeat with TOCSIN_CHAOS_SEED=${seed})`);
        const random = createRandom(seed);
        stage.expectErrors(
          (_, entry) => entry?.['decision'] === 'TableUnreadable' || entry?.['decision'] === 'AuditFound',
        );
        const quieter = { env: { LOG_LEVEL: 'info' } };
        const workers = [stage.start('detector'), stage.start('notifier', quieter), stage.start('notifier', quieter)];
        const memory = (): readonly (number | null)[] => workers.map(({ pid }) => memoryOf(pid)?.now ?? null);
        const work = startFailingWork(stage.jobs, {
          everyMs: (1_000 * failuresPerTransaction) / alertsPerSecond,
          failures: failuresPerTransaction,
          targets,
        });
        const startedMs = performance.now();
        let restarts = 0;
        let first: readonly (number | null)[] | null = null;
        while (performance.now() - startedMs < restlessMs) {
          await delay(random.between(restartPauseMs.min, restartPauseMs.max));
          if (first === null && performance.now() - startedMs > warmMs) first = memory();
          await server.restart(random.pick(['fast', 'immediate']));
          restarts += 1;
        }
        const lastRestartMs = performance.now();
        await work.stop();
        await stage.quiet(recoveryMaxMs);
        const recoverySeconds = (performance.now() - lastRestartMs) / 1_000;
        const last = memory();
        stage.takeMails();
        const balance = await expectBalance(pool, stage.smtp.messages());
        const pairs = workers.map(({ app }, index) => ({
          app,
          first: first?.[index] ?? null,
          last: last[index] ?? null,
        }));
        console.log(
          `restarts: ${JSON.stringify({
            seed,
            restarts,
            seconds: round((lastRestartMs - startedMs) / 1_000),
            // While Postgres is away there are none.
            alertsPerSecond: round((work.committed() * failuresPerTransaction * 1_000) / (lastRestartMs - startedMs)),
            recoverySeconds: round(recoverySeconds),
            ...balance,
            megabytes: pairs.map(({ app, first: before, last: after }) => ({
              app,
              first: before === null ? null : megabytes(before),
              last: after === null ? null : megabytes(after),
            })),
          })}`,
        );
        expect(workers.filter((worker) => !worker.running())).toEqual([]);
        expect(restarts).toBeGreaterThanOrEqual(10);
        expect(balance.crashed, 'attempts whose process died').toBe(0);
        expect(balance.duplicates).toBeLessThanOrEqual(balance.unknown);
        expect(recoverySeconds * 1_000).toBeLessThan(recoveryMaxMs);
        for (const { app, first: before, last: after } of pairs) {
          const grewBytes = before === null || after === null ? 0 : after - before;
          expect(grewBytes, `bytes that the ${app} grew by`).toBeLessThan(growthMaxBytes);
        }
      },
    ),
);

const round = (value: number): number => Math.round(value * 10) / 10;

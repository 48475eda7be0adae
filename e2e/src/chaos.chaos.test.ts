import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createPool } from '@tocsin/runtime';
import { startRestartableServer } from '@tocsin/testing';
import { afterAll, expect, test } from 'vitest';
import { crashPointsInCode } from './harness/crash-points.ts';
import { startFailingWork } from './harness/failing-work.ts';
import { expectBalance } from './harness/ledger.ts';
import { createRandom } from './harness/random.ts';
import type { Random } from './harness/random.ts';
import { startRestlessWork } from './harness/restless-work.ts';
import { withStage } from './harness/stage.ts';
import type { Stage } from './harness/stage.ts';
import { waitUntil } from './harness/wait-until.ts';

const killsMin = 100;
/** The chaos ends after this long even if the machine was too slow for so many kills; the test then fails. */
const chaosMaxMs = 300_000;
const quietMaxMs = 240_000;
/** How long a process may live, in milliseconds. */
const lifeMs = { min: 1_500, max: 6_000 };
/** Pause between restarts of Postgres, in milliseconds. */
const restartPauseMs = { min: 5_000, max: 10_000 };
/** Type of the jobs that are silent or wait for too long, again and again. */
const restless = 'restless';
/** Which pass of a crash point kills. */
const hitsMax = 3;
/** Processes that live, die and are started again side by side. */
const slots = ['detector', 'detector', 'notifier', 'notifier'] as const;
/** Crash points that a process passes in any such life; the others have their own test. */
const everyday =
  /^(?:detector\.(?:after_read|after_conditions|conditions|open_conditions|scan|reconcile|watch|successes)|notifier\.(?:before_send|after_send|claim|record|ingest|seal|settle|sweep))\b/;

const seed = Number(process.env['TOCSIN_CHAOS_SEED'] ?? randomInt(2 ** 31));
const server = await startRestartableServer();
const { connectionString } = server;
const pool = createPool({ connectionString, max: 6, applicationName: 'tocsin chaos', onError: () => {} });
afterAll(() => pool.end());

/** One life of a process: dies at a crash point, or by a kill from outside, whichever comes first. */
const live = async (
  stage: Stage,
  app: 'detector' | 'notifier',
  random: Random,
): Promise<{ readonly killed: boolean; readonly atPoint: boolean }> => {
  const points = crashPointsInCode().filter((name) => name.startsWith(app) && everyday.test(name));
  const point = `${random.pick(points)}:${1 + Math.floor(random.next() * hitsMax)}`;
  const worker = stage.start(app, { crashAt: point, env: { LOG_LEVEL: 'info' } });
  const timer = setTimeout(() => worker.signal('SIGKILL'), random.between(lifeMs.min, lifeMs.max));
  const exit = await worker.exited;
  clearTimeout(timer);
  return {
    killed: exit.signal === 'SIGKILL',
    atPoint: worker.errors().some((line) => line.startsWith('crash point ')),
  };
};

test(
  'whatever is killed and restarted, nothing is lost, and told twice only what the ledger calls unknown',
  { timeout: chaosMaxMs + quietMaxMs + 60_000 },
  () =>
    withStage(
      {
        database: { connectionString, pool },
        config: {
          delivery: { attempt_timeout: '2s', unknown_retry: '1s' },
          rules: [{ match: { job_type: restless }, stuck_after: '2s', stalled_after: '2s' }],
        },
        env: { TOCSIN_DIGEST_WINDOW: '1s' },
      },
      async (stage) => {
        console.log(`chaos: seed ${seed} (repeat with TOCSIN_CHAOS_SEED=${seed})`);
        const random = createRandom(seed);
        stage.expectErrors((text, entry) => entry?.['decision'] === 'TableUnreadable' || isRefusal(text));
        const startedMs = performance.now();
        const tally = { kills: 0, killsAtCrashPoints: 0, startsRefused: 0, postgresRestarts: 0 };
        const over = (): boolean => tally.kills >= killsMin || performance.now() - startedMs > chaosMaxMs;
        const ended = new AbortController();

        const work = startFailingWork(stage.jobs, { everyMs: 60, failures: 2, targets: 24, successEvery: 6 });
        const restlessWork = startRestlessWork(pool, stage.jobs, {
          jobType: restless,
          jobs: 4,
          pauseMs: { min: 500, max: 10_000 },
          random: createRandom(seed + 1),
        });
        const lives = slots.map(async (app) => {
          while (!over()) {
            const { killed, atPoint } = await live(stage, app, random);
            if (killed) tally.kills += 1;
            else tally.startsRefused += 1;
            if (atPoint) tally.killsAtCrashPoints += 1;
          }
        });
        const restarts = (async () => {
          while (!over()) {
            const pauseMs = random.between(restartPauseMs.min, restartPauseMs.max);
            await delay(pauseMs, undefined, { signal: ended.signal }).catch(() => {});
            if (ended.signal.aborted) return;
            await server.restart(random.pick(['fast', 'immediate']));
            tally.postgresRestarts += 1;
          }
        })();
        await Promise.all(lives);
        ended.abort();
        await restarts;
        await work.stop();
        await restlessWork.stop();
        const chaosSeconds = (performance.now() - startedMs) / 1_000;

        const calmMs = performance.now();
        stage.startBoth();
        await stage.quiet(quietMaxMs);
        await waitUntil(
          'every condition to have ended',
          async () => (await conditionsBegun()).every(({ ended }) => ended),
          {
            describe: conditionsBegun,
          },
        );
        await stage.quiet(quietMaxMs);
        const recoverySeconds = (performance.now() - calmMs) / 1_000;
        stage.takeMails();
        const conditions = await conditionsBegun();
        // As the log has it, each has begun once and ended once; the balance shows that each was told once.
        for (const condition of conditions) expect(condition).toMatchObject({ ended: true, begins: 1, ends: 1 });
        const kinds = Object.fromEntries(
          [...Map.groupBy(conditions, ({ kind }) => kind)].map(([kind, all]) => [kind, all.length]),
        );
        const balance = await expectBalance(pool, stage.smtp.messages(), { conditions: conditions.length });
        console.log(
          `chaos: ${JSON.stringify({ seed, ...tally, chaosSeconds: round(chaosSeconds), recoverySeconds: round(recoverySeconds), conditions: kinds, ...balance })}`,
        );
        expect(tally.kills).toBeGreaterThanOrEqual(killsMin);
        expect(balance.duplicates).toBeLessThanOrEqual(balance.unknown);
        expect(balance.failures).toBeGreaterThan(0);
        expect(kinds['stuck']).toBeGreaterThan(0);
        expect(kinds['stalled']).toBeGreaterThan(0);
      },
    ),
);

interface ConditionRow {
  readonly id: string;
  readonly kind: string;
  readonly ended: boolean;
  /** Events that say so. */
  readonly begins: number;
  readonly ends: number;
}

const conditionsBegun = async (): Promise<readonly ConditionRow[]> => {
  const { rows } = await pool.query<ConditionRow>(
    `select
       outcomes.id,
       outcomes.kind,
       outcomes.ended_at is not null as ended,
       count(*) filter (where events.type = 'FailureDetected')::integer as begins,
       count(*) filter (where events.type = 'FailureRetracted')::integer as ends
     from tocsin.outcomes
     left join tocsin.events on events.data ->> 'outcomeId' = outcomes.id::text
     where outcomes.subject is not null
     group by outcomes.id`,
  );
  return rows;
};

const round = (value: number): number => Math.round(value * 10) / 10;

/** What a worker says that was started while Postgres was away. */
const isRefusal = (text: string): boolean =>
  /No PostgreSQL answers|is starting or shutting down|was lost|did not answer in time|terminating connection/.test(
    text,
  );

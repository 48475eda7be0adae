import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from '@tocsin/runtime';
import { createTestDatabase } from '@tocsin/testing';
import { expect, test } from 'vitest';
import { startFailingWork } from './harness/failing-work.ts';
import { expectBalance } from './harness/ledger.ts';
import { megabytes, memoryOf } from './harness/memory.ts';
import { present } from './harness/present.ts';
import { withStage } from './harness/stage.ts';
import type { Stage } from './harness/stage.ts';
import { waitUntil } from './harness/wait-until.ts';

const database = await createTestDatabase();
const { pool } = database;

/** How long the sleepers sleep, in milliseconds. */
const sleepMs = 60_000;
/** How long the mail server takes to answer: time to fall asleep in. */
const answerMs = 1_500;
/** Longest that nobody is told anything because somebody sleeps, in milliseconds: a transaction left open is ended after 15 s. */
const silenceMaxMs = 45_000;
const recoveryMaxMs = 90_000;
/** Held by the test for as long as nobody may begin an attempt. */
const gate = 4_711;

test(
  'two notifiers and a detector are stopped in the middle of their work and go on a minute later: the sleepers send nothing twice',
  { timeout: sleepMs + recoveryMaxMs + 150_000 },
  () =>
    withStage(
      {
        database,
        config: { delivery: { attempt_timeout: '6s', unknown_retry: '1s' }, storm: 'off' },
        env: { TOCSIN_DIGEST_WINDOW: '1s' },
      },
      async (stage) => {
        // What the sleeper finds when it wakes up: a database that did not answer for a minute.
        stage.expectErrors(
          (_, entry) => entry?.['decision'] === 'TableUnreadable' || entry?.['decision'] === 'AuditFound',
        );
        stage.smtp.always({ kind: 'accept-late', afterMs: answerMs });
        const detectors = [stage.start('detector'), stage.start('detector')] as const;
        const work = startFailingWork(stage.jobs, { everyMs: 200, failures: 2, targets: 10_000 });

        // One falls asleep when it has asked for the attempt and is about to make it …
        const open = await closeGate(pool);
        const before = stage.start('notifier');
        const claimed = await attemptIn('claimed');
        await waitUntil('it to wait for its beginning', () => isWaiting(pool));
        before.signal('SIGSTOP');
        await open();
        // … another one while the mail server is about to answer.
        const within = stage.start('notifier');
        const attempting = await attemptIn('attempting', claimed);
        within.signal('SIGSTOP');
        const [sleeper] = detectors;
        sleeper.signal('SIGSTOP');
        const asleepMs = performance.now();
        const awake = stage.start('notifier');
        const silences = watchSilence(stage);
        await awake.waitForLog('that it has told somebody', ({ decision }) => decision === 'DeliveryAttempted');
        const memoryAtFirst = memoryOf(awake.pid);
        await delay(sleepMs);
        const longestSilenceMs = silences.longest();
        const toldMeanwhile = stage.smtp.messages().length;
        for (const worker of [before, within, sleeper]) worker.signal('SIGCONT');
        const sleptSeconds = (performance.now() - asleepMs) / 1_000;
        await delay(5_000);
        await work.stop();
        const wokenMs = performance.now();
        await stage.quiet(recoveryMaxMs);
        const recoverySeconds = (performance.now() - wokenMs) / 1_000;
        silences.stop();
        stage.takeMails();
        const balance = await expectBalance(pool, stage.smtp.messages());
        const copies = {
          before: await copiesOf(stage, claimed),
          within: await copiesOf(stage, attempting),
        };
        console.log(
          `sleepers: ${JSON.stringify({
            sleptSeconds: round(sleptSeconds),
            toldMeanwhile,
            longestSilenceSeconds: round(longestSilenceMs / 1_000),
            recoverySeconds: round(recoverySeconds),
            copies,
            outcomes: [await outcomesOf(claimed), await outcomesOf(attempting)],
            ...balance,
            megabytes: { first: megabytes(memoryAtFirst?.now ?? 0), last: megabytes(memoryOf(awake.pid)?.now ?? 0) },
          })}`,
        );
        expect([...detectors, before, within, awake].filter((worker) => !worker.running())).toEqual([]);
        // The sleeper's attempt is on record as never begun, so a mail of it would be one too many for the balance.
        expect((await outcomesOf(claimed))[0]).toBe('retry (crashed)');
        // The mail server may have had it, the sleeper could not say so: once more, and on record as unknown.
        expect((await outcomesOf(attempting))[0]).toBe('unknown (crashed)');
        expect(balance.duplicates).toBeLessThanOrEqual(balance.unknown);
        expect(balance.neverBegun).toBeGreaterThanOrEqual(1);
        expect(balance.crashed).toBeGreaterThanOrEqual(1);
        expect(longestSilenceMs).toBeLessThan(silenceMaxMs);
      },
    ),
);

/** Lets nobody begin an attempt; what is answered opens the gate again. */
const closeGate = async (to: Pool): Promise<() => Promise<void>> => {
  await to.query(`
    create function public.wait_at_gate() returns trigger language plpgsql as $$
    begin
      perform pg_advisory_lock_shared(${gate});
      perform pg_advisory_unlock_shared(${gate});
      return new;
    end $$;
    create trigger gate before update on tocsin.delivery_attempts
      for each row when (new.outcome = 'attempting') execute function public.wait_at_gate()`);
  const client = await to.connect();
  await client.query(`select pg_advisory_lock(${gate})`);
  return async () => {
    await client.query(`select pg_advisory_unlock(${gate})`);
    client.release();
  };
};

const isWaiting = async (to: Pool): Promise<boolean> => {
  const { rows } = await to.query(
    `select from pg_locks where locktype = 'advisory' and objid = ${gate} and not granted`,
  );
  return rows.length > 0;
};

/** Waits for an attempt in that state, and answers its delivery; another one than `not`. */
const attemptIn = (outcome: string, not = ''): Promise<string> =>
  waitUntil(`an attempt to be ${outcome}`, async () => {
    const { rows } = await pool.query<{ readonly id: string }>(
      `select delivery_id::text as id from tocsin.delivery_attempts
       where outcome = $1 and delivery_id::text <> $2 order by started_at desc limit 1`,
      [outcome, not],
    );
    return rows[0]?.id;
  });

const copiesOf = async ({ smtp }: Stage, deliveryId: string): Promise<number> => {
  const { rows } = await pool.query<{ readonly messageId: string }>(
    'select message_id as "messageId" from tocsin.deliveries where id = $1',
    [deliveryId],
  );
  const { messageId } = present(rows[0]);
  return smtp.messages().filter((mail) => mail.messageId.includes(messageId)).length;
};

/** What became of each attempt at a delivery. */
const outcomesOf = async (deliveryId: string): Promise<readonly string[]> => {
  const { rows } = await pool.query<{ readonly words: string }>(
    `select outcome || coalesce(' (' || reason || ')', '') as words
     from tocsin.delivery_attempts where delivery_id = $1 order by number`,
    [deliveryId],
  );
  return rows.map(({ words }) => words);
};

const lookEveryMs = 100;

/** Follows how long nobody is told anything. */
const watchSilence = ({ smtp }: Stage) => {
  let count = smtp.messages().length;
  let sinceMs = performance.now();
  let longestMs = 0;
  const look = (): void => {
    const now = smtp.messages().length;
    longestMs = Math.max(longestMs, performance.now() - sinceMs);
    if (now === count) return;
    count = now;
    sinceMs = performance.now();
  };
  const timer = setInterval(look, lookEveryMs);
  return { longest: () => longestMs, stop: () => clearInterval(timer) };
};

const round = (value: number): number => Math.round(value * 10) / 10;

import { createTestDatabase } from '@tocsin/testing';
import type { TestDatabase } from '@tocsin/testing';
import { describe, expect, test } from 'vitest';
import { attemptsMade } from './harness/attempts.ts';
import { expectBalance } from './harness/ledger.ts';
import { present } from './harness/present.ts';
import { startProviders } from './harness/providers.ts';
import type { Providers } from './harness/providers.ts';
import { storyTimeoutMs, withStage } from './harness/stage.ts';
import type { Stage } from './harness/stage.ts';
import { waitUntil } from './harness/wait-until.ts';
import type { Worker } from './harness/worker.ts';

/** Short times, so that a process that sleeps for seconds has slept for longer than anybody waits; see sleeper.chaos.test.ts for a minute. */
const impatient = { delivery: { attempt_timeout: '3s', unknown_retry: '1s' }, workers: { claim: '2s' } };

/** A moment at which a notifier may fall asleep, and what must come of it. */
interface Sleep {
  readonly title: string;
  /** Puts the notifier to sleep at the moment in question. */
  readonly fallAsleep: (stage: Stage, providers: Providers, sleeper: Worker) => Promise<void>;
  /** What the ledger says in the end; `sent` counts what the provider got. */
  readonly attempts: readonly (readonly [outcome: string, reason: string | null])[];
  readonly sent: number;
}

/** While it takes a message, and while it sends it. */
const sleeps: readonly Sleep[] = [
  {
    title:
      'while it takes the message (claimed): it was certainly not sent, another one sends it, the sleeper does not',
    fallAsleep: async (stage, _, sleeper) => {
      // The statement that says "the call is made now" waits for this lock, so the attempt is claimed and not begun.
      await stage.pool.query(
        `create function public.wait_for_test() returns trigger language plpgsql as
           'begin perform pg_advisory_xact_lock_shared(4711); return new; end'`,
      );
      await stage.pool.query(
        `create trigger wait_for_test before update on tocsin.delivery_attempts
         for each row when (new.outcome = 'attempting') execute function public.wait_for_test()`,
      );
      const holder = await stage.pool.connect();
      await holder.query('select pg_advisory_lock(4711)');
      await stage.jobs.failForGood();
      await waitUntil('the notifier to be about to begin', async () => {
        const { rows } = await stage.pool.query(
          `select 1 from pg_locks where locktype = 'advisory' and objid = 4711 and not granted`,
        );
        return rows.length > 0;
      });
      sleeper.signal('SIGSTOP');
      await holder.query('select pg_advisory_unlock(4711)');
      holder.release();
    },
    attempts: [
      ['retry', 'crashed'],
      ['accepted', null],
    ],
    sent: 1,
  },
  {
    title:
      'while the provider is called (attempting): recorded unknown, another one sends it again, the sleeper does not',
    fallAsleep: async (stage, { sendGrid }, sleeper) => {
      // It is asleep when the answer comes.
      sendGrid.next({ kind: 'accept-late', afterMs: 1_500 });
      await stage.jobs.failForGood();
      await sendGrid.waitForMessages(1, 90_000);
      sleeper.signal('SIGSTOP');
    },
    attempts: [
      ['unknown', 'crashed'],
      ['accepted', null],
    ],
    sent: 2,
  },
];

/** Puts a notifier to sleep, has another one tell, and wakes the first: it must not send what was sent. */
const tellSleep = async ({ title, fallAsleep, attempts, sent }: Sleep, database: TestDatabase): Promise<void> => {
  await using providers = await startProviders();
  const { sendGrid } = providers;
  const config = {
    ...impatient,
    channels: providers.channels,
    routes: [{ name: 'default', channels: ['grid'], digest: { window: 0 } }],
  };
  await withStage({ database, config }, async (stage) => {
    stage.start('detector');
    const sleeper = stage.start('notifier');
    await sleeper.waitForLog('that it is up', ({ msg }) => msg === 'notifier is up');
    await fallAsleep(stage, providers, sleeper);
    const asleepMs = performance.now();
    const other = stage.start('notifier');
    await other.waitForLog('that it has told', ({ msg }) => msg === 'delivery accepted');
    const tookMs = performance.now() - asleepMs;
    await stage.quiet();
    const before = sleeper.log().length;
    sleeper.signal('SIGCONT');
    const sleptMs = performance.now() - asleepMs;
    // Awake when it says so: it finds its claim lost, its attempt taken, or its turn of the housekeeping.
    await waitUntil('the sleeper to be at work again', () => sleeper.log().length > before);
    await other.stop();
    // Now it is alone, and told the next failure it does what it should: once.
    await stage.jobs.failForGood({ targetId: 'albums' });
    await sendGrid.waitForMessages(sent + 1, toldMaxMs);
    await stage.quiet();
    const made = await attemptsMade(stage.pool);
    expect(made.map(({ outcome, reason }) => [outcome, reason])).toEqual([...attempts, ['accepted', null]]);
    expect(sendGrid.messages()).toHaveLength(sent + 1);
    expect(sendGrid.requests()).toHaveLength(sent + 1);
    await expectBalance(stage.pool, providers.accepted(stage.smtp));
    console.log(
      `asleep ${title.split(':')[0]} for ${seconds(sleptMs)} s: another one had told after ${seconds(tookMs)} s`,
    );
  });
};

/** Longest wait for a message, in milliseconds. */
const toldMaxMs = 90_000;

const seconds = (ms: number): string => (ms / 1_000).toFixed(1);

describe.concurrent('a notifier that is put to sleep', async () => {
  const databases = await Promise.all(sleeps.map(() => createTestDatabase()));

  for (const [index, sleep] of sleeps.entries())
    test(`${sleep.title}`, { timeout: storyTimeoutMs }, () => tellSleep(sleep, present(databases[index])));
});

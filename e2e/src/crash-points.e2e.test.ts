import { listAlerts } from '@tocsin/event-store';
import { createTestDatabase } from '@tocsin/testing';
import type { TestDatabase } from '@tocsin/testing';
import { describe, expect, test } from 'vitest';
import { acknowledgeAs } from './harness/acknowledge-as.ts';
import { crashPointsInCode } from './harness/crash-points.ts';
import { expectBalance } from './harness/ledger.ts';
import { present } from './harness/present.ts';
import { storyTimeoutMs, withStage } from './harness/stage.ts';
import type { Stage, StartOptions } from './harness/stage.ts';
import type { App } from './harness/worker.ts';
import { waitUntil } from './harness/wait-until.ts';

const chains = [
  {
    name: 'catalog',
    source: 'apple',
    steps: [{ job_type: 'refresh_catalog', targets: ['albums', 'songs', 'artists'] }, { job_type: 'rebuild_index' }],
  },
];
const run = { payload: { chain_started_at: '2026-03-02T03:00:00Z' } };
const failures = [
  { targetId: 'albums', ...run },
  { targetId: 'songs', ...run },
  { source: 'google', jobType: 'import', targetId: 'a' },
  { source: 'google', jobType: 'import', targetId: 'b' },
];

/** Plays one story in which a process dies at each of these points in turn; the balance is drawn up afterwards. */
type Scenario = (stage: Stage, points: readonly string[], database: TestDatabase) => Promise<void>;

type WorkerApp = 'detector' | 'notifier';

const crashInTurn = async (
  stage: Stage,
  app: App,
  points: readonly string[],
  options?: StartOptions,
): Promise<void> => {
  for (const point of points) await stage.crash(app, point, options);
};

/** Failures are there; one process dies on its way with them, again and again, and is started once more. */
const tellsFailures: Scenario = async (stage, points) => {
  const app: WorkerApp = points[0]?.startsWith('detector.') === true ? 'detector' : 'notifier';
  await stage.jobs.failMany(failures);
  stage.start(app === 'detector' ? 'notifier' : 'detector');
  await crashInTurn(stage, app, points);
  stage.start(app);
  await stage.nextMail();
};

/** The failure was told; the detector dies on its way with the success. */
const tellsRecovery: Scenario = async (stage, points) => {
  await stage.jobs.failMany(failures);
  const { detector } = stage.startBoth();
  await stage.nextMail();
  await stage.quiet();
  await detector.stop();
  await stage.jobs.succeedMany(failures.filter(({ source }) => source === 'google'));
  await crashInTurn(stage, 'detector', points);
  stage.start('detector');
  await waitUntil('the recovery to be told', () => stage.smtp.messages().some(({ text }) => /works? again/.test(text)));
};

/** The table cannot be read at first, and the detector dies while it says that it is alive. */
const cannotReadAtFirst: Scenario = async (stage, points) => {
  stage.expectErrors((_, entry) => entry?.['decision'] === 'TableUnreadable');
  await stage.jobs.failMany(failures);
  await stage.pool.query('alter table public.research_jobs rename to research_jobs_away');
  stage.start('notifier');
  await crashInTurn(stage, 'detector', points);
  await stage.pool.query('alter table public.research_jobs_away rename to research_jobs');
  stage.start('detector');
  await stage.nextMail();
};

/** Somebody deletes the signals from the queue; a full pass finds that nobody ever decided, sends them again, and dies. */
const sendsAgain: Scenario = async (stage, points) => {
  await stage.jobs.failMany(failures);
  await stage.runOnce('detector');
  await stage.pool.query(`delete from pgboss.job where name = 'signals'`);
  await crashInTurn(stage, 'detector', points, { args: ['--once'] });
  await stage.runOnce('detector');
  stage.start('notifier');
  await stage.nextMail();
};

/** Nobody acknowledges in time; the notifier dies while it escalates. */
const escalates: Scenario = async (stage, points) => {
  await stage.jobs.failMany(failures);
  stage.start('detector');
  await crashInTurn(stage, 'notifier', points);
  stage.start('notifier');
  await waitUntil('the escalation to be told', () =>
    stage.smtp.messages().some(({ text }) => text.includes('Not acknowledged for')),
  );
};

/** The time of an acknowledgement runs out; the notifier dies on it. */
const lapses: Scenario = async (stage, points, database) => {
  await stage.jobs.failMany(failures.slice(0, 1));
  stage.start('detector');
  const notifier = stage.start('notifier');
  await stage.nextMail();
  await stage.quiet();
  await notifier.stop();
  const [alert] = await listAlerts(stage.pool, { limit: 1 });
  const id = present(alert?.id);
  expect(await acknowledgeAs(database, id, 'ann', { until: 'span', ms: 1_000 })).toMatchObject({ done: true });
  await crashInTurn(stage, 'notifier', points);
  stage.start('notifier');
  await waitUntil('the end of the acknowledgement to be told', () =>
    stage.smtp.messages().some(({ text }) => /acknowledgement by\s+ann\s+has\s+ended/.test(text)),
  );
};

/** A run by cron dies while it deletes what is past its time. */
const forgets: Scenario = async (stage, points) => {
  await stage.jobs.failMany(failures);
  await stage.runOnce('detector');
  await crashInTurn(stage, 'notifier', points, { args: ['--once'] });
  await stage.runOnce('notifier');
};

/** The only channel refuses the message; whoever starts next puts its news back on its way, and dies on it. */
const rejoins: Scenario = async (stage, points) => {
  stage.expectErrors((_, entry) => entry?.['decision'] === 'DeliveryAttempted');
  stage.smtp.next({ kind: 'refuse-data', code: 554, text: 'not this one' });
  await stage.jobs.failMany(failures);
  await stage.runOnce('detector');
  await stage.runOnce('notifier');
  await crashInTurn(stage, 'notifier', points);
  stage.start('notifier');
  await stage.nextMail();
};

/** The command line dies on a command; given again, it has been carried out once. */
const commands: Scenario = async (stage, points) => {
  await stage.jobs.failMany(failures.slice(0, 1));
  stage.startBoth();
  await stage.nextMail();
  await stage.quiet();
  const [alert] = await listAlerts(stage.pool, { limit: 1 });
  const args = ['alerts', 'ack', present(alert?.id), '--by', 'ann'];
  await crashInTurn(stage, 'cli', points, { args });
  stage.expectErrors((text) => text.includes('already acknowledged by ann'));
  expect(await stage.start('cli', { args }).waitForExit()).toMatchObject({ code: 1 });
  expect((await listAlerts(stage.pool, { limit: 1 }))[0]).toMatchObject({
    state: 'acknowledged',
    acknowledgedBy: 'ann',
  });
  const { rows } = await stage.pool.query(`select 1 from tocsin.events where type = 'AlertAcknowledged'`);
  expect(rows).toHaveLength(1);
};

interface Case {
  readonly points: readonly string[];
  readonly scenario?: Scenario;
  /** Attempts that end as unknown because their process died. Default 0. */
  readonly crashed?: number;
  /** Mails that the provider must get twice because of it. Default 0. */
  readonly duplicates?: number;
}

/** Dies before the commit, and the next process after it. */
const around = (transaction: string): readonly string[] => [
  `${transaction}.before_commit`,
  `${transaction}.after_commit`,
];

const cases: readonly Case[] = [
  { points: around('command'), scenario: commands },
  { points: ['detector.after_read'] },
  { points: around('detector.beat'), scenario: cannotReadAtFirst },
  { points: around('detector.load_cursor') },
  { points: around('detector.reconcile') },
  { points: around('detector.resend'), scenario: sendsAgain },
  { points: around('detector.run_context') },
  { points: around('detector.scan') },
  { points: around('detector.successes'), scenario: tellsRecovery },
  { points: around('detector.watch') },
  // The attempt was written down; nobody knows whether the provider was called, and here it was not.
  { points: ['notifier.before_send'], crashed: 1 },
  { points: around('notifier.claim'), crashed: 1 },
  // The provider accepted and nobody wrote it down: the one way to a duplicate.
  { points: ['notifier.after_send'], crashed: 1, duplicates: 1 },
  { points: around('notifier.record'), crashed: 1, duplicates: 1 },
  { points: around('notifier.escalate'), scenario: escalates },
  { points: around('notifier.forget'), scenario: forgets },
  { points: around('notifier.ingest') },
  { points: around('notifier.lapse'), scenario: lapses },
  { points: around('notifier.rejoin'), scenario: rejoins },
  { points: around('notifier.seal') },
  { points: around('notifier.settle') },
  { points: around('notifier.sweep') },
];

const configOf = ({ scenario }: Case) => ({
  chains,
  ...(scenario === escalates
    ? {
        routes: [{ name: 'default', channels: ['email'], digest: { window: 0 }, escalation: 'second' }],
        escalations: { second: { after: '1s', channels: ['email'] } },
      }
    : {}),
});

test('every crash point in the code is in the table, and no other', { timeout: storyTimeoutMs }, () => {
  expect(cases.flatMap(({ points }) => points).toSorted()).toEqual(crashPointsInCode());
});

for (const crashCase of cases) {
  const { points, scenario = tellsFailures, crashed = 0, duplicates = 0 } = crashCase;
  describe.concurrent(`killed at ${points.join(', then at ')}`, async () => {
    const database = await createTestDatabase();

    test('nothing is lost, and told twice only what the ledger calls unknown', { timeout: storyTimeoutMs }, () =>
      withStage({ database, config: configOf(crashCase) }, async (stage) => {
        await scenario(stage, points, database);
        await stage.quiet();
        stage.takeMails();
        const balance = await expectBalance(stage.pool, stage.smtp.messages(), {
          rejected: scenario === rejoins ? 1 : 0,
        });
        expect(balance.crashed).toBe(crashed);
        expect(balance.duplicates).toBeGreaterThanOrEqual(duplicates);
        // Every other unknown is an attempt that took longer than a busy machine allows.
        expect(balance.duplicates).toBeLessThanOrEqual(balance.unknown);
      }),
    );
  });
}

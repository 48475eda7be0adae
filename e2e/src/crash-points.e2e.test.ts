import { listAlerts } from '@tocsin/event-store';
import type { Queryable } from '@tocsin/runtime';
import { createTestDatabase } from '@tocsin/testing';
import { describe, expect, test } from 'vitest';
import { acknowledgeAs } from './harness/acknowledge-as.ts';
import { around, chains, crashInTurn, failures, once } from './harness/crash-case.ts';
import type { CrashCase, Scenario } from './harness/crash-case.ts';
import { crashPointsInCode } from './harness/crash-points.ts';
import { expectBalance } from './harness/ledger.ts';
import { present } from './harness/present.ts';
import { startProviders } from './harness/providers.ts';
import { quickTable, storyTimeoutMs, withStage } from './harness/stage.ts';
import { ofDeliveries, tellingCases } from './harness/telling-crashes.ts';
import { waitUntil } from './harness/wait-until.ts';

type WorkerApp = 'detector' | 'notifier';

/** Failures are there, and more come; one process dies on its way with them, again and again, and is started once more. */
const tellsFailures: Scenario = async (stage, points) => {
  const app: WorkerApp = points[0]?.startsWith('detector.') === true ? 'detector' : 'notifier';
  await stage.jobs.failMany(failures);
  stage.start(app === 'detector' ? 'notifier' : 'detector');
  for (const [index, point] of points.entries()) {
    if (index > 0) await stage.jobs.failMany([{ ...failures[index % failures.length], targetId: `more-${index}` }]);
    await stage.crash(app, point);
  }
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

/** Jobs fall silent; a run by cron dies while it says so. One beats again, and the next runs die while they say that. */
const fallsSilent: Scenario = async (stage, points) => {
  const ids = [await stage.jobs.fallSilent({ targetId: 'albums' }), await stage.jobs.fallSilent({ targetId: 'songs' })];
  const told = () =>
    stage.smtp
      .messages()
      .map(({ text }) => text)
      .join('\n');
  stage.start('notifier');
  await crashInTurn(stage, 'detector', points, once);
  await stage.runOnce('detector');
  await waitUntil('both to be told', () => ['albums', 'songs'].every((target) => told().includes(target)));
  await stage.jobs.beat(present(ids[0]));
  await crashInTurn(stage, 'detector', points, once);
  await stage.runOnce('detector');
  await waitUntil('the retraction to be told', () => /a\s+sign\s+of\s+life\s+at/.test(told()));
  const { rows } = await stage.pool.query(
    `select count(*)::integer as told, count(ended_at)::integer as ended,
       (select count(*)::integer from tocsin.events where type = 'FailureRetracted') as retracted
     from tocsin.outcomes where kind = 'stuck'`,
  );
  expect(rows).toEqual([{ told: 2, ended: 1, retracted: 1 }]);
};

/** Points at which an intention is on record and the row is as it was: the job is left alone, and that is told. */
const beforeTheChange: ReadonlySet<string> = new Set(['detector.intend_repairs.after_commit', 'janitor.after_intent']);

/** The janitor requeues a silent job, and dies around it; the row is changed at most once, and what became of it is told once. */
const repairs: Scenario = async (stage, points) => {
  const id = await stage.jobs.fallSilent({ targetId: 'albums', payload: { checkpoint: { stage: 'text_extracted' } } });
  stage.start('notifier');
  await crashInTurn(stage, 'detector', points, once);
  stage.start('detector');
  const done = !points.some((point) => beforeTheChange.has(point));
  await waitUntil('what became of the repair to be told', () =>
    stage.smtp.messages().some(({ text }) => (done ? /requeued/i : /left\s+alone/i).test(text)),
  );
  const { rows } = await stage.pool.query(
    `select job.status, job.attempts,
       (select array_agg(state) from tocsin.repairs) as repairs,
       (select count(*)::integer from tocsin.events where type = 'JobRepaired') as told
     from public.research_jobs as job where id = $1`,
    [id],
  );
  expect(rows).toEqual([
    { status: done ? 'pending' : 'running', attempts: 1, repairs: [done ? 'done' : 'skipped'], told: 1 },
  ]);
};

/** Work that was expected did not come; the detector dies when it first hears of the schedule. */
const isOverdue: Scenario = async (stage, points) => {
  await stage.jobs.failMany(failures);
  stage.start('notifier');
  await crashInTurn(stage, 'detector', points);
  stage.start('detector');
  await stage.nextMail();
};

/** The table cannot be read; a run by cron dies before it says so, the next one says it, and then it can be read again. */
const cannotBeRead: Scenario = async (stage, points) => {
  stage.expectErrors((text) => text.includes('there is no table public.research_jobs'));
  stage.start('notifier');
  await stage.pool.query('alter table public.research_jobs rename to research_jobs_away');
  await crashInTurn(stage, 'detector', points, once);
  await stage.start('detector', once).waitForExit();
  expect((await stage.nextMail()).text).toContain('cannot be read');
  await stage.pool.query('alter table public.research_jobs_away rename to research_jobs');
  stage.start('detector');
  expect((await stage.nextMail()).text).toContain('can be read again');
};

/** Somebody deletes the signals from the queue; a full pass finds that nobody ever decided, sends them again, and dies. */
const sendsAgain: Scenario = async (stage, points) => {
  await stage.jobs.failMany(failures);
  await stage.runOnce('detector');
  await stage.pool.query(`delete from pgboss.job where name = 'signals'`);
  await crashInTurn(stage, 'detector', points, once);
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
const lapses: Scenario = async (stage, points, { database }) => {
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
  await crashInTurn(stage, 'notifier', points, once);
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

const cases: readonly CrashCase[] = [
  ...tellingCases,
  {
    points: [
      'detector.after_read',
      ...['load_cursor', 'run_context', 'scan', 'reconcile', 'watch', 'activity', 'open_conditions'].flatMap((name) =>
        around(`detector.${name}`),
      ),
    ],
  },
  { points: ['ingest', 'seal', 'settle', 'sweep'].flatMap((name) => around(`notifier.${name}`)) },
  { points: around('command'), scenario: commands },
  { points: around('detector.beat'), scenario: cannotReadAtFirst },
  { points: ['detector.after_conditions'], scenario: fallsSilent, conditions: 2 },
  { points: around('detector.conditions'), scenario: fallsSilent, conditions: 2 },
  { points: around('detector.intend_repairs'), scenario: repairs, conditions: 1 },
  { points: around('detector.now'), scenario: cannotBeRead, conditions: 1 },
  { points: ['detector.repaired.before_commit'], scenario: repairs, conditions: 1 },
  { points: ['detector.repaired.after_commit'], scenario: repairs, conditions: 1 },
  { points: around('detector.resend'), scenario: sendsAgain },
  { points: around('detector.schedule'), scenario: isOverdue },
  { points: around('detector.successes'), scenario: tellsRecovery },
  { points: ['janitor.after_intent'], scenario: repairs, conditions: 1 },
  { points: ['janitor.after_change'], scenario: repairs, conditions: 1 },
  // The provider accepted and nobody wrote it down: the one way to a duplicate.
  { points: ['notifier.after_send'], crashed: 1, duplicates: 1 },
  { points: around('notifier.record'), crashed: 1, duplicates: 1 },
  { points: around('notifier.escalate'), scenario: escalates },
  { points: around('notifier.forget'), scenario: forgets },
  { points: around('notifier.lapse'), scenario: lapses },
  { points: around('notifier.rejoin'), scenario: rejoins, rejected: 1 },
];

/**
 * How long an attempt may take, and how long a process may be silent before another takes its work. Where nothing is to be
 * abandoned nobody waits for the first, so it is far above what a busy machine needs. Where a process dies with an attempt
 * the next one waits as long; and if the provider is to get the message twice, neither may end the attempt before that.
 */
const patienceOf = ({ crashed = 0, neverBegun = 0, duplicates = 0 }: CrashCase): Readonly<Record<string, unknown>> => ({
  delivery: {
    attempt_timeout: crashed + neverBegun > 0 ? (duplicates > 0 ? '20s' : '4s') : '30s',
    unknown_retry: '1s',
  },
  workers: { claim: duplicates > 0 ? '15s' : '2s' },
});

const configOf = (crashCase: CrashCase, connectionString: string) => ({
  chains,
  ...patienceOf(crashCase),
  ...configOfScenario(crashCase.scenario, connectionString),
});

const configOfScenario = (scenario: Scenario | undefined, connectionString: string) => ({
  ...(scenario === escalates
    ? {
        routes: [{ name: 'default', channels: ['email'], digest: { window: 0 }, escalation: 'second' }],
        escalations: { second: { after: '1s', channels: ['email'] } },
      }
    : {}),
  ...(scenario === repairs
    ? {
        rules: [{ match: {}, stuck_after: '15m', on_stuck: { action: 'requeue', backoff: '1h' } }],
        jobs: [
          { ...quickTable, columns: { checkpoint: 'payload.checkpoint' }, janitor_database_url: connectionString },
        ],
      }
    : {}),
  ...(scenario === isOverdue
    ? { schedules: [{ name: 'weekly', source: 'apple', job_type: 'weekly_report', every: '7d' }] }
    : {}),
});

const ownConditions = async (queryable: Queryable): Promise<number> => {
  const { rows } = await queryable.query<{ readonly count: number }>(
    `select count(*)::integer as count from tocsin.outcomes where job_table = 'tocsin'`,
  );
  return present(rows[0]).count;
};

test('every crash point in the code is in the table, and no other', { timeout: storyTimeoutMs }, () => {
  expect(cases.flatMap(({ points }) => points).toSorted()).toEqual(crashPointsInCode());
});

/** Those beside the way of a failure take a minute and a half of two cores, which `npm run chaos` has. */
const played = process.env['TOCSIN_CHAOS'] === '1' ? cases : cases.filter((one) => !tellingCases.includes(one));

for (const crashCase of played) {
  const { points, scenario = tellsFailures, crashed = 0, neverBegun = 0, duplicates = 0 } = crashCase;
  const { conditions = 0, rejected = 0, canaries = 0, byHand = 0, toProviders = false, env = {} } = crashCase;
  describe.concurrent(`killed at ${points.join(', then at ')}`, async () => {
    const database = await createTestDatabase();
    const { connectionString } = database;

    test(
      'nothing is lost, and told twice only what the ledger calls unknown',
      { timeout: storyTimeoutMs },
      async () => {
        await using providers = await startProviders();
        const config = {
          ...configOf(crashCase, connectionString),
          ...crashCase.config?.({ connectionString, providers }),
        };
        await withStage({ database, config, env }, async (stage) => {
          await scenario(stage, points, { database, providers });
          await stage.quiet();
          stage.takeMails();
          const accepted = toProviders ? providers.accepted(stage.smtp) : ofDeliveries(stage.smtp.messages());
          const balance = await expectBalance(stage.pool, accepted, {
            rejected,
            conditions: conditions === 'own' ? await ownConditions(stage.pool) : conditions,
            canaries,
            byHand,
          });
          // Where nothing is said of attempts, one may have been under way when its process died of something else.
          const said = crashed + neverBegun > 0;
          expect(balance).toMatchObject(said ? { crashed, neverBegun } : {});
          expect(balance.crashed + balance.neverBegun).toBeLessThanOrEqual(said ? crashed + neverBegun : points.length);
          expect(balance.duplicates).toBeGreaterThanOrEqual(duplicates);
          // Every other unknown is an attempt that took longer than a busy machine allows.
          expect(balance.duplicates).toBeLessThanOrEqual(balance.unknown);
        });
      },
    );
  });
}

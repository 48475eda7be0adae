import { alertModelVersion } from '@tocsin/alert-model';
import type { SmtpMail } from '@tocsin/testing';
import { expect } from 'vitest';
import { around, crashInTurn, failures } from './crash-case.ts';
import type { CrashCase, Scenario } from './crash-case.ts';
import { anyPort, clickAcknowledge, createSendGridHook, sendGridEvent } from './hooks.ts';
import { present } from './present.ts';
import { deliveryOf } from './providers.ts';
import type { Stage } from './stage.ts';
import { waitUntil } from './wait-until.ts';

/** The notifier has told the failures and is stopped; the detector runs. */
const toldBefore = async (stage: Stage): Promise<void> => {
  await stage.jobs.failMany(failures);
  const { notifier } = stage.startBoth();
  await stage.nextMail();
  await stage.quiet();
  await notifier.stop();
};

const untilMailed = (stage: Stage, what: string, words: RegExp, timeoutMs?: number): Promise<SmtpMail> =>
  waitUntil(
    what,
    () => stage.smtp.messages().find(({ text, subject }) => words.test(`${subject} ${text.replaceAll(/\s+/g, ' ')}`)),
    {
      describe: () => stage.smtp.messages().map(({ subject, text }) => [subject, text]),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    },
  );

const eventsOf = async ({ pool }: Stage, type: string): Promise<number> => {
  const { rows } = await pool.query<{ readonly count: number }>(
    'select count(*)::integer as count from tocsin.events where type = $1',
    [type],
  );
  return present(rows[0]).count;
};

/** Failures arrive before every death, so that there is always a message to die with. */
const diesAboutItsAttempt: Scenario = async (stage, points) => {
  await stage.jobs.failMany(failures);
  stage.start('detector');
  await crashInTurn(stage, 'notifier', points);
  stage.start('notifier');
  await stage.nextMail();
};

/** The server asks for patience; the notifier dies when the time has come. */
const waitsForItsTurn: Scenario = async (stage, points) => {
  const refusal = { kind: 'refuse-data', code: 451, text: 'try again later' } as const;
  stage.smtp.next(refusal, refusal);
  await stage.jobs.failMany(failures);
  stage.start('detector');
  await crashInTurn(stage, 'notifier', points);
  stage.start('notifier');
  await stage.nextMail();
};

/** More than half of a source fails at once; the detector dies when it counts how much of it succeeded. */
const isStorm: Scenario = async (stage, points) => {
  const jobs = Array.from({ length: 12 }, (_, index) => ({
    source: 'apple',
    jobType: 'import',
    targetId: `part-${index}`,
  }));
  await stage.jobs.failMany(jobs);
  stage.start('notifier');
  await crashInTurn(stage, 'detector', points);
  stage.start('detector');
  await untilMailed(stage, 'one incident', /12 apple\/import jobs failed/);
  await stage.quiet();
  expect(stage.smtp.messages()).toHaveLength(1);
};

/** Nothing happens, and the notifier dies on what it does for itself. */
const keepsHouse: Scenario = async (stage, points) => {
  // Where a start takes long, a detector may find that no notifier lives, and says so.
  stage.expectErrors((_, entry) => entry?.['decision'] === 'NotifierSilentTold');
  await toldBefore(stage);
  await stage.pool.query('update tocsin.alerts set model_version = $1', [alertModelVersion - 1]);
  await crashInTurn(stage, 'notifier', points);
  stage.start('notifier');
  await waitUntil('the read models to be of this version', async () => {
    const { rows } = await stage.pool.query('select 1 from tocsin.alerts where model_version <> $1', [
      alertModelVersion,
    ]);
    return rows.length === 0;
  });
};

/** A failure of Tocsin's own making is to travel from the table to a file; the notifier dies while it makes it. */
const sendsCanary: Scenario = async (stage, points) => {
  await stage.jobs.failMany(failures);
  stage.start('detector');
  await crashInTurn(stage, 'notifier', points);
  stage.start('notifier');
  await stage.nextMail();
  await waitUntil('the canary to arrive', async () => {
    const { rows } = await stage.pool.query(
      `select 1 from tocsin.deliveries where channel = 'tocsin_canary' and state = 'accepted'`,
    );
    return rows.length === 1;
  });
};

/** Somebody lost the timers; the second net finds the alert whose clock has run out, and dies on it. */
const catchesUp: Scenario = async (stage, points) => {
  await toldBefore(stage);
  await stage.pool.query(`delete from pgboss.job where name = 'timers'`);
  await stage.pool.query(`update tocsin.alerts set next_action_at = next_action_at - interval '1 hour'`);
  await crashInTurn(stage, 'notifier', points);
  stage.start('notifier');
  await untilMailed(stage, 'the escalation', /Not acknowledged for/);
};

/** It is time to say that all is quiet; the notifier dies while it says so. */
const tellsThatAllIsQuiet: Scenario = async (stage, points) => {
  await toldBefore(stage);
  // The time of the year has passed since it was last said.
  await stage.pool.query(
    `update tocsin.cursors set changed_at = changed_at - interval '2 years' where name like 'all-quiet/%'`,
  );
  await crashInTurn(stage, 'notifier', points);
  stage.start('notifier');
  await untilMailed(stage, 'that all is quiet', /All quiet, 3 open/);
  await stage.quiet();
  expect(stage.smtp.messages().filter(({ subject }) => subject.startsWith('All quiet'))).toHaveLength(1);
};

const maintenance = [{ name: 'maintenance', match: { source: 'google' }, until: '2999-01-01T00:00:00Z' }];

/** A silence comes into the file and leaves it; the notifier dies on either. What failed meanwhile is told at the end, once. */
const silences: Scenario = async (stage, points) => {
  await toldBefore(stage);
  await stage.configure({ silences: maintenance });
  await crashInTurn(stage, 'notifier', points);
  const notifier = stage.start('notifier');
  await waitUntil('two alerts to be muted', async () => (await eventsOf(stage, 'AlertSilenced')) === 2);
  await stage.jobs.failMany(failures.slice(2));
  await waitUntil('the muted failures', async () => (await eventsOf(stage, 'FailureDetected')) === failures.length + 2);
  await stage.quiet();
  expect(stage.smtp.messages(), 'mails while muted').toHaveLength(1);
  await notifier.stop();
  await stage.configure({});
  await crashInTurn(stage, 'notifier', points);
  stage.start('notifier');
  await untilMailed(stage, 'what failed while it was muted', /while silenced by tocsin\.yaml/);
  await stage.quiet();
  expect(await eventsOf(stage, 'AlertUnsilenced')).toBe(2);
};

/** A key that fails and recovers again and again is told once; the notifier dies when it has settled. */
const flaps: Scenario = async (stage, points) => {
  const [job] = failures.slice(2);
  const { notifier } = stage.startBoth();
  for (let turn = 0; turn < 2; turn += 1) {
    await stage.jobs.failMany([present(job)]);
    await stage.nextMail();
    await stage.jobs.succeedMany([present(job)]);
    await stage.nextMail();
  }
  await stage.quiet();
  await notifier.stop();
  await stage.jobs.failMany([present(job)]);
  await crashInTurn(stage, 'notifier', points);
  stage.start('notifier');
  await untilMailed(stage, 'that it has settled', /no longer flapping|keeps failing/);
  await stage.quiet();
  expect(await eventsOf(stage, 'FlappingEnded')).toBe(1);
};

const sendGridHook = createSendGridHook();

/** SendGrid says that the mail came back; the notifier dies while it hears it, and SendGrid says it again. */
const hearsOfBounce: Scenario = async (stage, points, { providers: { sendGrid } }) => {
  await stage.jobs.failMany(failures);
  const { notifier } = stage.startBoth();
  const [mail] = await sendGrid.waitForMessages(1, 60_000);
  await stage.quiet();
  await notifier.stop();
  stage.expectErrors((_, entry) => entry?.['decision'] === 'MessageBounced');
  const bounce = sendGridEvent(present(mail), 'bounce');
  for (const point of points)
    await stage.crash('notifier', point, {}, async (worker) => {
      const answer = await sendGridHook.post(worker, [bounce]);
      if (point.startsWith('notifier.provider_events')) expect(answer, 'SendGrid has no answer').toBeNull();
    });
  const last = stage.start('notifier');
  expect(await sendGridHook.post(last, [bounce, sendGridEvent(present(mail), 'delivered')])).toBe(200);
  const told = await untilMailed(stage, 'the failure, through the next channel', /albums/);
  expect(told.text.replaceAll(/\s+/g, ' ')).toMatch(/accepted by the channel "grid" and came back/);
  await stage.quiet();
  expect(await eventsOf(stage, 'DigestBounced')).toBe(1);
  expect(stage.smtp.messages()).toHaveLength(1);
};

/** Somebody clicks on Acknowledge; the notifier dies on it, and he clicks again. */
const isClicked: Scenario = async (stage, points, { providers: { slack } }) => {
  await stage.jobs.failMany(failures.slice(0, 1));
  const { notifier } = stage.startBoth();
  const deliveryId = deliveryOf(present((await slack.waitForMessages(1, 60_000))[0]));
  await stage.quiet();
  await notifier.stop();
  for (const point of points)
    await stage.crash('notifier', point, {}, (worker) => clickAcknowledge(worker, deliveryId));
  const last = stage.start('notifier');
  expect(await clickAcknowledge(last, deliveryId, 'a secret that is not the app’s')).toBe(403);
  expect(await clickAcknowledge(last, deliveryId)).toBe(200);
  await stage.quiet();
  expect(await eventsOf(stage, 'AlertAcknowledged')).toBe(1);
};

/** Every channel refused the message; somebody has it sent again, and the command dies on that. */
const isSentAgain: Scenario = async (stage, points) => {
  stage.expectErrors((_, entry) => entry?.['decision'] === 'DeliveryAttempted');
  stage.smtp.next({ kind: 'refuse-data', code: 554, text: 'not this one' });
  await stage.jobs.failMany(failures);
  await stage.runOnce('detector');
  await stage.runOnce('notifier');
  const args = ['deliveries', 'retry', '--all', '--by', 'ann'];
  await crashInTurn(stage, 'cli', points, { args });
  expect(await stage.start('cli', { args }).waitForExit()).toMatchObject({ code: 0 });
  stage.start('notifier');
  await stage.nextMail();
  await stage.quiet();
  expect(await eventsOf(stage, 'DigestRedriven')).toBe(1);
};

/** By the detector's own path: of no delivery. */
const isOwnPath = ({ text }: Pick<SmtpMail, 'text'>): boolean =>
  /sends this by itself/.test(text.replaceAll(/\s+/g, ' '));

/** An alert about a notifier is gathered for a minute, in milliseconds, with as much again for a busy machine. */
const backMaxMs = 120_000;

/** No notifier lives. A detector says so by itself, and dies around it; another one takes it for dead after two minutes. */
const missesTheNotifier: Scenario = async (stage, points) => {
  stage.expectErrors((_, entry) => entry?.['decision'] === 'NotifierSilentTold');
  await stage.jobs.failMany(failures);
  const { detector } = stage.startBoth();
  await stage.nextMail();
  await stage.quiet();
  await Promise.all(stage.workers().map((worker) => worker.stop()));
  expect(detector.running()).toBe(false);
  for (const point of points.filter((name) => name.startsWith('detector.'))) {
    await stage.crash('detector', point);
    await stage.pool.query(
      `update tocsin.cursors set changed_at = changed_at - interval '3 minutes' where name = 'self/notifier'`,
    );
  }
  const own = stage.smtp.messages().filter(isOwnPath);
  // Whoever died after the provider had accepted, and before it was written down, was not to be known to have told.
  // Where a start takes long, the one before it may be taken for dead once more.
  expect(own.length).toBeGreaterThanOrEqual(3);
  expect(own.length).toBeLessThanOrEqual(points.length);
  expect(new Set(own.map(({ messageId }) => messageId)).size).toBe(1);
  // From here on nobody is missed, however long it takes to start on a busy machine.
  await stage.configure({ self_watch: { canary: 'off', stale_after: '1h' } });
  // A notifier that finds its silence on record says that it is back, before a detector could see it.
  await crashInTurn(
    stage,
    'notifier',
    points.filter((name) => name.startsWith('notifier.')),
  );
  stage.start('detector');
  stage.start('notifier');
  await untilMailed(stage, 'that a notifier is back', /signs of life again/, backMaxMs);
};

/** Crash points of what makes telling reliable. */
export const tellingCases: readonly CrashCase[] = [
  {
    points: [
      ...around('detector.notifier'),
      'detector.before_own_path',
      'detector.after_own_path',
      ...around('detector.notifier_told'),
      ...around('notifier.back'),
    ],
    scenario: missesTheNotifier,
    config: () => ({ self_watch: { canary: 'off', stale_after: '5s' } }),
    conditions: 'own',
  },
  // Written down and certainly not sent: made again at once, and not counted as unknown.
  {
    points: [...around('notifier.claim'), 'notifier.begin.before_commit'],
    scenario: diesAboutItsAttempt,
    neverBegun: 2,
  },
  // It was on record that the call is made now; nobody knows whether it was, and here it was not.
  { points: ['notifier.begin.after_commit', 'notifier.before_send'], scenario: diesAboutItsAttempt, crashed: 2 },
  { points: around('notifier.hand_over'), scenario: waitsForItsTurn },
  {
    points: [
      ...around('notifier.refresh'),
      ...around('notifier.forget_channels'),
      ...around('notifier.beat'),
      ...around('notifier.watch_detector'),
      ...around('notifier.tell_component'),
    ],
    scenario: keepsHouse,
    config: () => ({ self_watch: { canary: 'off', stale_after: '30s', audit_every: '1s' } }),
    conditions: 'own',
  },
  {
    points: around('notifier.canary'),
    scenario: sendsCanary,
    config: () => ({ self_watch: { canary: '1h', stale_after: '1h' } }),
    canaries: 1,
  },
  {
    points: around('notifier.catch_up'),
    scenario: catchesUp,
    config: () => ({
      routes: [{ name: 'default', channels: ['email'], digest: { window: 0 }, escalation: 'second' }],
      escalations: { second: { after: '5s', channels: ['email'] } },
    }),
  },
  {
    points: around('notifier.all_quiet'),
    scenario: tellsThatAllIsQuiet,
    config: () => ({
      routes: [
        {
          name: 'default',
          channels: ['email'],
          digest: { window: 0, all_quiet: { cron: '0 0 1 1 *', timezone: 'UTC' } },
        },
      ],
    }),
  },
  { points: [...around('notifier.silences'), ...around('notifier.silence')], scenario: silences },
  {
    points: around('notifier.settle_flapping'),
    scenario: flaps,
    config: () => ({ flapping: { times: 2, within: '1h', hold: '8s' } }),
  },
  {
    points: [...around('notifier.provider_events'), ...around('notifier.bounce')],
    scenario: hearsOfBounce,
    toProviders: true,
    config: ({ providers }) => ({
      channels: providers.channels,
      routes: [{ name: 'default', channels: ['grid'], fallback: ['mail'], digest: { window: 0 } }],
    }),
    env: { ...anyPort, SENDGRID_WEBHOOK_KEY: sendGridHook.publicKey },
  },
  {
    points: around('notifier.acknowledge'),
    scenario: isClicked,
    toProviders: true,
    config: ({ providers }) => ({
      channels: providers.channels,
      routes: [{ name: 'default', channels: ['chat'], digest: { window: 0 } }],
    }),
    env: anyPort,
  },
  { points: around('detector.source_successes'), scenario: isStorm },
  { points: around('notifier.redeliver'), scenario: isSentAgain, byHand: failures.length },
];

/** Mails of deliveries: without those that a detector sends by itself. */
export const ofDeliveries = (mails: readonly SmtpMail[]): readonly SmtpMail[] =>
  mails.filter((mail) => !isOwnPath(mail));

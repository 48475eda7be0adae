import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { DeliveryId } from '@tocsin/alert-model';
import { createPool } from '@tocsin/runtime';
import { startRestartableServer } from '@tocsin/testing';
import { afterAll, expect, test } from 'vitest';
import { expectBooksInOrder } from './harness/books.ts';
import { conditionsBegun } from './harness/conditions-begun.ts';
import { expectCopies } from './harness/copies.ts';
import { crashPointsInCode } from './harness/crash-points.ts';
import { startFailingWork } from './harness/failing-work.ts';
import { createSendGridHook } from './harness/hooks.ts';
import type { JobFields } from './harness/jobs.ts';
import { expectRecordsInOrder } from './harness/ledger.ts';
import { megabytes, memoryOf } from './harness/memory.ts';
import { expectEveryFailureTold } from './harness/news-books.ts';
import { openOperator } from './harness/operator.ts';
import type { Operator } from './harness/operator.ts';
import { present } from './harness/present.ts';
import { startProviders } from './harness/providers.ts';
import type { Providers } from './harness/providers.ts';
import { createRandom } from './harness/random.ts';
import type { Random } from './harness/random.ts';
import { startRestlessOperator } from './harness/restless-operator.ts';
import { startRestlessProviders } from './harness/restless-providers.ts';
import { startRestlessWork } from './harness/restless-work.ts';
import { startSendGridWords } from './harness/sendgrid-words.ts';
import { withStage } from './harness/stage.ts';
import type { Stage } from './harness/stage.ts';
import { waitUntil } from './harness/wait-until.ts';
import type { LogEntry } from './harness/worker.ts';

const killsMin = 300;
/** Of these at a crash point, rather than from outside. */
const killsAtPointsMin = 60;
/** The chaos ends after this long even if the machine was too slow for so many kills; the test then fails. */
const chaosMaxMs = 480_000;
/** Longest time from the last kill until nothing is left to do, in milliseconds. */
const recoveryMaxMs = 150_000;
/** How long a process may live once it is up, in milliseconds … */
const lifeMs = { short: { min: 50, max: 2_000 }, long: { min: 2_000, max: 7_000 } };
const shortShare = 0.6;
/** … and those that are killed while they begin, whatever they have come to. */
const birthMs = { min: 100, max: 3_000 };
const birthShare = 0.15;
/** A process that does not come up, because the database is away, lives so long at most. */
const lifeMaxMs = 15_000;
/** Pause between restarts of Postgres, in milliseconds. */
const restartPauseMs = { min: 20_000, max: 40_000 };
/** When, by kills, a burst of failures comes, and when Slack refuses the token. */
const burstAtKills = [60, 180] as const;
const parkAtKills = 120;
/** How long the token is refused at least, in milliseconds. */
const parkedMs = 8_000;
/** New pieces of work that fail in one moment: a storm. */
const burst = 300;
/** Type of the jobs that are silent or wait for too long, again and again. */
const restless = 'restless';
/** Which pass of a crash point kills. */
const hitsMax = 3;
/** Share of the lives that end at a point which every life passes, if they end at a point at all. */
const everydayShare = 0.7;
/** Crash points that a process passes in any such life; the others are passed now and then, and have their own test. */
const everyday =
  /^(?:detector\.(?:after_read|after_conditions|conditions|open_conditions|scan|reconcile|watch|successes)|notifier\.(?:before_send|after_send|claim|begin|record|ingest|seal|settle|sweep|provider_events|escalate|settle_flapping|silence))\b/;
/** How late an action of an alert may be when all is quiet, in milliseconds. */
const actionLateMaxMs = 15_000;

const seed = Number(process.env['TOCSIN_CHAOS_SEED'] ?? randomInt(2 ** 31));
const server = await startRestartableServer();
const { connectionString } = server;
const pool = createPool({ connectionString, max: 8, applicationName: 'tocsin chaos', onError: () => {} });
afterAll(() => pool.end());

const configOf = (providers: Providers) => ({
  channels: providers.channels,
  delivery: { attempt_timeout: '5s', unknown_retry: '1s' },
  rules: [{ match: { job_type: restless }, stuck_after: '2s', stalled_after: '2s' }],
  routes: [
    { name: 'mail', channels: ['mail'], fallback: ['hook'], digest: { window: '1s' }, escalation: 'night' },
    {
      name: 'grid',
      match: { source: 'apple' },
      channels: ['grid'],
      fallback: ['mail'],
      digest: { window: '1s', max_items: 20 },
    },
    { name: 'chat', match: { source: 'apple' }, channels: ['chat'], digest: { window: '1s', first_at_once: true } },
    {
      name: 'hook',
      match: { source: 'apple' },
      channels: ['hook'],
      digest: { window: '2s', all_quiet: { cron: '* * * * *' } },
    },
  ],
  escalations: {
    night: {
      levels: [
        { after: '4s', channels: ['hook'] },
        { after: '8s', channels: ['grid'] },
      ],
      repeat: { every: '5s', times: 2 },
    },
  },
  storm: { keys: 60, within: '5s', update: '2s' },
  flapping: { times: 3, within: '5m', hold: '3s' },
  self_watch: { canary: 'off', audit_every: '5s' },
});

/** Who lives, dies and is started again side by side. */
interface Slot {
  readonly app: 'detector' | 'notifier';
  readonly env: Readonly<Record<string, string>>;
}

interface Death {
  readonly killed: boolean;
  /** Where, when it was at a crash point. */
  readonly point: string | null;
}

const lookEveryMs = 25;

const isUp = ({ msg, decision }: LogEntry): boolean => msg === 'notifier is up' || decision === 'CursorLoaded';

/** One life of a process: dies at a crash point, or by a kill from outside, whichever comes first. */
const live = async (stage: Stage, { app, env }: Slot, random: Random): Promise<Death> => {
  const all = crashPointsInCode().filter((name) => name.startsWith(app));
  const points = random.next() < everydayShare ? all.filter((name) => everyday.test(name)) : all;
  const point = `${random.pick(points)}:${1 + Math.floor(random.next() * hitsMax)}`;
  const worker = stage.start(app, { crashAt: point, env: { LOG_LEVEL: 'info', ...env } });
  const early = random.next() < birthShare ? random.between(birthMs.min, birthMs.max) : lifeMaxMs;
  const timers = [setTimeout(() => worker.signal('SIGKILL'), early)];
  const untilUp = setInterval(() => {
    if (!worker.log().some(isUp)) return;
    clearInterval(untilUp);
    const { min, max } = random.next() < shortShare ? lifeMs.short : lifeMs.long;
    timers.push(setTimeout(() => worker.signal('SIGKILL'), random.between(min, max)));
  }, lookEveryMs);
  const exit = await worker.exited;
  clearInterval(untilUp);
  for (const timer of timers) clearTimeout(timer);
  const words = worker.errors().find((line) => line.startsWith('crash point '));
  return { killed: exit.signal === 'SIGKILL', point: words?.split(' ')[2] ?? null };
};

test(
  'whatever is killed and restarted, nothing is lost, and told twice only what the ledger calls unknown',
  { timeout: chaosMaxMs + 2 * recoveryMaxMs + 120_000 },
  async () => {
    await using providers = await startProviders();
    const hook = createSendGridHook();
    const ports = await freePorts(3);
    const env = { SENDGRID_WEBHOOK_KEY: hook.publicKey };
    await withStage({ database: { connectionString, pool }, config: configOf(providers), env }, async (stage) => {
      console.log(`chaos: seed ${seed} (repeat with TOCSIN_CHAOS_SEED=${seed})`);
      const random = createRandom(seed);
      stage.expectErrors(isPartOfIt);
      const startedMs = performance.now();
      const deaths: Death[] = [];
      let postgresRestarts = 0;
      const kills = (): number => deaths.filter(({ killed }) => killed).length;
      const over = (): boolean => kills() >= killsMin || performance.now() - startedMs > chaosMaxMs;
      const ended = new AbortController();
      const slots: readonly Slot[] = [
        { app: 'detector', env: {} },
        { app: 'detector', env: {} },
        ...ports.map((port) => ({ app: 'notifier' as const, env: { TOCSIN_NOTIFIER_PORT: String(port) } })),
      ];

      const operator = await openOperator(
        { connectionString, pool },
        { directory: stage.directory, env: { ...env, SMTP_URL: stage.smtp.url } },
      );
      // Some of it fails and recovers again and again, some of it only fails.
      const flapping = startFailingWork(stage.jobs, { everyMs: 150, failures: 2, targets: 16, successEvery: 5 });
      const failing = startFailingWork(stage.jobs, { everyMs: 300, failures: 2, targets: 40, jobType: 'import' });
      const restlessWork = startRestlessWork(pool, stage.jobs, {
        jobType: restless,
        jobs: 4,
        pauseMs: { min: 500, max: 10_000 },
        random: createRandom(seed + 1),
      });
      const restlessOperator = startRestlessOperator(pool, operator, {
        pauseMs: { min: 200, max: 1_500 },
        spanMs: { min: 1_000, max: 8_000 },
        random: createRandom(seed + 2),
      });
      const restlessProviders = startRestlessProviders(providers, stage.smtp, {
        pauseMs: { min: 500, max: 3_000 },
        random: createRandom(seed + 3),
      });
      const words = startSendGridWords(providers.sendGrid, {
        hook,
        ports,
        lateMs: { min: 100, max: 6_000 },
        bounces: 0.15,
        repeated: 0.3,
        random: createRandom(seed + 4),
      });
      const bursts = playBursts(stage, kills, over);
      const parked = parkAndRepair(providers, operator, kills, over);
      const restarts = (async () => {
        while (!over()) {
          const pauseMs = random.between(restartPauseMs.min, restartPauseMs.max);
          await delay(pauseMs, undefined, { signal: ended.signal }).catch(() => {});
          if (ended.signal.aborted) return;
          await server.restart(random.pick(['fast', 'immediate']));
          postgresRestarts += 1;
        }
      })();
      await Promise.all(
        slots.map(async (slot) => {
          while (!over()) deaths.push(await live(stage, slot, random));
        }),
      );
      const lastKillMs = performance.now();
      ended.abort();
      await restarts;
      const [burstWork, wasParked] = await Promise.all([bursts, parked]);
      await Promise.all(
        [flapping, failing, restlessWork, restlessOperator, restlessProviders].map((one) => one.stop()),
      );

      const calm = slots.slice(1).map(({ app, env: own }) => stage.start(app, { env: own }));
      await stage.quiet(recoveryMaxMs);
      const recoverySeconds = (performance.now() - lastKillMs) / 1_000;
      const points = deaths.flatMap(({ point }) => point ?? []);
      console.log(
        `chaos: ${JSON.stringify({
          seed,
          kills: kills(),
          killsAtCrashPoints: points.length,
          differentCrashPoints: new Set(points).size,
          startsRefused: deaths.length - kills(),
          postgresRestarts,
          chaosSeconds: round((lastKillMs - startedMs) / 1_000),
          recoverySeconds: round(recoverySeconds),
        })}`,
      );
      const memoryAtFirst = calm.map(({ pid }) => memoryOf(pid));
      await expectActionsInTime();

      // Then everything works again, and everybody who was told of a failure is told so.
      for (const id of await activeSilences()) await operator.endSilence(id);
      await stage.jobs.succeedMany([...flapping.work, ...failing.work, ...burstWork]);
      await waitUntil('every alert to be resolved', async () => (await openAlerts()).length === 0, {
        timeoutMs: recoveryMaxMs,
        describe: openAlerts,
      });
      await stage.quiet(recoveryMaxMs);
      await words.stop();
      await stage.quiet(recoveryMaxMs);
      await operator.leave();
      stage.takeMails();

      const conditions = await conditionsBegun(pool);
      const kinds = countBy(conditions, ({ kind }) => kind);
      const { failures, events, states } = await expectRecordsInOrder(pool, { conditions: conditions.length });
      const closedByHand = new Set(
        states.filter(({ resolution }) => resolution?.reason === 'operator').map(({ id }) => id as string),
      );
      // As the log has it, each has begun once and ended once, unless somebody closed its alert before it ended.
      for (const condition of conditions) {
        expect(condition).toMatchObject({ ended: true, begins: 1 });
        if (condition.ends === 0 && closedByHand.has(condition.alertId ?? '')) continue;
        expect(condition).toMatchObject({ ends: 1 });
      }
      for (const { key, next } of states) expect(next, `next action of ${key}`).toEqual({ action: 'none', at: null });
      const news = expectEveryFailureTold(events);
      const copies = await expectCopies(pool, providers.accepted(stage.smtp));
      await expectBooksInOrder(stage);
      console.log(
        `chaos: ${JSON.stringify({
          failures,
          conditions: kinds,
          alerts: states.length,
          events: events.length,
          news,
          copies,
          sendGridSaid: words.said(),
          commands: restlessOperator.done(),
          faults: restlessProviders.done(),
          happened: countBy(
            events.filter(({ event }) => remarkable.has(event.type)),
            ({ event }) => event.type,
          ),
          megabytes: calm.map(({ app, pid }, index) => ({
            app,
            first: megabytes(memoryAtFirst[index]?.now ?? 0),
            last: megabytes(memoryOf(pid)?.now ?? 0),
          })),
        })}`,
      );
      expect(kills()).toBeGreaterThanOrEqual(killsMin);
      expect(points.length).toBeGreaterThanOrEqual(killsAtPointsMin);
      expect(wasParked, 'the channel was parked and repaired').toBe(true);
      expect(conditions.map(({ jobId }) => jobId)).toContain('channel/chat');
      expect(failures).toBeGreaterThan(0);
      for (const [channel, { repetitions, unknown }] of Object.entries(copies))
        expect(repetitions, `repetitions through ${channel}`).toBeLessThanOrEqual(unknown);
      // Slack can be asked whether it has a message.
      expect(present(copies['chat']).repetitions).toBe(0);
      for (const kind of ['stuck', 'stalled']) expect(kinds[kind]).toBeGreaterThan(0);
      for (const type of remarkable) expect(events.map(({ event }) => event.type)).toContain(type);
      expect(recoverySeconds * 1_000).toBeLessThan(recoveryMaxMs);
    });
  },
);

/** What must have happened at all, or the chaos was none. */
const remarkable: ReadonlySet<string> = new Set([
  'AlertAcknowledged',
  'AcknowledgementLapsed',
  'AlertSilenced',
  'AlertUnsilenced',
  'AlertEscalated',
  'ResolutionHeld',
  'FlappingEnded',
  'NotificationBounced',
  'DigestBounced',
  'DigestFailed',
]);

/** Twice a few hundred pieces of work fail in one moment, and are fine again a while later. Answers all of it. */
const playBursts = async ({ jobs }: Stage, kills: () => number, over: () => boolean): Promise<readonly JobFields[]> => {
  const played: JobFields[] = [];
  for (const [index, atKills] of burstAtKills.entries()) {
    await waitFor(() => kills() >= atKills || over());
    const work = Array.from({ length: burst }, (_, number) => ({
      source: 'apple',
      jobType: `burst-${number % 5}`,
      targetId: `burst-${index}-${number}`,
    }));
    // What the database does not take is not in it: it is one transaction.
    await untilTaken(() => jobs.failMany(work, (number) => `cause ${number % 3}: no route to host`));
    played.push(...work);
    await waitFor(() => kills() >= atKills + 30 || over());
    await untilTaken(() => jobs.succeedMany(work));
  }
  return played;
};

/** Slack refuses the token for a while; then it is right again, and somebody sends what waited. Answers whether all of that happened. */
const parkAndRepair = async (
  { slack }: Providers,
  operator: Operator,
  kills: () => number,
  over: () => boolean,
): Promise<boolean> => {
  await waitFor(() => kills() >= parkAtKills || over());
  slack.always({ kind: 'status', status: 200, body: { ok: false, error: 'token_revoked' } });
  let wasParked = false;
  await waitFor(async () => {
    wasParked = await isParked().catch(() => false);
    return wasParked || over();
  });
  await delay(parkedMs);
  slack.always({ kind: 'accept' });
  // The first one finds the channel repaired.
  await waitFor(async () => {
    for (const id of await waitingInChat().catch(() => [])) await operator.redeliver(id).catch(() => false);
    return !(await isParked().catch(() => true)) || over();
  });
  return wasParked;
};

const isParked = async (): Promise<boolean> => {
  const { rows } = await pool.query(
    "select from tocsin.channel_states where channel = 'chat' and parked_at is not null",
  );
  return rows.length > 0;
};

const waitingInChat = async (): Promise<readonly DeliveryId[]> => {
  const { rows } = await pool.query<{ readonly id: DeliveryId }>(
    "select id from tocsin.deliveries where channel = 'chat' and state = 'retrying' order by created_at limit 20",
  );
  return rows.map(({ id }) => id);
};

const activeSilences = async (): Promise<readonly string[]> => {
  const { rows } = await pool.query<{ readonly id: string }>('select id from tocsin.silences where ended_at is null');
  return rows.map(({ id }) => id);
};

const openAlerts = async (): Promise<readonly object[]> => {
  const { rows } = await pool.query(
    "select key, state, data -> 'next' as next from tocsin.alerts where state <> 'resolved' limit 20",
  );
  return rows;
};

/** What has a time happens at that time; what has none waits for work or people. */
const expectActionsInTime = async (): Promise<void> => {
  const { rows } = await pool.query(
    `select key, data -> 'next' as next from tocsin.alerts
     where next_action_at < now() - $1 * interval '1 millisecond'
       or (next_action_at is null and next_action not in ('wait', 'none'))
       or next_action is null`,
    [actionLateMaxMs],
  );
  expect(rows, 'alerts whose next action is late').toEqual([]);
};

const patienceMs = 200;

/** Waits without a bound of its own: what is waited for ends with the chaos. */
const waitFor = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await delay(patienceMs);
};

const untilTaken = (work: () => Promise<unknown>): Promise<true> =>
  waitUntil('the database to take it', () =>
    work().then(
      () => true,
      () => false,
    ),
  );

/** Ports that are free now, so that the same process listens on the same one in all its lives. */
const freePorts = async (count: number): Promise<readonly number[]> => {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(
    servers.map((one) => new Promise<void>((resolve) => void one.listen(0, '127.0.0.1', () => resolve()))),
  );
  const ports = servers.map((one) => (one.address() as AddressInfo).port);
  await Promise.all(servers.map((one) => new Promise<void>((resolve) => void one.close(() => resolve()))));
  return ports;
};

const countBy = <Item>(items: readonly Item[], name: (item: Item) => string): Readonly<Record<string, number>> =>
  Object.fromEntries([...Map.groupBy(items, name)].map(([key, all]) => [key, all.length]));

const round = (value: number): number => Math.round(value * 10) / 10;

/** What belongs to the story: a database and a Slack that are away, said once each. */
const isPartOfIt = (text: string, entry: LogEntry | null): boolean =>
  (entry !== null &&
    ['TableUnreadable', 'ChannelParked', 'DeliveryAttempted', 'MessageBounced', 'AuditFound'].includes(
      String(entry['decision']),
    )) ||
  // What a worker says that was started while Postgres was away.
  /No PostgreSQL answers|is starting or shutting down|was lost|did not answer in time|terminating connection/.test(
    text,
  );

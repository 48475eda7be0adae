import { createPool } from '@tocsin/runtime';
import type { Pool } from '@tocsin/runtime';
import { createTestDatabase } from '@tocsin/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDetectorBench, watched } from './detector.fixture.ts';
import type { DetectorStore } from './detector-ports.ts';
import { createGatedDetector } from './gated-detector.fixture.ts';
import { comparisonEveryMs, runSchedule } from './schedules-of-writers.fixture.ts';
import type { Schedule, ScheduleEnd, ScheduleWorld } from './schedules-of-writers.fixture.ts';

/** A database with its detectors. */
const openHome = async () => {
  const database = await createTestDatabase();
  // Without results there are no partial failures to look for, which would double the statements of a poll.
  await database.pool.query('alter table public.research_jobs drop column result');
  return { ...database, bench: await createDetectorBench(database) };
};
const home = await openHome();
/** For what runs at the same time. */
const otherHome = await openHome();
const { pool, bench } = home;
beforeEach(bench.clear);

const schedulesTimeoutMs = 300_000;
/** All of them belong to `npm run chaos`. */
const schedules = process.env['TOCSIN_CHAOS'] === '1' ? 1_000 : 300;
/** How many schedules a broken detector may survive before the check is taken for blind. */
const schedulesOfControlMax = 200;
/** A failure names it. To run the same schedules again: `TOCSIN_SCHEDULES_SEED=… npx vitest run schedules-of-writers`. */
const seed = Number(process.env['TOCSIN_SCHEDULES_SEED'] ?? Date.now() % 2 ** 31);
const replay = `TOCSIN_SCHEDULES_SEED=${seed}`;
const writersMax = 4;
const detectorsMax = 2;
/** Long, because conditions such as stuck jobs are looked for every few intervals, and this is not about them. */
const pollMs = 86_400_000;
/** Rows per page: few, so that a poll reads many pages and much happens between them. */
const pageRows = 3;

const schedule: fc.Arbitrary<Schedule> = fc.record({
  writers: fc.integer({ min: 2, max: writersMax }),
  detectors: fc.integer({ min: 1, max: detectorsMax }),
  choices: fc.array(fc.noBias(fc.nat(0xffff)), { minLength: 40, maxLength: 160, size: 'max' }),
});

const worlds: { readonly close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

describe('schedules of writers', () => {
  it(
    `tells what is due exactly once in ${schedules} schedules, half of them with clocks that are wrong`,
    { timeout: schedulesTimeoutMs },
    async () => {
      const halves = [
        { world: await openWorld({ skewed: true, compares: true }), runSeed: seed },
        { world: await openWorld({ skewed: false, compares: true }, otherHome), runSeed: seed + 1 },
      ];
      await Promise.all(halves.map(({ world, runSeed }) => expectAllRight(world, schedules / 2, runSeed)));
      for (const { world } of halves) expect(world.outcomes).toBeGreaterThan(schedules / 2);
    },
  );

  it('needs no comparison where clocks are right', { timeout: schedulesTimeoutMs }, async () => {
    await expectAllRight(await openWorld({ skewed: false, compares: false }), schedulesOfControlMax, seed + 2);
  });

  it(
    'would lose outcomes if the cursor did not wait for writers and nothing were compared',
    { timeout: schedulesTimeoutMs },
    async () => {
      const world = await openWorld({ skewed: false, compares: false, from: blindTo(pool) });
      const { failed, errorInstance } = await checkSchedules(world, schedulesOfControlMax, seed + 2);
      expect([failed, String(errorInstance)]).toEqual([true, expect.stringContaining('was not told')]);
    },
  );

  it('would tell outcomes again if they were not announced', { timeout: schedulesTimeoutMs }, async () => {
    const forgetful: DetectorStore = {
      transaction: (name, work) =>
        bench.store.transaction(name, (session) =>
          work({
            ...session,
            announceOutcomes: async (outcomes) => {
              await session.announceOutcomes(outcomes);
              return new Set(outcomes.map(({ id }) => id));
            },
          }),
        ),
    };
    const world = await openWorld({ skewed: false, compares: true, store: forgetful });
    const { failed, errorInstance } = await checkSchedules(world, schedulesOfControlMax, seed + 3);
    expect([failed, String(errorInstance)]).toEqual([true, expect.stringContaining('was told again')]);
  });
});

describe('a row committed 30 s late, with a lower id and an older time than rows already read', () => {
  /** The database's clock as the detector sees it goes forward by 30 s while the transaction is open. */
  const lateByMs = 30_000;
  const firstId = '00000000-0000-4000-8000-000000000001';

  const readBesideLateRow = async (from: Pool, writesWhen: 'at once' | 'at the end' = 'at once') => {
    const clock = movingClock(from);
    const detector = bench.detector({ tables: [watched(clock.pool, { reconcileMs: 86_400_000, batch: 50 })] });
    await detector.pollOnce();
    const slow = await pool.connect();
    const write = () =>
      slow.query(
        `insert into public.research_jobs (id, source, job_type, status, attempts, finished_at, updated_at)
         values ($1, 'apple', 'late', 'failed', 3, now(), now())`,
        [firstId],
      );
    try {
      await slow.query('begin');
      if (writesWhen === 'at once') await write();
      clock.pass(lateByMs);
      for (let round = 0; round < 3; round += 1) {
        await pool.query(
          `insert into public.research_jobs (source, job_type, target_id, status, attempts, finished_at, updated_at)
           select 'apple', 'refresh', n::text, 'failed', 3, stamp, stamp
           from generate_series(1, 100) as n, (select now() + $1 * interval '1 ms') as clock (stamp)`,
          [lateByMs],
        );
        await detector.pollOnce();
      }
      expect(await toldJobs()).toHaveLength(300);
      if (writesWhen === 'at the end') await write();
      await slow.query('commit');
    } finally {
      slow.release();
    }
    await detector.pollOnce();
    await detector.pollOnce();
    expect(clock.wasAsked()).toBe(true);
  };
  const toldJobs = async () => (await bench.failures()).filter(({ kind }) => kind === 'failed');
  const late = async (): Promise<readonly string[]> =>
    (await toldJobs()).filter(({ jobType }) => jobType === 'late').map(({ jobId }) => jobId);

  it('is told by the scan alone, and none of the others twice', async () => {
    await readBesideLateRow(pool);
    expect(await late()).toEqual([firstId]);
    const ids = (await toldJobs()).map(({ outcomeId }) => outcomeId);
    expect([ids.length, new Set(ids).size]).toEqual([301, 301]);
  });

  it('would be missed by a scan that does not look at open transactions, and is then found by comparison', async () => {
    await readBesideLateRow(blindTo(pool));
    expect(await late()).toEqual([]);
    await bench.detector().pollOnce();
    expect(await late()).toEqual([firstId]);
    expect(await toldJobs()).toHaveLength(301);
  });

  it('is found by comparison if its transaction wrote nothing for so long: until then it was a reader', async () => {
    await readBesideLateRow(pool, 'at the end');
    expect(await late()).toEqual([]);
    await bench.detector().pollOnce();
    expect(await late()).toEqual([firstId]);
    expect(await toldJobs()).toHaveLength(301);
  });
});

const openWorld = async (
  options: Pick<ScheduleWorld, 'skewed' | 'compares'> & { readonly from?: Pool; readonly store?: DetectorStore },
  { bench, pool, connectionString }: typeof home = home,
): Promise<ScheduleWorld> => {
  await bench.clear();
  const workers = createPool({
    connectionString,
    max: writersMax,
    applicationName: 'workers',
    onError: () => {},
  });
  const clients = await Promise.all(Array.from({ length: writersMax }, () => workers.connect()));
  worlds.push({
    close: async () => {
      // After a failure their transactions are still open.
      for (const client of clients) client.release(true);
      await workers.end();
    },
  });
  const newDetector = () =>
    createGatedDetector(options.from ?? pool, (gated, monotonicMs) =>
      bench.detector({
        // No overlap hides where the cursor stands.
        tables: [watched(gated, { pollMs, batch: pageRows, overlapMs: 0, reconcileMs: comparisonEveryMs })],
        monotonicMs,
        // Nobody decides here, and what is undecided would be sent again.
        resendAfterMs: Number.MAX_SAFE_INTEGER,
        ...(options.store === undefined ? {} : { store: options.store }),
      }),
    );
  return {
    skewed: options.skewed,
    compares: options.compares,
    clients,
    newDetector,
    detectors: Array.from({ length: detectorsMax }, newDetector),
    rows: 0,
    outcomes: 0,
    takeTold: async () => {
      // What is told of the table itself, such as clocks that are wrong, is another matter.
      const told = (await bench.failures()).filter(({ kind }) => kind === 'failed' || kind === 'dead');
      await pool.query("delete from pgboss.job where name = 'signals'");
      await pool.query('delete from public.research_jobs');
      return told.map(({ error }) => error ?? '(no error)');
    },
  };
};

/** What is wrong with the end of a schedule, in words; empty when it is as it should be. */
const wrongWith = ({ told, due, committed }: ScheduleEnd): readonly string[] => [
  ...[...due].filter((outcome) => !told.includes(outcome)).map((outcome) => `${outcome} was not told`),
  ...told.filter((outcome, n) => told.indexOf(outcome) !== n).map((outcome) => `${outcome} was told again`),
  ...told.filter((outcome) => !committed.has(outcome)).map((outcome) => `${outcome} was told, but never committed`),
];

/** Runs schedules until one ends wrong. */
const checkSchedules = (world: ScheduleWorld, numRuns: number, runSeed: number) =>
  fc.check(
    fc.asyncProperty(schedule, async (one) => {
      const end = await runSchedule(world, one);
      const wrong = wrongWith(end);
      if (wrong.length > 0) throw new Error(`${replay}\n${wrong.join('\n')}\n${end.steps.join('\n')}`);
    }),
    { seed: runSeed, numRuns, endOnFailure: true },
  );

const expectAllRight = async (world: ScheduleWorld, numRuns: number, runSeed: number): Promise<void> => {
  const { failed, errorInstance, numRuns: ran } = await checkSchedules(world, numRuns, runSeed);
  expect(failed, String(errorInstance)).toBe(false);
  expect(ran).toBe(numRuns);
};

/** The database as seen by somebody who knows nothing of the open transactions of others. */
const blindTo = (to: Pool): Pool => ({
  ...to,
  query: (text, values) => to.query(text.replace('activity.backend_xid is not null', 'false'), values),
});

/** The database with its clock ahead of what it is; transactions keep the time at which they began. */
const movingClock = (to: Pool) => {
  let aheadMs = 0;
  let asked = false;
  const moved: Pool = {
    ...to,
    query: (text, values) => {
      asked ||= aheadMs > 0 && text.includes('statement_timestamp()');
      return to.query(
        text.replaceAll('statement_timestamp()', `(statement_timestamp() + ${aheadMs} * interval '1 ms')`),
        values,
      );
    },
  };
  return {
    pool: moved,
    pass: (ms: number) => {
      aheadMs += ms;
    },
    /** Whether anybody looked at the clock since it was moved. */
    wasAsked: () => asked,
  };
};

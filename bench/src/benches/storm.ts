import { setTimeout as delay } from 'node:timers/promises';
import type { Bench, BenchOptions, Finding } from '../bench.ts';
import { formatCount, formatMegabytes, formatSeconds } from '../measure/format.ts';
import { childrenProcessorMs, parentOf, processorMs } from '../measure/processor-time.ts';
import { median } from '../measure/quantile.ts';
import { countOf, countStatements, logEnd } from '../measure/statement-log.ts';
import { insertFailures } from '../world/insert-failures.ts';
import type { Lab } from '../world/lab.ts';
import { waitUntil } from '../world/wait-until.ts';
import { startWorld } from '../world/world.ts';
import type { World } from '../world/world.ts';

const toldBudgetMs = 10_000;
const budgetRows = 20_000;
const memoryBudgetBytes = 200 * 1_048_576;
const connectionsBudget = 6;
/** Where a storm is given up, per 1,000 rows, in milliseconds. */
const timeoutMsPerThousand = 15_000;
const timeoutMinMs = 60_000;
/** Workers come to rest before the storm breaks, in milliseconds. */
const restMs = 1_000;

/** What one storm came to. */
interface Storm {
  readonly toldMs: number;
  readonly firstToldMs: number;
  readonly notifiedMs: number;
  readonly mails: number;
  readonly detectorBytes: number;
  readonly notifierBytes: number;
  readonly detectorStatements: number;
  readonly notifierStatements: number;
  /** Processor time used, which other programs on the machine change little. */
  readonly processor: ProcessorTimes;
  readonly walBytes: number;
  readonly connections: number;
}

interface ProcessorTimes {
  readonly detectorMs: number;
  readonly notifierMs: number;
  readonly databaseMs: number;
}

/** Many rows fail in one transaction; how long until a person has been told of all of them, and at what cost. */
export const storm: Bench = {
  name: 'storm',
  summary:
    'many distinct rows fail in one transaction; poll 2 s; from commit to the last mail accepted; medians of the runs; first as one incident, as installed, then message by message (storm: off)',
  run: async (lab, options) => [
    ...(await measureOneMessage(lab, options)),
    ...(await measure(lab, options, '0')),
    ...(await measure(lab, options, '2s')),
  ],
};

/** Told as one incident: how long until people have the one message. */
const asIncident = `self_watch: { canary: off }
`;

const measureOneMessage = async (lab: Lab, { rows, runs }: BenchOptions): Promise<readonly Finding[]> => {
  const storms: Storm[] = [];
  for (let run = 0; run < runs; run += 1) storms.push(await oneStorm(lab, rows, { window: '0', settings: asIncident }));
  const mid = (of: (one: Storm) => number): number => median(storms.map(of));
  const most = Math.max(...storms.map(({ mails }) => mails));
  const name = `${formatCount(rows)} rows, one incident:`;
  return [
    { what: `${name} messages (worst run)`, result: formatCount(most), budget: '1', kept: most === 1 },
    { what: `${name} the message accepted`, result: formatSeconds(mid((one) => one.firstToldMs)) },
    { what: `${name} every alert notified`, result: formatSeconds(mid((one) => one.notifiedMs)) },
    {
      what: `${name} peak memory, detector / notifier (worst run)`,
      result: `${formatMegabytes(Math.max(...storms.map((one) => one.detectorBytes)))} / ${formatMegabytes(Math.max(...storms.map((one) => one.notifierBytes)))}`,
    },
  ];
};

const measure = async (lab: Lab, { rows, runs }: BenchOptions, window: string): Promise<readonly Finding[]> => {
  const storms: Storm[] = [];
  for (let run = 0; run < runs; run += 1) storms.push(await oneStorm(lab, rows, { window }));
  const mid = (of: (one: Storm) => number): number => median(storms.map(of));
  const worst = (of: (one: Storm) => number): number => Math.max(...storms.map(of));
  const name = `${formatCount(rows)} rows, window ${window}:`;
  const promised = rows === budgetRows;
  const memory = (who: string, of: (one: Storm) => number): Finding => ({
    what: `${name} ${who} peak memory (worst run)`,
    result: formatMegabytes(worst(of)),
    budget: '<= 200 MB',
    kept: worst(of) <= memoryBudgetBytes,
  });
  return [
    {
      what: `${name} last mail accepted`,
      result: `${formatSeconds(mid((one) => one.toldMs))} (${storms.map((one) => formatSeconds(one.toldMs)).join(', ')})`,
      ...(promised ? { budget: '<= 10 s', kept: mid((one) => one.toldMs) <= toldBudgetMs } : {}),
    },
    { what: `${name} first mail accepted`, result: formatSeconds(mid((one) => one.firstToldMs)) },
    { what: `${name} every alert notified`, result: formatSeconds(mid((one) => one.notifiedMs)) },
    { what: `${name} mails, totals add up`, result: formatCount(mid((one) => one.mails)) },
    memory('detector', (one) => one.detectorBytes),
    memory('notifier', (one) => one.notifierBytes),
    {
      what: `${name} connections of a worker (worst run)`,
      result: formatCount(worst((one) => one.connections)),
      budget: `<= ${connectionsBudget}`,
      kept: worst((one) => one.connections) <= connectionsBudget,
    },
    {
      what: `${name} statements, detector / notifier`,
      result: `${formatCount(mid((one) => one.detectorStatements))} / ${formatCount(mid((one) => one.notifierStatements))}`,
    },
    {
      what: `${name} processor time, detector / notifier / database`,
      result: [
        mid((one) => one.processor.detectorMs),
        mid((one) => one.processor.notifierMs),
        mid((one) => one.processor.databaseMs),
      ]
        .map(formatSeconds)
        .join(' / '),
    },
    { what: `${name} write-ahead log`, result: formatMegabytes(mid((one) => one.walBytes)) },
  ];
};

const oneStorm = async (
  lab: Lab,
  rows: number,
  how: { readonly window: string; readonly settings?: string },
): Promise<Storm> => {
  const world = await startWorld(lab, { poll: '2s', ...how });
  try {
    const found = await breakOut(lab, world, rows);
    await lab.stormDatabase?.close();
    lab.stormDatabase = world.database;
    return found;
  } finally {
    await world.stop();
  }
};

const breakOut = async (lab: Lab, world: World, rows: number): Promise<Storm> => {
  const { pool } = world.database;
  await delay(restMs);
  await insertFailures(pool, rows, 'storm');
  const committedAt = Date.now();
  const logFrom = await logEnd(lab.serverLog);
  const walFrom = await walPosition(world);
  const processorFrom = await processorTimes(world);
  let connections = 0;
  const settled = await waitUntil(
    `${rows} failures to be told`,
    async () => {
      world.detector.assertRunning();
      world.notifier.assertRunning();
      const { detector, notifier } = await world.connections();
      connections = Math.max(connections, detector, notifier);
      const { told, settledAt } = await readTold(world);
      return told >= rows ? settledAt : undefined;
    },
    { timeoutMs: Math.max(timeoutMinMs, (rows / 1_000) * timeoutMsPerThousand) },
  );
  const walBytes = (await walPosition(world)) - walFrom;
  const processorTo = await processorTimes(world);
  const detectorBytes = world.detector.peakMemoryBytes();
  const notifierBytes = world.notifier.peakMemoryBytes();
  await assertAllTold(world, rows);
  const counts = await countStatements(lab.serverLog, logFrom);
  const detector = countOf(counts, 'tocsin-detector');
  const notifier = countOf(counts, 'tocsin-notifier');
  const acceptedAt = world.provider.messages().map(({ receivedAt }) => Date.parse(receivedAt) - committedAt);
  return {
    toldMs: Math.max(...acceptedAt),
    firstToldMs: Math.min(...acceptedAt),
    notifiedMs: settled - committedAt,
    mails: acceptedAt.length,
    detectorBytes,
    notifierBytes,
    detectorStatements: detector.statements,
    notifierStatements: notifier.statements,
    processor: {
      detectorMs: processorTo.detectorMs - processorFrom.detectorMs,
      notifierMs: processorTo.notifierMs - processorFrom.notifierMs,
      databaseMs: processorTo.databaseMs - processorFrom.databaseMs,
    },
    walBytes,
    connections,
  };
};

/** Failures told by mails whose alerts have all been marked notified, and when the last of these was. */
const readTold = async ({ database }: World): Promise<{ readonly told: number; readonly settledAt: number }> => {
  const { rows } = await database.pool.query<{ readonly told: number; readonly settledAt: number }>(
    `select
       coalesce(sum((message -> 'totals' ->> 'failures')::integer), 0)::integer as told,
       (extract(epoch from max(settled_at)) * 1000)::double precision as "settledAt"
     from tocsin.deliveries
     where settled_at is not null and state = 'accepted'`,
  );
  return rows[0] ?? { told: 0, settledAt: 0 };
};

const processorTimes = async ({ database, detector, notifier }: World): Promise<ProcessorTimes> => {
  const { rows } = await database.pool.query<{ readonly pid: number }>('select pg_backend_pid() as pid');
  const pid = rows[0]?.pid;
  if (pid === undefined) throw new Error('The server does not say which process it is.');
  return {
    detectorMs: processorMs(detector.pid),
    notifierMs: processorMs(notifier.pid),
    databaseMs: childrenProcessorMs(parentOf(pid)),
  };
};

const walPosition = async ({ database }: World): Promise<number> => {
  const { rows } = await database.pool.query<{ readonly bytes: number }>(
    `select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::double precision as bytes`,
  );
  return rows[0]?.bytes ?? 0;
};

/** @throws Error when what the provider accepted does not add up to the failures, or an alert is not marked notified */
const assertAllTold = async ({ database, provider }: World, rows: number): Promise<void> => {
  const mails = provider.messages().map(({ customArgs }) => customArgs['delivery_id'] ?? '');
  const told = await database.pool.query<{ readonly failures: number }>(
    `select coalesce(sum((message -> 'totals' ->> 'failures')::integer), 0)::integer as failures
     from unnest($1::text[]) as mail (delivery_id)
     join tocsin.deliveries on deliveries.id = mail.delivery_id::uuid`,
    [mails],
  );
  const alerts = await database.pool.query<{ readonly notified: number }>(
    "select count(*)::integer as notified from tocsin.alerts where state = 'notified'",
  );
  const failures = told.rows[0]?.failures;
  const notified = alerts.rows[0]?.notified;
  if (failures !== rows || notified !== rows)
    throw new Error(`Of ${rows} failures the accepted mails tell ${failures}, and ${notified} alerts are notified.`);
};

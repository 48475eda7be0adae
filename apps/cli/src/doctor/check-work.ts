import { parseTask } from '@tocsin/alert-service';
import type { TocsinPayloads } from '@tocsin/alert-service';
import { heartbeats } from '@tocsin/event-store';
import type { Heartbeat } from '@tocsin/event-store';
import { DEAD_LETTERS, QUEUE_NAMES, createQueue } from '@tocsin/queue';
import type { QueueDepths } from '@tocsin/queue';
import { formatDuration } from '@tocsin/runtime';
import { heartbeatStaleMs } from '../explain/load-alert-facts.ts';
import { counted } from '../printing/lines.ts';
import { countUndelivered } from './count-undelivered.ts';
import { fail, ok, warn } from './finding.ts';
import type { Finding, Patient } from './finding.ts';

/** A cursor stays behind on purpose, by up to a minute; beyond this something holds it. */
const cursorLagMaxMs = 300_000;
/** Jobs that are due are taken within seconds. */
const waitWarnSeconds = 60;
const waitFailSeconds = 300;

/** Does the queue flow, and do messages go out? */
export const checkWork = async ({ pool, connectionString }: Patient): Promise<readonly Finding[]> => [
  ...checkQueue(await depthOf(connectionString)),
  await checkDeliveries(pool),
];

/** Whether detector and notifier live, and how far the detector has come. */
export const checkHeartbeats = async ({
  pool,
}: Patient): Promise<{ readonly findings: readonly Finding[]; readonly detectorAlive: boolean }> => {
  const beats = await heartbeats(pool);
  const findings = ['detector', 'notifier'].map((component) =>
    checkHeartbeat(
      component,
      beats.find((beat) => beat.component === component),
    ),
  );
  const detector = beats.find(({ component, ageMs }) => component === 'detector' && ageMs < heartbeatStaleMs);
  return {
    findings: detector === undefined ? findings : [...findings, ...checkCursors(detector)],
    detectorAlive: detector !== undefined,
  };
};

const checkHeartbeat = (component: string, beat: Heartbeat | undefined): Finding => {
  const cure = `start it: npx tocsin ${component} (or npx tocsin up)`;
  if (beat === undefined) return warn(component, 'it has never run here', cure);
  if (beat.ageMs > heartbeatStaleMs)
    return warn(component, `silent for ${formatDuration(beat.ageMs)}, last ${beat.instance}`, cure);
  return ok(component, `alive ${formatDuration(beat.ageMs)} ago, ${beat.instance}`);
};

/** What the detector says of its tables; a heartbeat of another version says nothing that is understood here. */
const checkCursors = (beat: Heartbeat): readonly Finding[] => {
  const tables: unknown = beat.data['tables'];
  return (Array.isArray(tables) ? tables.filter(isTableStatus) : []).map(({ table, cursor, problem }) => {
    if (problem !== null)
      return fail(
        'cursor',
        `the detector cannot read table ${table}: ${problem}`,
        'put that right; it goes on by itself',
      );
    const lagMs = cursor === null ? null : Date.parse(beat.beatAt) - Date.parse(cursor);
    if (lagMs === null) return warn('cursor', `table ${table} was not read yet`, 'wait for the first pass');
    return lagMs > cursorLagMaxMs
      ? warn(
          'cursor',
          `table ${table} is read up to ${formatDuration(lagMs)} ago`,
          'a backlog, or a transaction that stays open (see oldest writer)',
        )
      : ok('cursor', `table ${table} is read up to ${formatDuration(lagMs)} ago`);
  });
};

interface TableStatus {
  readonly table: string;
  readonly cursor: string | null;
  readonly problem: string | null;
}

const isTableStatus = (value: unknown): value is TableStatus => {
  if (typeof value !== 'object' || value === null) return false;
  const { table, cursor, problem } = value as Partial<Record<keyof TableStatus, unknown>>;
  return typeof table === 'string' && [cursor, problem].every((fact) => fact === null || typeof fact === 'string');
};

const depthOf = async (connectionString: string): Promise<QueueDepths> => {
  const queue = createQueue<TocsinPayloads>({
    connectionString,
    applicationName: 'tocsin-doctor-queue',
    listen: false,
    parse: parseTask,
    onUnreadable: () => {},
    onError: () => {},
  });
  await queue.start();
  try {
    return await queue.depth();
  } finally {
    await queue.stop();
  }
};

const checkQueue = (depths: QueueDepths): readonly Finding[] => {
  const dead = depths[DEAD_LETTERS].ready;
  return [
    ...QUEUE_NAMES.map((name): Finding => {
      const { ready, deferred, active, oldestReadySeconds } = depths[name];
      const what = `${name}: ${ready} due, ${deferred} later, ${active} under way`;
      const waitedSeconds = oldestReadySeconds ?? 0;
      if (waitedSeconds < waitWarnSeconds) return ok('queue', what);
      const message = `${what}; the oldest has been due for ${formatDuration(waitedSeconds * 1_000)}`;
      return (waitedSeconds < waitFailSeconds ? warn : fail)(
        'queue',
        message,
        'start the notifier: npx tocsin notifier',
      );
    }),
    dead === 0
      ? ok('dead letters', 'none')
      : warn(
          'dead letters',
          counted(dead, 'job that no attempt could finish', 'jobs that no attempt could finish'),
          "look: select * from pgboss.job where name = 'dead-letters';",
        ),
  ];
};

const cureOfDead = 'see why: npx tocsin deliveries list; when the channel works: npx tocsin deliveries retry --all';

const checkDeliveries = async (pool: Patient['pool']): Promise<Finding> => {
  const found = await countUndelivered(pool);
  if (found === undefined) return ok('deliveries', 'nothing waits');
  const { waiting, retrying, unknown, oldestMs, overdue, lastReason, overdueDigests, failedDigests, dead } = found;
  if (overdue > 0 || overdueDigests > 0)
    return fail(
      'deliveries',
      `${counted(overdue, 'message')} and ${counted(overdueDigests, 'digest')} should have gone out more than a minute ago`,
      'start the notifier: npx tocsin notifier; if it runs, look at its log',
    );
  if (failedDigests > 0)
    return fail('deliveries', `no channel took ${counted(failedDigests, 'digest')} of the last 7 days`, cureOfDead);
  if (dead > 0)
    return warn(
      'deliveries',
      `${counted(dead, 'message')} of the last 7 days ${dead === 1 ? 'was' : 'were'} given up, while other channels took theirs`,
      cureOfDead,
    );
  if (retrying + unknown > 0)
    return warn(
      'deliveries',
      `${counted(waiting, 'message')} on the way for ${formatDuration(oldestMs ?? 0)}: ${retrying} tried again, ${unknown} without an answer${lastReason === null ? '' : ` (${lastReason})`}`,
      'they are tried again by themselves; see npx tocsin alerts explain ID',
    );
  return ok('deliveries', waiting === 0 ? 'nothing waits' : `${counted(waiting, 'message')} on the way`);
};

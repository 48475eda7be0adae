import { setTimeout as delay } from 'node:timers/promises';
import {
  deliver,
  escalateDigest,
  ingestSignals,
  lapseAcknowledgement,
  oneAtATime,
  rejoinStrayNews,
  sealDigest,
  settleDelivery,
  sweep,
} from '@tocsin/alert-service';
import type { DeliveryTask, ServiceContext, TimerTask, TocsinPayloads } from '@tocsin/alert-service';
import type { Queue, QueueJob } from '@tocsin/queue';
import type { Stoppable } from '@tocsin/runtime';

/** Signal jobs (of up to 500 signals) taken in by one transaction. */
const signalJobsPerBatchMax = 2;
/** Deliveries under way at the same time in this process. */
const deliveriesAtOnceMax = 4;
/** How often the second net is drawn through our own tables. */
const sweepEveryMs = 30_000;
/** How often news that no channel could carry is put back on its way. */
const rejoinEveryMs = 900_000;
/** Settling waits for signals to be taken in, this long per piece of work at most, in milliseconds … */
const settleYieldMaxMs = 500;
/** … until none were for this long, looking this often. */
const settleQuietMs = 30;
const settlePollMs = 10;
/** How often records past their time are deleted. */
const forgetEveryMs = 3_600_000;
/** Rounds of one `--once` run; each round works off what the round before has made due. */
const roundsMax = 1_000;
const jobsPerRoundMax = 10_000;

/** What the notifier needs. */
export interface NotifierOptions {
  readonly service: ServiceContext;
  readonly queue: Queue<TocsinPayloads>;
  /** Name of this process in `tocsin.heartbeats`. */
  readonly instance: string;
  /** Deletes records past their time. */
  readonly forget: () => Promise<void>;
}

export interface Notifier extends Stoppable {
  /** Begins to work off the queues. Resolves when the workers are set up. */
  readonly start: () => Promise<void>;
  /** Does all that is due now, and what becomes due by it, then resolves with the number of jobs done. */
  readonly runOnce: () => Promise<number>;
}

/** Lifecycle, digests, escalation and delivery, driven by the queues. Several may run at once. */
export const createNotifier = ({ service, queue, instance, forget }: NotifierOptions): Notifier => {
  const { log } = service;
  const stopping = new AbortController();
  const settling = oneAtATime();
  let timers: NodeJS.Timeout[] = [];
  let busy: Promise<unknown> = Promise.resolve();

  let ingestions = 0;
  let ingestedAtMs = Number.NEGATIVE_INFINITY;
  /** Lets signals go first, for a while: taking them in leads to telling people, settling only writes down that they were told. */
  const afterSignals = async (): Promise<void> => {
    const untilMs = performance.now() + settleYieldMaxMs;
    while ((ingestions > 0 || performance.now() - ingestedAtMs < settleQuietMs) && performance.now() < untilMs)
      await delay(settlePollMs, undefined, { signal: stopping.signal }).catch(() => {});
  };

  const onSignals = async (jobs: readonly QueueJob<TocsinPayloads['signals']>[]): Promise<void> => {
    ingestions += 1;
    const result = await ingestSignals(service, jobs).finally(() => {
      ingestions -= 1;
      ingestedAtMs = performance.now();
    });
    log.info({ decision: 'SignalsIngested', jobs: jobs.length, ...result }, 'signals ingested');
  };
  const onTimers = async (jobs: readonly QueueJob<TimerTask>[]): Promise<void> => {
    for (const { data } of jobs) await runTimer(service, data, stopping.signal);
  };
  const onDeliveries = async (jobs: readonly QueueJob<DeliveryTask>[], signal: AbortSignal): Promise<void> => {
    for (const { data } of jobs) {
      const run = (): Promise<void> => runTask(service, data, AbortSignal.any([signal, stopping.signal]), afterSignals);
      await (data.task === 'settle' ? settling(run) : run());
    }
  };

  /** Runs housekeeping now and then, one at a time; a failure is logged and the next turn tries again. */
  const every = (ms: number, name: string, work: () => Promise<unknown>): NodeJS.Timeout =>
    setInterval(() => {
      busy = busy
        .then(work)
        .catch((error: unknown) => log.warn({ err: error }, `${name} failed and will be tried again`));
    }, ms);

  return {
    start: async () => {
      await queue.work('signals', { batchSize: signalJobsPerBatchMax, concurrency: 1 }, onSignals);
      await queue.work('timers', { batchSize: 1, concurrency: 1 }, onTimers);
      await queue.work('deliveries', { batchSize: 1, concurrency: deliveriesAtOnceMax }, onDeliveries);
      timers = [
        every(sweepEveryMs, 'the sweep', () => sweep(service, instance)),
        every(rejoinEveryMs, 'putting news back', () => rejoinStrayNews(service)),
        every(forgetEveryMs, 'deleting old records', forget),
      ];
      // What a process before this one left undone does not wait for the first turn of the clock.
      busy = busy
        .then(() => rejoinStrayNews(service))
        .then(() => sweep(service, instance))
        .catch((error: unknown) => log.warn({ err: error }, 'the first sweep failed'));
    },
    runOnce: async () => {
      let done = 0;
      await rejoinStrayNews(service);
      for (let round = 0; round < roundsMax; round += 1) {
        await sweep(service, instance);
        const before = done;
        done += await queue.drain('signals', onSignals, { jobsMax: jobsPerRoundMax, batchSize: signalJobsPerBatchMax });
        done += await queue.drain('timers', onTimers, { jobsMax: jobsPerRoundMax });
        done += await queue.drain('deliveries', onDeliveries, { jobsMax: jobsPerRoundMax });
        if (done === before) break;
      }
      await forget();
      return done;
    },
    stop: async () => {
      for (const timer of timers) clearInterval(timer);
      await queue.stop();
      stopping.abort();
      await busy;
    },
  };
};

const runTimer = async (service: ServiceContext, task: TimerTask, signal: AbortSignal): Promise<void> => {
  switch (task.timer) {
    case 'digest':
      await sealDigest(service, task.digestId);
      return;
    case 'escalation':
      await escalateDigest(service, task);
      return;
    case 'lapse':
      await lapseAcknowledgement(service, task.alertId);
      return;
    case 'delivery':
      await deliver(service, task.deliveryId, signal);
      return;
    default:
      task satisfies never;
  }
};

const runTask = async (
  service: ServiceContext,
  task: DeliveryTask,
  signal: AbortSignal,
  beforeSettling: () => Promise<void>,
): Promise<void> => {
  switch (task.task) {
    case 'seal':
      await sealDigest(service, task.digestId);
      return;
    case 'deliver':
      await deliver(service, task.deliveryId, signal);
      return;
    case 'settle':
      await settleDelivery(service, task.deliveryId, beforeSettling);
      return;
    default:
      task satisfies never;
  }
};

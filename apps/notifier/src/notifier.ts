import { setTimeout as delay } from 'node:timers/promises';
import {
  bounceDelivery,
  carryOutSilence,
  catchUp,
  createTurns,
  deliver,
  escalateDigest,
  forgetMissingChannels,
  ingestSignals,
  lapseAcknowledgement,
  oneAtATime,
  refreshModels,
  rejoinStrayNews,
  sealDigest,
  settleDelivery,
  settleFlapping,
  sweep,
  syncConfigSilences,
  tellAllQuiet,
} from '@tocsin/alert-service';
import type { ConfiguredSilence, DeliveryTask, ServiceContext, TimerTask, TocsinPayloads } from '@tocsin/alert-service';
import type { Queue, QueueJob } from '@tocsin/queue';
import type { Stoppable } from '@tocsin/runtime';
import { channelLines } from './channel-lines.ts';
import { handOver } from './hand-over.ts';
import { lane } from './lane.ts';
import { noticeBack, tellsOwnSilence } from './self-watch/notice-back.ts';
import type { SelfWatch, SelfWatchStatus } from './self-watch/self-watch.ts';

/** Signal jobs (of up to 500 signals) taken in by one transaction. */
const signalJobsPerBatchMax = 2;
/** Deliveries, and other work of their queue, under way at the same time in this process. */
const deliveriesAtOnceMax = 8;
/** How often the second net is drawn through our own tables. */
const sweepEveryMs = 30_000;
/** How often news that no channel could carry is put back on its way. */
const rejoinEveryMs = 900_000;
/** Settling waits for signals to be taken in, this long per piece of work at most, in milliseconds … */
const settleYieldMaxMs = 500;
/** … until none were for this long, looking this often. */
const settleQuietMs = 30;
const settlePollMs = 10;
/** Signs of life in the time after which a component counts as silent, so that one that comes late does no harm. */
const beatsPerStaleTime = 4;
/** How often canaries on their way are looked at. */
const canaryLookMs = 30_000;
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
  /** Silences of the configuration file, made at the start. Absent: those that are on stay as they are. */
  readonly silences?: readonly ConfiguredSilence[];
  /** Watches Tocsin itself, so often; null: nobody does. Default: null. */
  readonly selfWatch?: {
    readonly watch: SelfWatch;
    readonly auditMs: number;
    /** null: no canaries. */
    readonly canaryMs: number | null;
  } | null;
}

/** What the notifier is doing, for health and metrics. Ages in milliseconds; null before the first time. */
export interface NotifierStatus {
  /** Since the last turn of the housekeeping, well or badly. */
  readonly turnedAgoMs: number | null;
  /** Since the last turn of the housekeeping that went well. */
  readonly sweptAgoMs: number | null;
  /** Since signals were last taken in. */
  readonly ingestedAgoMs: number | null;
  /** null when nobody watches. */
  readonly selfWatch: SelfWatchStatus | null;
}

export interface Notifier extends Stoppable {
  /** Begins to work off the queues. Resolves when the workers are set up. */
  readonly start: () => Promise<void>;
  /** Does all that is due now, and what becomes due by it, then resolves with the number of jobs done. */
  readonly runOnce: () => Promise<number>;
  readonly status: () => NotifierStatus;
}

/** Lifecycle, digests, escalation and delivery, driven by the queues. Several may run at once. */
export const createNotifier = ({
  service,
  queue,
  instance,
  forget,
  silences,
  selfWatch = null,
}: NotifierOptions): Notifier => {
  const { log } = service;
  const stopping = new AbortController();
  const settling = oneAtATime();
  // Watching does not wait for housekeeping, and a sign of life waits for neither.
  const housekeeping = lane(log);
  const watching = lane(log);
  const living = lane(log);
  let sweptAtMs: number | null = null;
  let turnedAtMs: number | null = null;

  let ingestions = 0;
  let ingestedAtMs = Number.NEGATIVE_INFINITY;
  /** Lets signals go first, for a while: taking them in leads to telling people, settling only writes down that they were told. */
  const afterSignals = async (): Promise<void> => {
    const untilMs = performance.now() + settleYieldMaxMs;
    while ((ingestions > 0 || performance.now() - ingestedAtMs < settleQuietMs) && performance.now() < untilMs)
      await delay(settlePollMs, undefined, { signal: stopping.signal }).catch(() => {});
  };

  const onSignals = async (jobs: readonly QueueJob<TocsinPayloads['signals']>[]): Promise<void> => {
    if (tellsOwnSilence(jobs)) await noticeBack(service, instance, progress());
    ingestions += 1;
    const result = await ingestSignals(service, jobs).finally(() => {
      ingestions -= 1;
      ingestedAtMs = performance.now();
    });
    log.info({ decision: 'SignalsIngested', jobs: jobs.length, ...result }, 'signals ingested');
  };
  const onTimers = async (jobs: readonly QueueJob<TimerTask>[]): Promise<void> => {
    for (const { data } of jobs) await runTimer(service, data);
  };
  const turns = createTurns();
  const lines = channelLines({
    work: async (deliveryId, signal) => {
      await deliver(service, deliveryId, AbortSignal.any([signal, stopping.signal]), turns);
    },
    giveBack: (deliveryIds) => handOver(service, deliveryIds),
  });
  const onDeliveries = async (jobs: readonly QueueJob<DeliveryTask>[], signal: AbortSignal): Promise<void> => {
    for (const { data } of jobs)
      switch (data.task) {
        case 'seal':
          await sealDigest(service, data.digestId);
          break;
        case 'deliver': {
          const delivery = await service.store.read((session) => session.loadDelivery(data.deliveryId));
          if (delivery !== null) await lines.run(delivery.channel, delivery.id, signal);
          break;
        }
        case 'settle':
          await settling(() => settleDelivery(service, data.deliveryId, afterSignals));
          break;
        case 'bounce':
          await settling(() => bounceDelivery(service, data.deliveryId, afterSignals));
          break;
        default:
          data satisfies never;
      }
  };

  /** What a sign of life says beside being one: when this process last took signals in and did its housekeeping. */
  const progress = (): Readonly<Record<string, unknown>> => ({
    sweptAgoMs: sweptAtMs === null ? null : Math.round(performance.now() - sweptAtMs),
    ingestedAgoMs: Number.isFinite(ingestedAtMs) ? Math.round(performance.now() - ingestedAtMs) : null,
  });
  // What the file says is carried out once; a database that is away at that moment gets them with a later turn.
  let silencesAreMade = false;
  const makeSilences = async (): Promise<void> => {
    if (silencesAreMade || silences === undefined) return;
    await syncConfigSilences(service, silences);
    await forgetMissingChannels(service);
    silencesAreMade = true;
  };
  const keepHouse = async (): Promise<void> => {
    await sweep(service, instance, progress());
    await makeSilences();
    await catchUp(service);
    await tellAllQuiet(service);
    sweptAtMs = performance.now();
  };
  const beat = (): Promise<void> =>
    service.store.transaction('notifier.beat', (session) => session.beat('notifier', instance, progress()));

  const startWatching = ({ watch, auditMs, canaryMs }: NonNullable<typeof selfWatch>): void => {
    watching.every(service.settings.staleAfterMs / beatsPerStaleTime, 'watching the detector', watch.watchDetectorNow);
    watching.every(auditMs, 'the audit', watch.auditNow);
    if (canaryMs === null) return;
    watching.every(canaryMs, 'sending a canary', watch.sendCanaryNow);
    watching.every(canaryLookMs, 'looking for canaries', watch.watchCanariesNow);
    watching.run('the first canary', watch.sendCanaryNow);
  };

  return {
    start: async () => {
      // Before the first failure is taken in: it may be one of those that are not to be told.
      await makeSilences().catch((error: unknown) =>
        log.warn({ err: error }, 'the silences of the configuration could not be made and will be tried again'),
      );
      await queue.work('signals', { batchSize: signalJobsPerBatchMax, concurrency: 1 }, onSignals);
      await queue.work('timers', { batchSize: 1, concurrency: 1 }, onTimers);
      await queue.work('deliveries', { batchSize: 1, concurrency: deliveriesAtOnceMax }, onDeliveries);
      // What a process before this one left undone does not wait for the first turn of the clock.
      housekeeping.run('folding read models again', () => refreshModels(service, stopping.signal));
      housekeeping.run('putting news back', () => rejoinStrayNews(service));
      const turn = (): Promise<void> =>
        keepHouse().finally(() => {
          turnedAtMs = performance.now();
        });
      housekeeping.run('the sweep', turn);
      housekeeping.every(sweepEveryMs, 'the sweep', turn);
      housekeeping.every(rejoinEveryMs, 'putting news back', () => rejoinStrayNews(service));
      housekeeping.every(forgetEveryMs, 'deleting old records', forget);
      living.every(service.settings.staleAfterMs / beatsPerStaleTime, 'the sign of life', beat);
      if (selfWatch !== null) startWatching(selfWatch);
    },
    runOnce: async () => {
      let done = 0;
      await refreshModels(service, stopping.signal);
      await makeSilences();
      await rejoinStrayNews(service);
      await catchUp(service);
      await tellAllQuiet(service);
      for (let round = 0; round < roundsMax; round += 1) {
        await sweep(service, instance);
        const before = done;
        done += await queue.drain('signals', onSignals, { jobsMax: jobsPerRoundMax, batchSize: signalJobsPerBatchMax });
        done += await queue.drain('timers', onTimers, { jobsMax: jobsPerRoundMax });
        done += await queue.drain('deliveries', onDeliveries, { jobsMax: jobsPerRoundMax });
        if (done === before) break;
      }
      sweptAtMs = performance.now();
      await forget();
      return done;
    },
    status: () => ({
      turnedAgoMs: turnedAtMs === null ? null : performance.now() - turnedAtMs,
      sweptAgoMs: sweptAtMs === null ? null : performance.now() - sweptAtMs,
      ingestedAgoMs: Number.isFinite(ingestedAtMs) ? performance.now() - ingestedAtMs : null,
      selfWatch: selfWatch?.watch.status() ?? null,
    }),
    stop: async () => {
      const lanes = [housekeeping, watching, living];
      for (const each of lanes) each.close();
      await queue.stop();
      stopping.abort();
      selfWatch?.watch.stop();
      for (const each of lanes) await each.idle();
    },
  };
};

const runTimer = async (service: ServiceContext, task: TimerTask): Promise<void> => {
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
    case 'settle':
      await settleFlapping(service, task.alertId);
      return;
    case 'silence':
      await carryOutSilence(service, task.silenceId);
      return;
    case 'delivery':
      await handOver(service, [task.deliveryId]);
      return;
    default:
      task satisfies never;
  }
};

import { FailureSignal, OutcomeId, addMs } from '@tocsin/alert-model';
import type { DigestMessage, Instant } from '@tocsin/alert-model';
import type { NewestBeat, OpenCondition } from '@tocsin/event-store';
import { componentTable } from '@tocsin/alert-service';
import { outcomeId } from '@tocsin/job-sources';
import { crashPoint, formatDuration } from '@tocsin/runtime';
import type { Logger } from '@tocsin/runtime';
import type { DetectorContext, DetectorSession } from '../detector-ports.ts';
import { enqueueSignals } from '../send-failures.ts';
import { silentNotifierMessage } from './silent-notifier-message.ts';

/** Outcomes of Tocsin's own components are of this table, which no configuration can name. */
const ownTable = componentTable;
const jobId = 'notifier';
/** Where it is written down who tells of a silent notifier, and whether it was told. */
const cursor = 'self/notifier';
/** A detector that wanted to tell and has not for so long is taken for dead, in milliseconds. */
export const tellingMaxMs = 120_000;
/** The part of that time in which it may begin to send: one that has slept does not tell what another one has told. */
const tellingShare = 0.75;
/** Most open conditions of our own components that are looked through: there are a handful of parts, and one per channel. */
const ownConditionsMax = 1_000;

/** What a message through the detector's own path came to. `ignoredBy`: a rule says that nobody wants it. */
export type OwnPathOutcome =
  | { readonly outcome: 'told'; readonly channel: string }
  | { readonly outcome: 'ignored'; readonly ignoredBy: string }
  | { readonly outcome: 'refused' };

/** How a message reaches people without a notifier. */
export interface OwnPath {
  /**
   * Sends once, through one channel after the other until one accepts. Nothing more is tried when `signal` is aborted or
   * `withinMs` is over.
   */
  readonly tell: (
    message: DigestMessage,
    options: { readonly signal: AbortSignal; readonly withinMs: number },
  ) => Promise<OwnPathOutcome>;
}

/** What the detector looks at. */
export interface NotifierWatchOptions {
  readonly context: Pick<DetectorContext, 'store' | 'queue' | 'log'>;
  readonly path: OwnPath;
  /** Of this process; names who is telling. */
  readonly instance: string;
  /** A notifier without a sign of life for so long is told of, in milliseconds. */
  readonly staleAfterMs: number;
  /** After how long a detector that wanted to tell is taken for dead, in milliseconds. Default: `tellingMaxMs`. */
  readonly tellingMaxMs?: number;
  readonly monotonicMs: () => number;
  /** Base address of the console for links; null without one. */
  readonly publicUrl: string | null;
}

/** What one look came to. `untold`: it is silent, and no channel took a message about it. */
export type NotifierLook = 'fine' | 'told' | 'known' | 'back' | 'untold';

/** For the report of readiness. */
export interface NotifierWatchStatus {
  /** This detector could tell nobody that the notifier is silent. */
  readonly untold: boolean;
}

/** The watch over the notifier. */
export interface NotifierWatch {
  readonly look: (signal?: AbortSignal) => Promise<NotifierLook>;
  readonly status: () => NotifierWatchStatus;
}

/**
 * Looks whether a notifier lives. A silent one is recorded as a condition, and told through the detector's own path, once
 * over all detectors and restarts: the message goes out between two transactions, the first of which says who tells, so
 * a second message can only follow a process that died while it told. The signals go into the queue as well: a notifier
 * that comes back finds on record that it had been away, and tells that it is back.
 *
 * Without any notifier ever, twice the time is given from the start of this process.
 */
export const watchNotifier = (options: NotifierWatchOptions): NotifierWatch => {
  const { context, path, staleAfterMs, monotonicMs } = options;
  const maxMs = options.tellingMaxMs ?? tellingMaxMs;
  const startedMs = monotonicMs();
  let untold = false;
  const look = async (signal: AbortSignal): Promise<NotifierLook> => {
    const lookedMs = monotonicMs();
    const found = await context.store.transaction('detector.notifier', (session) =>
      judge(options, session, { longEnough: lookedMs - startedMs >= 2 * staleAfterMs, maxMs }),
    );
    if (found.look !== 'telling') {
      if (found.look !== 'known') untold = false;
      if (found.look === 'back') context.log.info({ decision: 'NotifierBack' }, 'a notifier gives signs of life again');
      return found.look;
    }
    crashPoint('detector.before_own_path');
    const withinMs = maxMs * tellingShare - (monotonicMs() - lookedMs);
    const said = await path.tell(found.message, { signal, withinMs });
    crashPoint('detector.after_own_path');
    if (said.outcome === 'refused') {
      untold = true;
      context.log.fatal(
        { decision: 'NotifierSilentUntold' },
        `No channel took a message about a silent notifier; it is tried again in ${formatDuration(maxMs)}. ${found.words}`,
      );
      return 'untold';
    }
    await context.store.transaction('detector.notifier_told', async (session) =>
      session.saveCursor(cursor, await session.now(), { ...said, outcomeId: found.outcomeId, told: true }),
    );
    untold = false;
    context.log.error({ decision: 'NotifierSilentTold', ...said }, found.words);
    return 'told';
  };
  return { look: (signal = new AbortController().signal) => look(signal), status: () => ({ untold }) };
};

type Found =
  | { readonly look: 'fine' | 'known' | 'back' }
  | {
      readonly look: 'telling';
      readonly outcomeId: OutcomeId;
      readonly words: string;
      readonly message: DigestMessage;
    };

const judge = async (
  options: NotifierWatchOptions,
  session: DetectorSession,
  { longEnough, maxMs }: { readonly longEnough: boolean; readonly maxMs: number },
): Promise<Found> => {
  const first = await see(options, session, longEnough);
  if (!first.isSilent && first.open === undefined) return { look: 'fine' };
  // Something is to be written: one detector at a time, which sees what the one before it has written.
  await session.lockLog();
  const { now, newest, open, isSilent } = await see(options, session, longEnough);
  const { context, instance } = options;
  if (!isSilent) return open === undefined ? { look: 'fine' } : { look: await end(context, session, open, now) };
  const since = newest === undefined ? now : addMs(now, -Math.round(newest.ageMs));
  const words =
    newest === undefined
      ? 'No notifier has ever run against this database, so nothing is told. Start one: npx tocsin notifier'
      : `No notifier has given a sign of life since ${since.slice(0, 19)}Z (${newest.instance}), so nothing is told. Start one: npx tocsin notifier`;
  const id = open?.id ?? (await begin(context, session, since, now, words));
  if (id === null) return { look: 'known' };
  const told = await session.loadCursor(cursor);
  const isNew = told?.data['outcomeId'] !== id;
  const isAbandoned =
    told !== null && told.data['told'] !== true && Date.parse(now) - Date.parse(told.changedAt) > maxMs;
  if (!isNew && !isAbandoned) return { look: 'known' };
  await session.saveCursor(cursor, now, { outcomeId: id, told: false, instance });
  const message = silentNotifierMessage({ outcomeId: id, words, since, now, publicUrl: options.publicUrl });
  return { look: 'telling', outcomeId: id, words, message };
};

interface Sight {
  readonly now: Instant;
  /** The newest sign of life; undefined when there was never one. */
  readonly newest: NewestBeat | undefined;
  readonly open: OpenCondition | undefined;
  readonly isSilent: boolean;
}

const see = async (
  { staleAfterMs }: NotifierWatchOptions,
  session: DetectorSession,
  longEnough: boolean,
): Promise<Sight> => {
  const now = await session.now();
  const newest = (await session.newestBeats()).get('notifier');
  const open = (await session.openConditions(ownTable, ownConditionsMax)).find((one) => one.jobId === jobId);
  // Without any beat an open condition says that somebody has waited long enough, before this process or beside it.
  const isSilent = newest === undefined ? longEnough || open !== undefined : newest.ageMs > staleAfterMs;
  return { now, newest, open, isSilent };
};

const end = async (
  context: NotifierWatchOptions['context'],
  session: DetectorSession,
  { id }: OpenCondition,
  now: Instant,
): Promise<'back' | 'fine'> => {
  const note = 'it gives signs of life again';
  const ended = await session.endConditions([{ id, cause: 'alive', note, endedAt: now }]);
  if (ended.size === 0) return 'fine';
  await enqueueSignals(context, session, [
    {
      v: 1,
      signal: 'ConditionEnded',
      outcomeId: id,
      table: ownTable,
      jobId,
      kind: 'unhealthy',
      cause: 'alive',
      note,
      endedAt: now,
      observedAt: now,
    },
  ]);
  return 'back';
};

/** Puts the condition on record and its signal into the queue; null when another detector was quicker. */
const begin = async (
  context: NotifierWatchOptions['context'],
  session: DetectorSession,
  since: Instant,
  now: Instant,
  words: string,
): Promise<OutcomeId | null> => {
  const id = OutcomeId.parse(outcomeId({ table: ownTable, jobId, kind: 'unhealthy', at: since, attempts: null }));
  const subject = { source: 'tocsin', jobType: 'notifier', targetId: null, run: null, facts: {} };
  const fresh = await session.announceOutcomes([
    { id, table: ownTable, jobId, kind: 'unhealthy', failedAt: since, subject },
  ]);
  if (!fresh.has(id)) return null;
  const signal = FailureSignal.parse({
    v: 1,
    signal: 'FailureDetected',
    outcomeId: id,
    table: ownTable,
    jobId,
    kind: 'unhealthy',
    source: 'tocsin',
    jobType: 'notifier',
    targetId: null,
    attempts: null,
    maxAttempts: null,
    error: words,
    failedAt: since,
    run: null,
    runContext: null,
    notes: ['No notifier could tell of this when it began; a detector tries to by itself.'],
    observedAt: now,
  });
  await enqueueSignals(context, session, [signal]);
  return id;
};

/** Looks every so often until stopped; a look that fails is logged and the next one tries again. */
export const startWatching = (
  look: (signal: AbortSignal) => Promise<unknown>,
  everyMs: number,
  log: Pick<Logger, 'warn'>,
): { readonly stop: () => Promise<void> } => {
  const stopping = new AbortController();
  let turn: Promise<unknown> = Promise.resolve();
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    turn = look(stopping.signal)
      .catch((error: unknown) =>
        log.warn({ err: error }, 'whether a notifier lives could not be seen; it is tried again'),
      )
      .finally(() => {
        busy = false;
      });
  }, everyMs);
  return {
    stop: async () => {
      clearInterval(timer);
      stopping.abort();
      await turn;
    },
  };
};

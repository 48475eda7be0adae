import { z } from 'zod';
import { Instant, OutcomeId } from './ids.ts';

/** Longest error text kept, in characters (UTF-16 units). What is cut off is said in the text itself. */
export const errorCharsMax = 2_000;
/** Longest name (source, job type, target, job id, table) kept, in characters. */
export const nameCharsMax = 300;
/** Most steps of one chain run that a signal describes. */
export const runStepsMax = 100;
/** Most signals in one queue job. */
export const signalsPerJobMax = 500;

/** What Postgres cannot store is taken out where a signal is read, so that live state and replay see the same text. */
const storable = (text: string): string => text.replaceAll('\u0000', '').toWellFormed();
const Name = z.string().min(1).max(nameCharsMax).overwrite(storable);

/**
 * What is wrong with a job. The first three are outcomes: the row says so, for good. The others are conditions: they hold
 * as long as something is so, and `ConditionEnded` follows when it is so no more.
 *
 * - `failed`, `dead`: it will not be tried again.
 * - `partial`: it succeeded, but its result counts parts that failed.
 * - `stuck`: it runs and shows no sign of life.
 * - `stalled`: it waits, its time has come, and nobody picks it up.
 * - `overdue`: work that is expected by a schedule has not succeeded.
 * - `deadline`: a chain run has not finished in time.
 * - `zero_throughput`: jobs run and none of them ends.
 * - `unhealthy`: the watched table as a whole cannot be judged, so nothing is said of its jobs one by one.
 */
export const FailureKind = z.enum([
  'failed',
  'dead',
  'partial',
  'stuck',
  'stalled',
  'overdue',
  'deadline',
  'zero_throughput',
  'unhealthy',
]);
export type FailureKind = z.infer<typeof FailureKind>;

/** Kinds that hold for as long as something is so. */
export const conditionKinds = ['stuck', 'stalled', 'overdue', 'deadline', 'zero_throughput', 'unhealthy'] as const;
export type ConditionKind = (typeof conditionKinds)[number];

export const isCondition = (kind: FailureKind): kind is ConditionKind =>
  (conditionKinds as readonly FailureKind[]).includes(kind);

/** One step of a chain: a job type, for one target where it has targets. */
export const Step = z.object({ jobType: Name, targetId: Name.nullable() });
export type Step = z.infer<typeof Step>;

/** What the detector saw of the chain run a failed job belongs to. */
export const RunContext = z.object({
  /** The jobs of this run, as they stood when the failure was read. */
  steps: z.array(Step.extend({ status: z.string().max(nameCharsMax).overwrite(storable) })).max(runStepsMax),
  /** The steps of the latest earlier run in which every job succeeded; empty when there is none. */
  learned: z.array(Step).max(runStepsMax),
  /** When that earlier run finished; null when there is none. */
  lastGreenAt: Instant.nullable(),
});
export type RunContext = z.infer<typeof RunContext>;

/** What the row says of the job beyond its identity. Redacted and bounded where it is read. */
export const JobDetails = z.object({
  stage: Name.nullable(),
  /** 0 to 100. */
  progress: z.number().nullable(),
  counts: z.object({ failed: z.int().nonnegative(), total: z.int().nonnegative().nullable() }).nullable(),
  startedAt: Instant.nullable(),
  heartbeatAt: Instant.nullable(),
  /** Further fields that a mapping names (`details` in tocsin.yaml): `source_url`, `document_id`; at most 20. */
  fields: z.record(z.string().max(100), z.string().max(nameCharsMax).overwrite(storable)),
});
export type JobDetails = z.infer<typeof JobDetails>;

/** A job ended badly. The detector sends it once per outcome; delivery may repeat it. */
export const FailureSignal = z.object({
  v: z.literal(1),
  signal: z.literal('FailureDetected'),
  outcomeId: OutcomeId,
  /** Name of the watched table in the configuration. */
  table: Name,
  jobId: Name,
  kind: FailureKind,
  source: Name,
  jobType: Name,
  targetId: Name.nullable(),
  /** null when the row says nothing usable. */
  attempts: z.int().nullable(),
  maxAttempts: z.int().nullable(),
  /** Redacted and shortened. null when the row holds no error text. */
  error: z.string().max(errorCharsMax).overwrite(storable).nullable(),
  /** Never later than `observedAt`. */
  failedAt: Instant,
  /** The chain run's id (`payload.chain_started_at`); null outside a chain run. */
  run: Name.nullable(),
  runContext: RunContext.nullable(),
  /** Parts of a job that succeeded: how many failed, of how many. null when it counts none. */
  counts: z.object({ failed: z.int().nonnegative(), total: z.int().nonnegative().nullable() }).nullable().default(null),
  /**
   * What a threshold needs to know of the same job type (and target, where alerts are grouped by it) before this failure:
   * its latest success, and how many there were within the threshold's time. null when no threshold asks.
   */
  history: z.object({ lastSuccessAt: Instant.nullable(), successes: z.int().nonnegative() }).nullable().default(null),
  /** Jobs of the same source that succeeded within the storm's time before this was read; null when no storm asks. */
  sourceSuccesses: z.int().nonnegative().nullable().default(null),
  details: JobDetails.nullable().default(null),
  /** What was odd about the row, in plain words. */
  notes: z.array(z.string().max(nameCharsMax).overwrite(storable)).max(10),
  /** The database's clock when the row was read. */
  observedAt: Instant,
});
export type FailureSignal = z.infer<typeof FailureSignal>;

/** Watched work succeeded. Sent for work that an open alert waits for. */
export const SuccessSignal = z.object({
  v: z.literal(1),
  signal: z.literal('SuccessDetected'),
  outcomeId: OutcomeId,
  table: Name,
  jobId: Name,
  source: Name,
  jobType: Name,
  targetId: Name.nullable(),
  run: Name.nullable(),
  finishedAt: Instant,
  observedAt: Instant,
});
export type SuccessSignal = z.infer<typeof SuccessSignal>;

/**
 * Why a condition holds no more: the job showed a sign of life or was picked up (`alive`); it, or what was expected,
 * succeeded; somebody canceled it; its row is gone and this kind of table deletes the rows of successes (`vanished`); or it
 * ended badly (`ended`), so that the work still owes a success.
 */
export const EndCause = z.enum(['alive', 'succeeded', 'canceled', 'vanished', 'ended']);
export type EndCause = z.infer<typeof EndCause>;

/** A condition that was sent as `FailureDetected` holds no more. */
export const ConditionEndedSignal = z.object({
  v: z.literal(1),
  signal: z.literal('ConditionEnded'),
  /** Of the `FailureDetected` that began it. */
  outcomeId: OutcomeId,
  table: Name,
  jobId: Name,
  kind: z.enum(conditionKinds),
  cause: EndCause,
  /** In plain words, for the message: `heartbeat again at 03:20`. */
  note: z.string().max(nameCharsMax).overwrite(storable).nullable(),
  /** When it ended: the success's own time, else when it was seen. */
  endedAt: Instant,
  observedAt: Instant,
});
export type ConditionEndedSignal = z.infer<typeof ConditionEndedSignal>;

/** What the janitor did, or tried to do, about a stuck job. */
export const JobRepairedSignal = z.object({
  v: z.literal(1),
  signal: z.literal('JobRepaired'),
  /** Of the `FailureDetected` of kind `stuck`. */
  outcomeId: OutcomeId,
  repairId: z.uuid(),
  table: Name,
  jobId: Name,
  action: z.enum(['mark_dead', 'requeue']),
  /** `skipped`: nothing was changed, for `reason`. */
  result: z.enum(['done', 'skipped']),
  reason: z.string().max(nameCharsMax).overwrite(storable).nullable(),
  /** Which restart of the job it was, from 1; null unless it was requeued. */
  restart: z.int().positive().nullable(),
  actedAt: Instant,
  observedAt: Instant,
});
export type JobRepairedSignal = z.infer<typeof JobRepairedSignal>;

export const Signal = z.discriminatedUnion('signal', [
  FailureSignal,
  SuccessSignal,
  ConditionEndedSignal,
  JobRepairedSignal,
]);
export type Signal = z.infer<typeof Signal>;

/** What a `signals` queue job carries: signals of one scan, unparsed, so that one bad signal spoils no other. */
export const SignalBatch = z.object({ signals: z.array(z.unknown()).max(signalsPerJobMax) });
export type SignalBatch = z.infer<typeof SignalBatch>;

/** The name of a step inside its source, `refresh_catalog/songs` or `rebuild_index`. */
export const stepName = (step: Step): string =>
  step.targetId === null ? step.jobType : `${step.jobType}/${step.targetId}`;

/**
 * The step of a chain that a job is. A step configured without targets runs once, whatever target its rows name, so
 * the target is dropped; any other job is a step by its own type and target.
 */
export const stepIn = (steps: readonly Step[] | null, job: Step): Step => {
  const once = steps?.some((step) => step.jobType === job.jobType && step.targetId === null) === true;
  return { jobType: job.jobType, targetId: once ? null : job.targetId };
};

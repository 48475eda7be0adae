import { z } from 'zod';
import { AlertId, DeliveryId, DigestId, Instant, OutcomeId } from './ids.ts';
import { InvariantError } from './invariant-error.ts';
import { FrozenChain, FrozenRoute, Severity } from './policy.ts';
import { EndCause, FailureKind, JobDetails, Step, conditionKinds } from './signal.ts';

// WARNING: these names and shapes are the storage format. Never change a version in place: add the next one, keep the
// old schema and its fixture (fixtures/events/vN), and upcast on read.

export const DigestPurpose = z.enum(['window', 'escalation', 'lapse', 'urgent', 'storm', 'heartbeat']);
export type DigestPurpose = z.infer<typeof DigestPurpose>;

/** How long an acknowledgement holds. Every lease also ends with the resolution. */
export const Lease = z.discriminatedUnion('until', [
  z.object({ until: z.literal('signature-change') }),
  z.object({ until: z.literal('success') }),
  z.object({ until: z.literal('time'), at: Instant }),
  /** Until that many further failures. */
  z.object({ until: z.literal('failures'), count: z.int().positive() }),
]);
export type Lease = z.infer<typeof Lease>;

/** Policy facts decided when the alert opened; replay uses these, never today's configuration. */
export const Opening = z.object({
  title: z.string(),
  rule: z.string().nullable(),
  chain: FrozenChain.nullable(),
  routes: z.array(FrozenRoute).min(1),
  /** The latest earlier alert of the same key. */
  predecessor: z
    .object({
      alertId: AlertId,
      resolvedAt: Instant,
      /** Alerts of this key in the seven days before. */ recentCount: z.int(),
    })
    .nullable(),
  /** The key opens and resolves again and again: one notice, then quiet until it has settled. */
  flapping: z
    .object({
      /** Alerts of the key within the time, this one included. */
      count: z.int(),
      withinMs: z.int(),
      holdMs: z.int(),
    })
    .nullable()
    .default(null),
});
export type Opening = z.infer<typeof Opening>;

const FailureDetected = z.object({
  alertId: AlertId,
  key: z.string(),
  outcomeId: OutcomeId,
  table: z.string(),
  jobId: z.string(),
  kind: FailureKind,
  severity: Severity,
  source: z.string(),
  jobType: z.string(),
  targetId: z.string().nullable(),
  attempts: z.int().nullable(),
  maxAttempts: z.int().nullable(),
  error: z.string().nullable(),
  signature: z.string(),
  failedAt: Instant,
  run: z.string().nullable(),
  /** Steps of the run that had not run when the failure was read. */
  missing: z.array(Step),
  lastGreenAt: Instant.nullable(),
  notes: z.array(z.string()),
  /** What the row says of the job beyond its identity, for channels that want it. */
  details: JobDetails.nullable().default(null),
  observedAt: Instant,
  /** Present on the first event of a stream only. */
  opening: Opening.nullable(),
});

const SuccessDetected = z.object({
  outcomeId: OutcomeId,
  table: z.string(),
  jobId: z.string(),
  jobType: z.string(),
  targetId: z.string().nullable(),
  run: z.string().nullable(),
  finishedAt: Instant,
});

const AlertBatched = z.object({ digestId: DigestId, route: z.string(), purpose: DigestPurpose, dueAt: Instant });

const AlertNotified = z.object({
  digestId: DigestId,
  deliveryId: DeliveryId,
  route: z.string(),
  purpose: DigestPurpose,
  channel: z.string(),
  /** The digest whose message began the conversation this message belongs to. */
  threadId: DigestId,
  acceptedAt: Instant,
  /** The message already told that the work is fine again. */
  reportedResolved: z.boolean(),
});

const NotificationFailed = z.object({
  digestId: DigestId,
  deliveryId: DeliveryId,
  route: z.string(),
  channel: z.string(),
  reason: z.string(),
  /** The channel that takes over; null when none is left. */
  fallback: z.string().nullable(),
  /** No other message of this digest told of the alert or still may: its news goes back. */
  final: z.boolean(),
});

const AlertEscalated = z.object({
  level: z.int().positive(),
  route: z.string(),
  escalation: z.string(),
  channels: z.array(z.string()),
  afterMs: z.int(),
  /** Which repetition after the last level it is; 0 for a level. */
  repeat: z.int().nonnegative().default(0),
});

const AlertAcknowledged = z.object({ by: z.string(), via: z.string(), lease: Lease, note: z.string().nullable() });
const AlertUnacknowledged = z.object({ by: z.string() });
const AcknowledgementLapsed = z.object({
  by: z.string(),
  acknowledgedAt: Instant,
  reason: z.enum(['time', 'signature-change', 'failures']),
});
const SeverityRaised = z.object({ from: Severity, to: Severity });

/** A condition that was an occurrence of the alert holds no more. */
const FailureRetracted = z.object({
  outcomeId: OutcomeId,
  kind: z.enum(conditionKinds),
  jobId: z.string(),
  cause: EndCause,
  note: z.string().nullable(),
  endedAt: Instant,
});

/** The janitor acted on a stuck job, or refrained for a reason. */
const JobRepaired = z.object({
  repairId: z.uuid(),
  outcomeId: OutcomeId,
  table: z.string(),
  jobId: z.string(),
  action: z.enum(['mark_dead', 'requeue']),
  result: z.enum(['done', 'skipped']),
  reason: z.string().nullable(),
  restart: z.int().positive().nullable(),
  actedAt: Instant,
});

/** When a silence ends: at a time, or with the resolution of the alerts it was made for. */
export const SilenceEnd = z.discriminatedUnion('until', [
  z.object({ until: z.literal('time'), at: Instant }),
  z.object({ until: z.literal('resolved') }),
]);
export type SilenceEnd = z.infer<typeof SilenceEnd>;

/** A silence mutes the alert: what happens is recorded and not told. */
const AlertSilenced = z.object({
  silenceId: z.uuid(),
  by: z.string(),
  reason: z.string().nullable(),
  end: SilenceEnd,
  /** Digests of the alert that had not been sealed: its news in them waits for the end of the silence. */
  withdrawn: z.array(DigestId),
});
const AlertUnsilenced = z.object({
  silenceId: z.uuid(),
  cause: z.enum(['expired', 'ended']),
  /** Who ended it before its time. */
  by: z.string().nullable(),
});

/** A flapping alert is fine again; it is resolved if it stays so until then. */
const ResolutionHeld = z.object({ until: Instant });
/** A flapping alert has stayed broken for the hold: it is told and treated like any other from now on. */
const FlappingEnded = z.object({ since: Instant });

/** A provider accepted a message and could not deliver it. */
const NotificationBounced = z.object({
  digestId: DigestId,
  deliveryId: DeliveryId,
  route: z.string(),
  channel: z.string(),
  reason: z.string(),
  /** The channel that takes over; null when none is left. */
  fallback: z.string().nullable(),
});

export const ResolutionReason = z.enum([
  'succeeded',
  'chain-run-green',
  'failed-steps-succeeded',
  'operator',
  'retracted',
]);
export type ResolutionReason = z.infer<typeof ResolutionReason>;

const AlertResolved = z.object({
  reason: ResolutionReason,
  /** When the work was fine again: the success's own time, or the operator's. */
  resolvedAt: Instant,
  by: z.string().nullable(),
  note: z.string().nullable(),
});

const ResolutionNotified = z.object({
  digestId: DigestId,
  deliveryId: DeliveryId,
  route: z.string(),
  channel: z.string(),
  acceptedAt: Instant,
});

const DigestOpened = z.object({
  digestId: DigestId,
  route: z.string(),
  purpose: DigestPurpose,
  channels: z.array(z.string()).min(1),
  fallback: z.array(z.string()),
  dueAt: Instant,
  /** Why it is an incident message: so many new keys within so long (of one source), in the conversation of an earlier one. */
  storm: z
    .object({
      keys: z.int(),
      withinMs: z.int(),
      source: z.string().nullable(),
      threadId: DigestId.nullable(),
    })
    .nullable()
    .default(null),
});

const DigestSealed = z.object({
  alerts: z.int().nonnegative(),
  deliveries: z.array(z.object({ deliveryId: DeliveryId, channel: z.string(), threadId: DigestId, alerts: z.int() })),
});

const DigestDelivered = z.object({
  deliveryId: DeliveryId,
  channel: z.string(),
  acceptedAt: Instant,
  attempts: z.int(),
});
const DigestFailed = z.object({
  deliveryId: DeliveryId,
  channel: z.string(),
  reason: z.string(),
  fallback: z.object({ deliveryId: DeliveryId, channel: z.string() }).nullable(),
});

/** A message that had been accepted came back; or one that was given up is tried again by hand. */
const DigestBounced = DigestFailed;
const DigestRedriven = z.object({
  deliveryId: DeliveryId,
  by: z.string(),
  replacement: z.object({ deliveryId: DeliveryId, channel: z.string() }),
});

/** Data schema of each event of an alert stream, by type; all at schema version 1. */
export const alertEventSchemas = {
  FailureDetected,
  SuccessDetected,
  AlertBatched,
  AlertNotified,
  NotificationFailed,
  AlertEscalated,
  AlertAcknowledged,
  AlertUnacknowledged,
  AcknowledgementLapsed,
  SeverityRaised,
  FailureRetracted,
  JobRepaired,
  AlertSilenced,
  AlertUnsilenced,
  ResolutionHeld,
  FlappingEnded,
  NotificationBounced,
  AlertResolved,
  ResolutionNotified,
} as const;

/** Data schema of each event of a digest stream, by type; all at schema version 1. */
export const digestEventSchemas = {
  DigestOpened,
  DigestSealed,
  DigestDelivered,
  DigestFailed,
  DigestBounced,
  DigestRedriven,
} as const;

export type AlertEventType = keyof typeof alertEventSchemas;
export type DigestEventType = keyof typeof digestEventSchemas;

type EventOf<Schemas extends Record<string, z.ZodType>> = {
  [Type in keyof Schemas & string]: {
    readonly type: Type;
    /** When it happened, by the database's clock. */
    readonly occurredAt: Instant;
    readonly data: z.infer<Schemas[Type]>;
  };
}[keyof Schemas & string];

export type AlertEvent = EventOf<typeof alertEventSchemas>;
export type DigestEvent = EventOf<typeof digestEventSchemas>;
export type DomainEvent = AlertEvent | DigestEvent;

/** One event type out of the union, `EventNamed<'AlertBatched'>`. */
export type EventNamed<Type extends DomainEvent['type']> = Extract<DomainEvent, { type: Type }>;

/** The version written for every event type today. */
export const eventSchemaVersion = 1;

const schemas: Readonly<Record<string, z.ZodType>> = { ...alertEventSchemas, ...digestEventSchemas };

/**
 * Parses a stored event. Every read passes here.
 *
 * @throws InvariantError when the type or version is unknown, or the data does not fit: the log was written by a newer
 *   Tocsin, or is damaged. Nothing is guessed.
 */
export const parseEvent = (row: {
  type: string;
  schemaVersion: number;
  occurredAt: string;
  data: unknown;
}): DomainEvent => {
  const schema = Object.hasOwn(schemas, row.type) ? schemas[row.type] : undefined;
  if (schema === undefined || row.schemaVersion !== eventSchemaVersion)
    throw new InvariantError(
      `This Tocsin does not know event ${row.type} version ${row.schemaVersion}; it reads up to version ${eventSchemaVersion}. Upgrade Tocsin.`,
    );
  const parsed = schema.safeParse(row.data);
  if (!parsed.success)
    throw new InvariantError(
      `Stored event ${row.type} v${row.schemaVersion} does not fit its schema: ${z.prettifyError(parsed.error)}`,
    );
  return { type: row.type, occurredAt: row.occurredAt, data: parsed.data } as DomainEvent;
};

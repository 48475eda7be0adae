import type {
  AlertEvent,
  AlertId,
  AlertState,
  DeliveryId,
  DeliveryOutcome,
  DigestEvent,
  DigestId,
  DigestMessage,
  DigestPurpose,
  DigestState,
  DomainEvent,
  EndCause,
  FailureSignal,
  Instant,
  OutcomeId,
  SuccessSignal,
} from '@tocsin/alert-model';

/** An event as it stands in the log. */
export interface StoredEvent {
  readonly position: number;
  readonly streamId: string;
  readonly version: number;
  readonly eventId: string;
  readonly event: DomainEvent;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly recordedAt: Instant;
}

/** New events of one stream. `expectedVersion` 0 means the stream must not exist. */
export interface Append {
  readonly streamId: string;
  readonly expectedVersion: number;
  readonly events: readonly (AlertEvent | DigestEvent)[];
}

/** The part of an open alert that the detector looks for successes of. */
export interface WatchedAlert {
  readonly id: AlertId;
  readonly source: string;
  readonly chain: AlertState['chain'];
  readonly owed: AlertState['owed'];
  readonly successes: AlertState['successes'];
  readonly firstFailedAt: Instant;
}

/** What must be known of a condition to see later whether it still holds. */
export interface ConditionSubject {
  readonly source: string;
  readonly jobType: string;
  readonly targetId: string | null;
  readonly run: string | null;
  /** Whatever else the detector needs, small: the last sign of life it saw, the due time it expected. */
  readonly facts: Readonly<Record<string, string | number | null>>;
}

/** A condition that was announced and has not ended. */
export interface OpenCondition {
  readonly id: OutcomeId;
  readonly kind: string;
  readonly jobId: string;
  readonly failedAt: Instant;
  readonly subject: ConditionSubject;
}

/** How a condition ended. */
export interface ConditionEnd {
  readonly id: OutcomeId;
  readonly cause: EndCause;
  readonly note: string | null;
  readonly endedAt: Instant;
}

/** A condition that has ended, and how. */
export interface EndedCondition extends ConditionEnd {
  readonly table: string;
  readonly kind: string;
  readonly jobId: string;
}

/** A failure below its rule's threshold. */
export interface HeldFailure {
  readonly key: string;
  /** Name of the rule whose threshold holds it back. */
  readonly rule: string;
  readonly signal: FailureSignal;
}

/** A repair that the janitor is about to try. */
export interface IntendedRepair {
  readonly id: string;
  readonly outcomeId: OutcomeId;
  readonly table: string;
  readonly jobId: string;
  readonly action: 'mark_dead' | 'requeue';
  readonly restart: number | null;
}

/** A repair that was tried, and how it ended. */
export interface SettledRepair extends IntendedRepair {
  readonly result: 'done' | 'skipped';
  readonly reason: string | null;
  readonly settledAt: Instant;
  /** The alert that has it; null while none does. */
  readonly alertId: AlertId | null;
}

export type DeliveryState = 'pending' | 'attempting' | 'retrying' | 'unknown' | 'accepted' | 'rejected' | 'replaced';

export interface Delivery {
  readonly id: DeliveryId;
  readonly digestId: DigestId;
  readonly channel: string;
  readonly purpose: DigestPurpose;
  readonly state: DeliveryState;
  readonly threadId: DigestId;
  /** Local part of the Message-ID; the channel adds the domain. Stable over attempts. */
  readonly messageId: string;
  readonly alertIds: readonly AlertId[];
  /** Those of `alertIds` that the message reports as resolved. */
  readonly resolvedIds: readonly AlertId[];
  readonly message: DigestMessage;
  readonly attempts: number;
  readonly fallbackOf: DeliveryId | null;
  readonly nextAttemptAt: Instant | null;
  readonly lastReason: string | null;
  readonly providerMessageId: string | null;
  readonly createdAt: Instant;
  readonly acceptedAt: Instant | null;
  readonly settledCount: number;
  readonly settledAt: Instant | null;
}

export type NewDelivery = Pick<
  Delivery,
  | 'id'
  | 'digestId'
  | 'channel'
  | 'purpose'
  | 'threadId'
  | 'messageId'
  | 'alertIds'
  | 'resolvedIds'
  | 'message'
  | 'fallbackOf'
>;

export interface DeliveryAttempt {
  readonly id: string;
  readonly deliveryId: DeliveryId;
  readonly number: number;
  readonly outcome: 'attempting' | DeliveryOutcome['outcome'];
  readonly reason: string | null;
  readonly detail: string | null;
  readonly status: number | null;
  readonly providerMessageId: string | null;
  readonly startedAt: Instant;
  readonly endedAt: Instant | null;
}

/**
 * Everything that happens to Tocsin's own tables inside one transaction. Each method is one statement (or a bounded
 * few), for sets, never row by row. Implemented on Postgres and, for tests, in memory, against one contract suite.
 */
export interface StoreSession {
  /** Serialises the writers of the log until the transaction ends; call before loading what will be decided upon. */
  readonly lockLog: () => Promise<void>;
  /** The database's clock, in UTC with microseconds. */
  readonly now: () => Promise<Instant>;

  /** @throws VersionConflict when a stream has moved on. */
  readonly appendEvents: (appends: readonly Append[]) => Promise<void>;
  readonly loadStream: (streamId: string) => Promise<readonly StoredEvent[]>;
  /** Single events by stream and version; for samples of a digest. */
  readonly loadEventsAt: (refs: readonly { streamId: string; version: number }[]) => Promise<readonly StoredEvent[]>;

  readonly loadAlerts: (ids: readonly AlertId[]) => Promise<readonly AlertState[]>;
  readonly loadOpenAlertsByKey: (keys: readonly string[]) => Promise<readonly AlertState[]>;
  /** For each key that has one: its newest resolved alert, and how many alerts of the key opened in the last seven days. */
  readonly loadPredecessors: (
    keys: readonly string[],
  ) => Promise<readonly { key: string; alertId: AlertId; resolvedAt: Instant; recentCount: number }[]>;
  /** Inserts or replaces. @throws OpenKeyConflict when another open alert has the key. */
  readonly saveAlerts: (states: readonly AlertState[]) => Promise<void>;
  /** Alerts with an AlertBatched event for that digest, in id order. */
  readonly alertsOfDigest: (digestId: DigestId) => Promise<readonly AlertId[]>;

  /** How many alerts are open. */
  readonly countOpenAlerts: () => Promise<number>;
  /** Alerts, not acknowledged, whose news sits in no digest (`pending` not empty), in id order. For the audit. */
  readonly alertsWithStrayNews: (limit: number) => Promise<readonly AlertId[]>;

  readonly loadOpenDigests: () => Promise<readonly DigestState[]>;
  readonly loadDigest: (id: DigestId) => Promise<DigestState | null>;
  readonly saveDigests: (states: readonly DigestState[]) => Promise<void>;
  /** Open digests whose time has come, oldest first. */
  readonly dueDigests: (limit: number) => Promise<readonly DigestId[]>;

  /** Of these outcomes, those already recorded (by whatever alert), ignored or held. */
  readonly recordedOutcomes: (ids: readonly OutcomeId[]) => Promise<ReadonlySet<OutcomeId>>;
  /** Marks outcomes as dealt with, inserting those the detector never announced. */
  readonly recordOutcomes: (
    outcomes: readonly {
      id: OutcomeId;
      table: string;
      jobId: string;
      kind: string;
      failedAt: Instant;
      alertId: AlertId | null;
      disposition: 'recorded' | 'ignored' | 'quarantined' | 'held';
    }[],
  ) => Promise<void>;
  /**
   * Detector: inserts outcomes about to be signalled; answers the ids that were new. With `subject` the outcome is a
   * condition: it is not new either while another of the same table, kind and job is open.
   */
  readonly announceOutcomes: (
    outcomes: readonly {
      id: OutcomeId;
      table: string;
      jobId: string;
      kind: string;
      failedAt: Instant;
      subject?: ConditionSubject;
    }[],
  ) => Promise<ReadonlySet<OutcomeId>>;
  /** Detector: open conditions of a table, oldest first. */
  readonly openConditions: (table: string, limit: number) => Promise<readonly OpenCondition[]>;
  /** Detector: ends conditions; answers those that this call has ended. */
  readonly endConditions: (ends: readonly ConditionEnd[]) => Promise<ReadonlySet<OutcomeId>>;
  /** Of these outcomes, those that are conditions and have ended. */
  readonly endedConditions: (ids: readonly OutcomeId[]) => Promise<readonly EndedCondition[]>;
  /** The alert each of these outcomes is an occurrence of; without those that are none. */
  readonly alertsOfOutcomes: (ids: readonly OutcomeId[]) => Promise<ReadonlyMap<OutcomeId, AlertId>>;

  /** Keeps failures that are below their threshold. Doing it again changes nothing. */
  readonly holdFailures: (held: readonly HeldFailure[]) => Promise<void>;
  /** The newest held failures of these keys, at most 1,000 of each, oldest failure first. */
  readonly heldFailures: (keys: readonly string[]) => Promise<readonly HeldFailure[]>;
  /** Forgets held failures: they were told, or will never be. */
  readonly releaseHeld: (ids: readonly OutcomeId[]) => Promise<void>;
  /** Failures held for longer than that, the longest held first: they will never be told. */
  readonly staleHeld: (olderThanMs: number, limit: number) => Promise<readonly HeldFailure[]>;

  /**
   * Janitor: records what is about to be tried; false when a repair for the same outcome was recorded before.
   * `restartsOf` counts the requeues of jobs that were intended or done.
   */
  readonly intendRepair: (repair: IntendedRepair) => Promise<boolean>;
  /** Records how a repair ended; false when that was recorded before. */
  readonly settleRepair: (id: string, state: 'done' | 'skipped', reason: string | null) => Promise<boolean>;
  /** Repairs whose end was never recorded: their process died in between. */
  readonly intendedRepairs: (table: string, olderThanMs: number, limit: number) => Promise<readonly IntendedRepair[]>;
  /** Repairs tried for these outcomes that have ended, whether or not their signal has arrived; at most one of each. */
  readonly settledRepairs: (outcomeIds: readonly OutcomeId[]) => Promise<readonly SettledRepair[]>;
  /** Notifier: notes which alert has a repair. */
  readonly recordRepairs: (repairs: readonly { readonly id: string; readonly alertId: AlertId }[]) => Promise<void>;
  /** How often each job was requeued, and when last; jobs never requeued are left out. */
  readonly restartsOf: (
    table: string,
    jobIds: readonly string[],
  ) => Promise<ReadonlyMap<string, { readonly restarts: number; readonly lastAt: Instant }>>;

  readonly rememberSuccesses: (successes: readonly { key: string; signal: SuccessSignal }[]) => Promise<void>;
  readonly recentSuccesses: (keys: readonly string[]) => Promise<readonly { key: string; signal: SuccessSignal }[]>;

  readonly insertDeliveries: (deliveries: readonly NewDelivery[]) => Promise<void>;
  readonly loadDelivery: (id: DeliveryId) => Promise<Delivery | null>;
  readonly deliveriesOfDigest: (id: DigestId) => Promise<readonly Delivery[]>;
  /** Subject of the first message of each thread. */
  readonly threadSubjects: (threadIds: readonly DigestId[]) => Promise<ReadonlyMap<DigestId, string>>;
  /** Deliveries whose next attempt is due (or whose attempt is overdue), oldest first; at most `limit`. */
  readonly dueDeliveries: (limit: number) => Promise<readonly DeliveryId[]>;
  /** Accepted, rejected or replaced deliveries whose alerts do not all know it yet. */
  readonly unsettledDeliveries: (limit: number) => Promise<readonly DeliveryId[]>;
  /**
   * Claims one delivery for an attempt when it is due: an attempt left open by a dead process (its time passed) is first
   * recorded as unknown, reason `crashed`. Row lock, skip locked. Answers null when it is not due or somebody else has it.
   * `abandoned` says that an attempt was found open: the caller then decides by policy instead of sending at once.
   */
  readonly claimDelivery: (
    id: DeliveryId,
    attempt: { id: string; timeoutMs: number },
  ) => Promise<{ delivery: Delivery; number: number; abandoned: boolean } | null>;
  /** Closes the attempt. Answers false when it was no longer open (another process recorded it as unknown meanwhile). */
  readonly recordAttempt: (attemptId: string, outcome: DeliveryOutcome) => Promise<boolean>;
  readonly updateDelivery: (
    id: DeliveryId,
    change:
      | { state: 'accepted'; providerMessageId: string | null }
      | { state: 'retrying' | 'unknown'; afterMs: number; reason: string }
      | { state: 'rejected' | 'replaced'; reason: string },
  ) => Promise<void>;
  /** Compare-and-set of how many alerts of a delivery carry its result; false when somebody else has settled on. */
  readonly settleProgress: (id: DeliveryId, from: number, to: number, done: boolean) => Promise<boolean>;
  readonly attemptsOf: (deliveryIds: readonly DeliveryId[]) => Promise<readonly DeliveryAttempt[]>;

  readonly loadCursor: (
    name: string,
  ) => Promise<{ changedAt: Instant; data: Readonly<Record<string, unknown>> } | null>;
  /** Moves a cursor; never backwards. */
  readonly saveCursor: (name: string, changedAt: Instant, data: Readonly<Record<string, unknown>>) => Promise<void>;
  readonly beat: (component: string, instance: string, data: Readonly<Record<string, unknown>>) => Promise<void>;
  readonly quarantine: (
    entries: readonly { id: string; queue: string; payload: unknown; reason: string }[],
  ) => Promise<void>;
  /** Open alerts in id order after the given one, for the detector's rotating look for successes. */
  readonly watchedAlerts: (after: AlertId | null, limit: number) => Promise<readonly WatchedAlert[]>;
}

/** A stream moved on between load and append: load again and decide again. */
export class VersionConflict extends Error {
  override readonly name = 'VersionConflict';
}

/** Another alert of the same key was opened meanwhile: load again and decide again. */
export class OpenKeyConflict extends Error {
  override readonly name = 'OpenKeyConflict';
}

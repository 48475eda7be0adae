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

  /** Of these outcomes, those already recorded (by whatever alert). */
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
      disposition: 'recorded' | 'ignored' | 'quarantined';
    }[],
  ) => Promise<void>;
  /** Detector: inserts outcomes about to be signalled; answers the ids that were new. */
  readonly announceOutcomes: (
    outcomes: readonly { id: OutcomeId; table: string; jobId: string; kind: string; failedAt: Instant }[],
  ) => Promise<ReadonlySet<OutcomeId>>;

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

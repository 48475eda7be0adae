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
  Match,
  NextAction,
  OutcomeId,
  SilenceEnd,
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
  /** When the provider said that it was delivered; null where it says no such thing. */
  readonly confirmedAt: Instant | null;
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
  /** `claimed`: written down, the provider not called yet. `confirmed`: the provider said that it was delivered. */
  readonly outcome: 'claimed' | 'attempting' | DeliveryOutcome['outcome'] | 'confirmed';
  readonly reason: string | null;
  readonly detail: string | null;
  readonly status: number | null;
  readonly providerMessageId: string | null;
  readonly startedAt: Instant;
  readonly endedAt: Instant | null;
}

/** A mute with an end, `tocsin.silences`. */
export interface Silence {
  readonly id: string;
  /** Of a silence in tocsin.yaml; null for one made by a command. */
  readonly name: string | null;
  readonly match: Match;
  readonly by: string;
  readonly reason: string | null;
  readonly startsAt: Instant;
  readonly end: SilenceEnd;
  /** For `until: 'resolved'`: the open alerts it was made for. */
  readonly alertIds: readonly AlertId[];
  readonly createdAt: Instant;
  /** Set once alerts that were open at its start have been muted. */
  readonly appliedAt: Instant | null;
  readonly endedAt: Instant | null;
  readonly endedBy: string | null;
  readonly endCause: 'expired' | 'ended' | null;
}

/** What all notifiers know of a channel, `tocsin.channel_states`. */
export interface ChannelState {
  readonly channel: string;
  /** Attempts that failed one after the other. */
  readonly failures: number;
  /** Until when nothing is tried; null while the circuit is closed. */
  readonly openUntil: Instant | null;
  /** How often it opened without a success between. */
  readonly opened: number;
  readonly parkedAt: Instant | null;
  readonly parkedReason: string | null;
  readonly lastAcceptedAt: Instant | null;
  readonly lastFailedAt: Instant | null;
  /** Last successful `tocsin channels test`, and the settings it was of. */
  readonly verifiedAt: Instant | null;
  readonly verifiedSettings: string | null;
}

/** What a provider said of a message afterwards, `tocsin.provider_events`. */
export interface ProviderEvent {
  /** The provider's own identity of it (`sg_event_id`); the same event twice is one. */
  readonly id: string;
  readonly provider: 'sendgrid';
  readonly attemptId: string | null;
  readonly deliveryId: DeliveryId | null;
  /** `processed`, `deferred`, `delivered`, `bounce`, `dropped`, others as they are. */
  readonly event: string;
  /** The recipient, lower case; null when it names none. */
  readonly recipient: string | null;
  readonly detail: string | null;
  readonly at: Instant;
}

/** What the audit counts; all of it from indexes, bounded by `auditMax` each. */
export interface AuditCounts {
  /** Open alerts whose next action is overdue and on its way nowhere. */
  readonly overdueAlerts: number;
  /** Attempts that should have ended long ago. */
  readonly staleAttempts: number;
  /** Failures announced and not decided on. */
  readonly unaccounted: number;
  /** Age of the oldest of those, in milliseconds; null when there is none. */
  readonly oldestUnaccountedMs: number | null;
  /** Silences whose start or end is overdue. */
  readonly overdueSilences: number;
  readonly quarantined: number;
  /** Open alerts, not acknowledged, that nobody was told of because no channel took the message. */
  readonly untold: number;
  readonly parkedChannels: readonly string[];
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
    /** Also counts alerts of the key that were resolved within this time, `flapCount`. Default: not counted, 0. */
    flapWithinMs?: number,
  ) => Promise<
    readonly { key: string; alertId: AlertId; resolvedAt: Instant; recentCount: number; flapCount: number }[]
  >;
  /** Inserts or replaces. @throws OpenKeyConflict when another open alert has the key. */
  readonly saveAlerts: (states: readonly AlertState[]) => Promise<void>;
  /** Alerts with an AlertBatched event for that digest, in id order. */
  readonly alertsOfDigest: (digestId: DigestId) => Promise<readonly AlertId[]>;

  /** How many alerts are open, canaries not counted. */
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
   * Claims one delivery for an attempt, which is written down as `claimed`, when it is due: an attempt left open by a dead
   * process (its time passed) is closed first, reason `crashed`. Row lock, skip locked. Answers null when it is not due or
   * somebody else has it. `abandoned` says that an attempt was found open, and how far it had come: `claimed`, then certainly
   * nothing was sent and it is on record as `retry`; or `attempting`, then it is on record as `unknown`. The caller then
   * decides by policy instead of sending at once.
   */
  readonly claimDelivery: (
    id: DeliveryId,
    attempt: { id: string; timeoutMs: number },
  ) => Promise<{ delivery: Delivery; number: number; abandoned: false | 'claimed' | 'attempting' } | null>;
  /** Closes the attempt. Answers false when it was no longer open (another process recorded it as unknown meanwhile). */
  readonly recordAttempt: (attemptId: string, outcome: DeliveryOutcome) => Promise<boolean>;
  readonly updateDelivery: (
    id: DeliveryId,
    change:
      | { state: 'accepted'; providerMessageId: string | null }
      | { state: 'retrying' | 'unknown'; afterMs: number; reason: string }
      | { state: 'rejected' | 'replaced'; reason: string },
  ) => Promise<void>;
  /**
   * Lets deliveries go that wait for their channel, oldest first, at most `limit`: those `retrying` for one of the reasons are
   * due now; those `unknown` that were to wait longer than `unknownRetryMs` from now wait so long. Answers which.
   */
  readonly releaseDeliveries: (
    channel: string,
    waiting: { readonly reasons: readonly string[]; readonly unknownRetryMs: number },
    limit: number,
  ) => Promise<readonly { readonly id: DeliveryId; readonly state: 'retrying' | 'unknown' }[]>;
  /** Compare-and-set of how many alerts of a delivery carry its result; false when somebody else has settled on. */
  readonly settleProgress: (id: DeliveryId, from: number, to: number, done: boolean) => Promise<boolean>;
  /**
   * Right before the provider is called: `claimed` becomes `attempting`. False when the attempt is no longer ours (we slept
   * too long and somebody took it for abandoned): then nothing may be sent.
   */
  readonly beginAttempt: (attemptId: string) => Promise<boolean>;
  /** The delivery of an attempt, and how the attempt stands; row lock on the delivery. */
  readonly lockDeliveryOfAttempt: (
    attemptId: string,
  ) => Promise<{ delivery: Delivery; attempt: DeliveryAttempt } | null>;
  /**
   * The provider's own word that it was delivered. False when it was known, and for an attempt that is not on record as
   * accepted: open, or unknown and to be settled first.
   */
  readonly confirmAttempt: (attemptId: string, at: Instant) => Promise<boolean>;
  /** The provider's own word that it had accepted an attempt that is on record as `unknown`. */
  readonly settleUnknownAttempt: (attemptId: string, providerMessageId: string | null) => Promise<boolean>;
  /**
   * Takes a final result back: of a delivery that was accepted and came back, or that was given up and is tried again by
   * another one. It becomes `replaced` when a delivery took over (insert that one before), else `rejected`. One that came
   * back keeps its `acceptedAt` and is unsettled again. False for deliveries in other states.
   */
  readonly replaceDelivery: (id: DeliveryId, reason: string) => Promise<boolean>;
  /** What the provider called the first accepted message of each conversation on a channel. */
  readonly threadRoots: (channel: string, threadIds: readonly DigestId[]) => Promise<ReadonlyMap<DigestId, string>>;
  /** Deliveries for people, newest first. `dead`: given up and nothing took over. */
  readonly listDeliveries: (filter: {
    readonly state: 'dead' | 'waiting' | 'all';
    readonly channel: string | null;
    readonly limit: number;
  }) => Promise<readonly Delivery[]>;

  readonly channelStates: (channels: readonly string[]) => Promise<ReadonlyMap<string, ChannelState>>;
  /**
   * Takes the right to send one message from the bucket all replicas share: `burst` messages at once, one more every
   * `everyMs`. Answers 0, or how long to wait; then nothing was taken.
   */
  readonly takeToken: (channel: string, limit: { readonly everyMs: number; readonly burst: number }) => Promise<number>;
  /**
   * Notes how an attempt ended, for the circuit: after `failuresMax` failures in a row it opens for `openMs`, doubled each
   * time up to `openMaxMs`. Answers the state after.
   */
  readonly recordChannelResult: (
    channel: string,
    ok: boolean,
    circuit: { readonly failuresMax: number; readonly openMs: number; readonly openMaxMs: number },
  ) => Promise<ChannelState>;
  /**
   * Lets nothing be tried on a channel for so long, as its provider wishes. No failure; an end already set is never put
   * earlier.
   */
  readonly holdChannel: (channel: string, forMs: number) => Promise<void>;
  /** Parks a channel; false when it was parked, which then begins anew. */
  readonly parkChannel: (channel: string, reason: string) => Promise<boolean>;
  /** Also closes the circuit; false when it was not parked. */
  readonly unparkChannel: (channel: string) => Promise<boolean>;
  readonly verifyChannel: (channel: string, settings: string) => Promise<void>;

  /** Keeps what is new; answers that. */
  readonly recordProviderEvents: (events: readonly ProviderEvent[]) => Promise<readonly ProviderEvent[]>;
  readonly providerEventsOf: (deliveryId: DeliveryId) => Promise<readonly ProviderEvent[]>;

  /** Does nothing for an id that is there. */
  readonly insertSilences: (
    silences: readonly Omit<Silence, 'createdAt' | 'appliedAt' | 'endedAt' | 'endedBy' | 'endCause'>[],
  ) => Promise<void>;
  readonly loadSilences: (ids: readonly string[]) => Promise<readonly Silence[]>;
  /** Begun and not ended, oldest first; at most `silencesMax`. */
  readonly activeSilences: () => Promise<readonly Silence[]>;
  /** For people: active and coming ones, or all, newest first. */
  readonly listSilences: (filter: { readonly ended: boolean; readonly limit: number }) => Promise<readonly Silence[]>;
  /** Whose start or end has come and has not been carried out, oldest first. */
  readonly dueSilences: (limit: number) => Promise<readonly Silence[]>;
  readonly markSilenceApplied: (id: string) => Promise<void>;
  /** False when it had ended. */
  readonly endSilence: (id: string, cause: 'expired' | 'ended', by: string | null) => Promise<boolean>;
  /** Open alerts that a silence mutes, in id order after the given one. */
  readonly alertsOfSilence: (silenceId: string, after: AlertId | null, limit: number) => Promise<readonly AlertState[]>;

  /** Open alerts in id order after the given one. */
  readonly openAlerts: (after: AlertId | null, limit: number) => Promise<readonly AlertState[]>;
  /** How many alerts each source opened since, those counted together not more than `limit`. */
  readonly keysOpenedSince: (since: Instant, limit: number) => Promise<ReadonlyMap<string, number>>;
  readonly lastOpenedAt: () => Promise<Instant | null>;
  /** The newest storm digest of each route sealed since. */
  readonly stormDigestsSince: (since: Instant) => Promise<readonly DigestState[]>;
  /** Open alerts whose next action was due `graceMs` ago or longer, oldest first. */
  readonly overdueAlerts: (
    graceMs: number,
    limit: number,
  ) => Promise<readonly { readonly id: AlertId; readonly action: NextAction['action']; readonly at: Instant }[]>;
  /** Open alerts whose read model is of an older version of the fold, in id order. */
  readonly alertsOfOlderModel: (limit: number) => Promise<readonly AlertId[]>;
  readonly audit: (limits: { readonly actionGraceMs: number; readonly attemptGraceMs: number }) => Promise<AuditCounts>;
  /** How many of these alerts are open. */
  readonly countOpenOf: (ids: readonly AlertId[]) => Promise<number>;
  /** Alerts told in a conversation that are open, those of this digest not counted. */
  readonly countOpenInThread: (threadId: DigestId) => Promise<number>;
  /** The newest sign of life of each component, with its age by the database's clock. */
  readonly newestBeats: () => Promise<
    ReadonlyMap<
      string,
      { readonly instance: string; readonly ageMs: number; readonly data: Readonly<Record<string, unknown>> }
    >
  >;

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

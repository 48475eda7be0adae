import type { DigestPurpose, Lease, Opening, ResolutionReason, SilenceEnd } from './event.ts';
import type { AlertId, DeliveryId, DigestId, Instant } from './ids.ts';
import type { FrozenChain, FrozenRoute, Severity } from './policy.ts';
import type { ConditionKind, EndCause, Step } from './signal.ts';

/** Version of the fold. A stored read model of another version is folded again from the events. */
export const alertModelVersion = 3;

/** Most causes (signatures) counted one by one in an alert or a batch; further ones are counted together. */
export const causesMax = 12;
/** Most sample occurrences remembered per cause, as versions of the alert's stream. */
export const samplesPerCauseMax = 8;
/** Most failing steps or targets followed one by one; see `owedUntracked`. Each event copies them, so the cost of a storm is the square of this. */
export const owedMax = 1_000;
/** Most conditions that hold at once and are followed one by one; further ones owe a success like a failure. */
export const suspicionsMax = 1_000;
/** Most developments remembered in a batch, newest last. */
export const developmentsMax = 10;
/** Most chain runs remembered, newest last. */
export const runsMax = 20;
/** Most digests that may hold unsettled news of one alert; beyond that news waits in `pending`. */
export const batchesMax = 50;

export type LifecycleState = 'detected' | 'batched' | 'notified' | 'acknowledged' | 'resolved';

export interface Cause {
  readonly signature: string;
  readonly count: number;
  /** Versions of FailureDetected events in this stream, newest kept last. */
  readonly samples: readonly number[];
  readonly firstAt: Instant;
  readonly lastAt: Instant;
}

/** News of an alert for one route. */
export interface Batch {
  readonly failures: number;
  readonly firstFailedAt: Instant | null;
  readonly lastFailedAt: Instant | null;
  readonly causes: readonly Cause[];
  /** Failures whose cause found no place in `causes`. */
  readonly otherCauses: number;
  /** Whether the first occurrence of the alert is among them. */
  readonly opened: boolean;
  readonly resolved: boolean;
  readonly lapse: {
    readonly by: string;
    readonly acknowledgedAt: Instant;
    readonly reason: 'time' | 'signature-change' | 'failures';
  } | null;
  /** The silence that is over, under which some of this happened. */
  readonly unsilenced: { readonly by: string; readonly reason: string | null; readonly endedBy: string | null } | null;
  /** It was flapping and has stayed broken. */
  readonly settled: boolean;
  /** Severity before it rose, once people were told; null when it did not. */
  readonly severityBefore: Severity | null;
  readonly escalation: {
    readonly level: number;
    readonly repeat: number;
    readonly name: string;
    readonly afterMs: number;
  } | null;
  /** What became of conditions told before, and what the janitor did. */
  readonly developments: readonly Development[];
}

/** Something that happened to a job of an alert and is no failure. */
export interface Development {
  readonly what: 'retracted' | 'requeued' | 'marked-dead' | 'repair-skipped';
  readonly jobId: string;
  readonly kind: ConditionKind;
  readonly at: Instant;
  /** Plain words: why it was retracted or skipped, which restart it was. */
  readonly detail: string | null;
}

/** A condition that holds: it ends by being retracted, not by a success. */
export interface Suspicion {
  readonly kind: ConditionKind;
  readonly step: Step;
  readonly run: string | null;
  readonly jobId: string;
  readonly failedAt: Instant;
}

/** Who was told, once per route and channel. */
export interface Told {
  readonly route: string;
  readonly channel: string;
  readonly purpose: DigestPurpose;
  readonly digestId: DigestId;
  readonly deliveryId: DeliveryId;
  readonly threadId: DigestId;
  readonly at: Instant;
}

/** Work that owes a success: it failed or, `missing`, an earlier step's failure kept it from running. */
export interface Owed {
  readonly step: Step;
  readonly missing: boolean;
  /** The latest failure of all. */
  readonly failedAt: Instant;
  /** The latest failure of each run, `''` outside a run: each has to be made good. The newest `runsMax` runs. */
  readonly failedAtByRun: Readonly<Record<string, Instant>>;
}

/** A silence that mutes the alert. */
export interface Mute {
  readonly by: string;
  readonly reason: string | null;
  readonly end: SilenceEnd;
}

/** What happens to the alert next by itself, for `explain`, for the audit, and for the second net under the timers. */
export interface NextAction {
  /**
   * - `digest`: a digest that has its news is due, or its messages are under way.
   * - `rejoin`: its news sits in no digest and should.
   * - `escalate`, `lapse`, `settle`: a clock runs out.
   * - `unsilence`: a silence ends.
   * - `wait`: nothing has a time; it waits for a success, for the end of a condition or for a person.
   * - `none`: it is over and everybody who was told knows.
   */
  readonly action: 'digest' | 'rejoin' | 'escalate' | 'lapse' | 'settle' | 'unsilence' | 'wait' | 'none';
  readonly at: Instant | null;
}

/** The folded life of one alert: plain JSON, equal to `tocsin.alerts.data`. */
export interface AlertState {
  readonly id: AlertId;
  readonly key: string;
  readonly state: LifecycleState;
  /** Version of the last event folded. */
  readonly version: number;
  readonly severity: Severity;
  readonly source: string;
  readonly jobType: string;
  readonly targetId: string | null;
  readonly title: string;
  readonly rule: string | null;
  readonly chain: FrozenChain | null;
  readonly routes: readonly FrozenRoute[];
  readonly predecessor: Opening['predecessor'];
  readonly openedAt: Instant;
  readonly firstFailedAt: Instant;
  readonly lastFailedAt: Instant;
  /** Chain run of the latest failure. */
  readonly lastRun: string | null;
  /** Steps that had not run when the latest failure was read. */
  readonly missing: readonly Step[];
  readonly lastGreenAt: Instant | null;
  /** Failures and conditions since it opened. */
  readonly occurrences: number;
  /** How many of the occurrences were conditions, by kind. */
  readonly conditions: Readonly<Partial<Record<ConditionKind, number>>>;
  readonly causes: readonly Cause[];
  readonly otherCauses: number;
  /** Work that owes a success, by step name. */
  readonly owed: Readonly<Record<string, Owed>>;
  /** Failures of further targets beyond `owedMax`. Their recovery cannot be followed, so such an alert is resolved by hand. */
  readonly owedUntracked: number;
  /** Conditions that hold, by outcome. While there is one, the alert is not resolved by a success. */
  readonly suspicions: Readonly<Record<string, Suspicion>>;
  /** The latest end of a condition that left nothing owed; null before there was one. */
  readonly lastRetraction: { readonly cause: EndCause; readonly endedAt: Instant } | null;
  /** Repairs recorded, newest last; at most `developmentsMax`. A repair delivered twice is recognised by it. */
  readonly repairs: readonly string[];
  /** Chain runs with a failure, oldest first; a run that is merely late or stuck has not failed. */
  readonly failedRuns: readonly string[];
  /** Successes seen since, by run (`''` outside a run) and step name: the latest finish. */
  readonly successes: Readonly<Record<string, Readonly<Record<string, Instant>>>>;
  /** News by route that sits in no digest yet. */
  readonly pending: Readonly<Record<string, Batch>>;
  /** News by digest that no channel has accepted yet. */
  readonly batches: Readonly<
    Record<
      string,
      { readonly route: string; readonly purpose: DigestPurpose; readonly dueAt: Instant; readonly batch: Batch }
    >
  >;
  readonly told: readonly Told[];
  readonly notifiedAt: Instant | null;
  /** Since when people know of it and nobody has taken it: when the escalation clock started; null while it stands still. */
  readonly unansweredSince: Instant | null;
  readonly acknowledgement: {
    readonly by: string;
    readonly via: string;
    readonly at: Instant;
    readonly lease: Lease;
    /** Causes known when it was given. */
    readonly signatures: readonly string[];
    readonly note: string | null;
    /** Failures since it was given; what lease `failures` counts. */
    readonly failures: number;
  } | null;
  /** The highest step climbed on any route: levels, then repetitions. */
  readonly escalationLevel: number;
  /** Steps climbed since `unansweredSince`, by route. */
  readonly escalations: Readonly<Record<string, { readonly step: number; readonly at: Instant }>>;
  /** Silences that mute it, by id. */
  readonly silences: Readonly<Record<string, Mute>>;
  /** Set while it is flapping. */
  readonly flapping: {
    readonly count: number;
    readonly withinMs: number;
    readonly holdMs: number;
    /** Since when it has been failing without a recovery. */
    readonly failingSince: Instant;
    /** Fine again, and resolved if it stays so until then. */
    readonly heldUntil: Instant | null;
  } | null;
  /** It was opened as flapping, whether or not it has settled since. */
  readonly openedFlapping: Opening['flapping'];
  /** Messages that were accepted and came back. */
  readonly bounces: number;
  /** Computed by the fold from everything else. */
  readonly next: NextAction;
  readonly escalatedAt: Instant | null;
  /** Deliveries that no channel took, newest last; see docs/guarantees.md. */
  readonly failedDeliveries: number;
  readonly resolution: {
    readonly reason: ResolutionReason;
    readonly resolvedAt: Instant;
    readonly by: string | null;
    readonly note: string | null;
  } | null;
  /** Channels, as `route channel`, that were told of the resolution. */
  readonly resolutionToldTo: readonly string[];
}

import type {
  AlertState,
  ConditionKind,
  DigestState,
  DomainEvent,
  FrozenRoute,
  LifecycleState,
  Rule,
  Severity,
} from '@tocsin/alert-model';
import type { Delivery, DeliveryAttempt } from '@tocsin/event-store';

/** Everything that an explanation is made from. */
export interface AlertFacts {
  readonly state: AlertState;
  readonly events: readonly AlertMoment[];
  /** Digests the alert was or is in, oldest first. */
  readonly digests: readonly DigestState[];
  readonly deliveries: readonly { readonly delivery: Delivery; readonly attempts: readonly DeliveryAttempt[] }[];
  /** Whether a notifier has given a sign of life lately. */
  readonly notifierAlive: boolean;
  /** What the janitor would do: today's rules, and the tables it has a connection for. */
  readonly janitor: { readonly rules: readonly Rule[]; readonly tables: ReadonlySet<string> };
  /** The database's clock. */
  readonly now: string;
}

/** What explanations need of an event. */
export interface AlertMoment {
  readonly version: number;
  readonly event: DomainEvent;
}

/** Something that will happen, or has to happen first. */
export interface NextAction {
  /** Null when it waits for something other than time. */
  readonly at: string | null;
  readonly what: string;
}

/** Why an alert was told or not, and what comes next; plain data, as `--json` prints it. */
export interface AlertExplanation {
  readonly alertId: string;
  readonly key: string;
  readonly title: string;
  readonly state: LifecycleState;
  readonly severity: Severity;
  /** One sentence. */
  readonly verdict: string;
  readonly rule: string;
  readonly routes: readonly FrozenRoute[];
  readonly digests: readonly ExplainedDigest[];
  /** Conditions that still hold, oldest first. */
  readonly conditions: readonly HoldingCondition[];
  /** Acknowledgements, escalations, retractions, repairs, resolution: what decided whether people were told. */
  readonly decisions: readonly { readonly at: string; readonly type: string; readonly facts: string }[];
  readonly next: readonly NextAction[];
}

/** A condition that holds. */
export interface HoldingCondition {
  readonly outcomeId: string;
  readonly kind: ConditionKind;
  readonly jobId: string;
  readonly since: string;
  /** By which limit it was judged, as the detector said it. */
  readonly words: string | null;
}

export interface ExplainedDigest {
  readonly id: string;
  readonly route: string;
  readonly purpose: DigestState['purpose'];
  readonly state: DigestState['state'];
  readonly openedAt: string;
  readonly dueAt: string;
  readonly sealedAt: string | null;
  readonly deliveries: readonly {
    readonly id: string;
    readonly channel: string;
    readonly state: Delivery['state'];
    readonly fallback: boolean;
    readonly nextAttemptAt: string | null;
    readonly attempts: readonly Pick<
      DeliveryAttempt,
      'number' | 'outcome' | 'reason' | 'detail' | 'status' | 'startedAt' | 'endedAt'
    >[];
  }[];
}

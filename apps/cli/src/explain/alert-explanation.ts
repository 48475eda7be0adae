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
import type { ChannelState, Delivery, DeliveryAttempt, ProviderEvent } from '@tocsin/event-store';
import type { ChannelTrouble } from './channel-trouble.ts';

/** Everything that an explanation is made from. */
export interface AlertFacts {
  readonly state: AlertState;
  readonly events: readonly AlertMoment[];
  /** Digests the alert was or is in, oldest first. */
  readonly digests: readonly DigestState[];
  readonly deliveries: readonly { readonly delivery: Delivery; readonly attempts: readonly DeliveryAttempt[] }[];
  /** What providers said of those deliveries afterwards, in the order it happened. */
  readonly providerEvents: readonly ProviderEvent[];
  /** What is known of the channels of its routes and messages. */
  readonly channels: readonly ChannelState[];
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
  /** What keeps its news from people, or did: what does so now first. */
  readonly suppressors: readonly Suppressor[];
  /** Channels of its routes and messages that take nothing at the moment. */
  readonly channels: readonly ChannelTrouble[];
  /** Conditions that still hold, oldest first. */
  readonly conditions: readonly HoldingCondition[];
  /** Acknowledgements, silences, escalations, retractions, repairs, resolution: what decided whether people were told. */
  readonly decisions: readonly { readonly at: string; readonly type: string; readonly facts: string }[];
  readonly next: readonly NextAction[];
  /** The earliest of what happens by itself, as the audit watches it. */
  readonly planned: AlertState['next'];
}

/** Something that keeps news of an alert from people: nothing is lost, it waits on record. */
export interface Suppressor {
  readonly by: 'silence' | 'flapping' | 'acknowledgement' | 'storm' | 'quiet-hours';
  /** Whether it does so now. */
  readonly active: boolean;
  readonly since: string;
  /** When it will end, or did; null where that is no time known now. */
  readonly until: string | null;
  /** One sentence without its full stop. */
  readonly words: string;
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
  /** Why it is the message of a storm; null when it is none. */
  readonly storm: DigestState['storm'];
  readonly deliveries: readonly ExplainedDelivery[];
}

export interface ExplainedDelivery {
  readonly id: string;
  readonly channel: string;
  readonly state: Delivery['state'];
  readonly fallback: boolean;
  readonly acceptedAt: string | null;
  /** When the provider said that it was delivered. */
  readonly confirmedAt: string | null;
  /** It was accepted and came back from everybody. */
  readonly cameBack: boolean;
  readonly lastReason: string | null;
  readonly nextAttemptAt: string | null;
  readonly attempts: readonly Pick<
    DeliveryAttempt,
    'number' | 'outcome' | 'reason' | 'detail' | 'status' | 'startedAt' | 'endedAt'
  >[];
  /** What the provider said of it afterwards. */
  readonly providerEvents: readonly Pick<ProviderEvent, 'event' | 'recipient' | 'detail' | 'at'>[];
}
